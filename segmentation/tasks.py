"""Celery entries: ids in, nothing out."""

from __future__ import annotations

from celery import shared_task
from django.db import InterfaceError, OperationalError

from customers.models import Job
from segmentation import jobs as _jobs  # noqa: F401  (registers what the engine does as jobs)
from segmentation.engine import runs
from segmentation.models import Stale, ValueRun
from segmentation.segments import refresh_soon


@shared_task(autoretry_for=(OperationalError, InterfaceError), retry_backoff=True, max_retries=10)
def help_with_run(run_id: int) -> None:
    """Take a share of a valuation that another worker leads."""
    runs.help_with(run_id)


@shared_task
def value_all() -> None:
    """Every night: all customers anew."""
    _start(ValueRun.Kind.FULL)


@shared_task
def value_changed() -> None:
    """Every few minutes: those whose facts have changed since the last run, once there has been a first full one."""
    if ValueRun.current() is not None and Stale.objects.filter(run_id=None).exists():
        _start(ValueRun.Kind.CHANGED)


@shared_task
def refresh_segments() -> None:
    """Every night, since rules with dates find others today than yesterday."""
    refresh_soon(by=None)


def _start(extent: ValueRun.Kind) -> None:
    """One waiting or running valuation is enough; the next timer comes."""
    if not Job.objects.unfinished().filter(kind="value-run").exists():
        Job.start("value-run", by=None, title=str(extent.label), extent=extent.value)
