"""Celery entries: ids in, nothing out. What they do lives in `customers.jobs`."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from customers import jobs
from customers.imports import jobs as _imports  # noqa: F401  (registers what imports do as jobs)
from customers.imports import runs
from customers.models import Job
from customers.privacy import jobs as privacy  # also registers the copy and the erasure


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=10)
def run_job(job_id: int) -> None:
    jobs.run(job_id)


@shared_task
def requeue_stuck_jobs() -> None:
    """Wake a worker for every job whose worker died or whose message was lost."""
    for job in Job.objects.abandoned():
        job.requeue()
    runs.settle_abandoned()


@shared_task
def forget_old_copies() -> None:
    """Copies of people's data that nobody needs here any longer."""
    privacy.forget_old_copies()
