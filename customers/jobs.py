"""Running a `Job`: claim it, keep beating while it works, and leave it done, failed or cancelled.

An app adds a kind of job by decorating a function: `@handles("import")`, called with a `Progress` and the job's arguments.
A handler must be safe to run again from any point, since its worker can be killed at any point.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone

from customers.models import Job
from users.http import request_id

logger = logging.getLogger(__name__)

BEAT_EVERY_SECONDS = 5.0
STATEMENT_TIMEOUT = "2h"  # a page's limit of seconds is too short for a job's set-based statements

Handler = Callable[..., dict[str, Any]]
_handlers: dict[str, Handler] = {}


class Cancelled(Exception):
    """Raised inside a handler at a safe point after somebody asked the job to stop."""


class Progress:
    """What a handler tells of its work. `tick` is a safe point: it raises Cancelled where that was asked for."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def tick(self, done: int, *, total: int | None = None, stage: str | None = None) -> None:
        values: dict[str, Any] = {"progress": done, "heartbeat_at": timezone.now()}
        if total is not None:
            values["total"] = total
        if stage is not None:
            values["stage"] = stage
        Job.objects.filter(pk=self.job.pk).update(**values)
        if Job.objects.filter(pk=self.job.pk, cancel_requested_at__isnull=False).exists():
            raise Cancelled


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Register the function that does jobs of this kind; it returns the job's result."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def run(job_id: int) -> None:
    """Do the job if it is still to be done; a second call for the same job does nothing."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None or not job.claim():
        return
    token = request_id.set(f"job-{job.pk}")
    try:
        with _heartbeat(job), _job_limits():
            result = _handlers[job.kind](Progress(job), **job.arguments)
    except Cancelled:
        job.finish(Job.State.CANCELLED)
    except Exception as error:
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        job.finish(Job.State.FAILED, error=f"{type(error).__name__}: {error}"[:2000])
    else:
        job.finish(Job.State.DONE, result=result)
    finally:
        request_id.reset(token)


@contextmanager
def _job_limits() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = %s", [STATEMENT_TIMEOUT])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")


@contextmanager
def _heartbeat(job: Job) -> Iterator[None]:
    """Beat from a thread of its own, so that one long statement does not look like a dead worker."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_EVERY_SECONDS):
            Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).update(heartbeat_at=timezone.now())
        connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
