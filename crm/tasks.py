"""The project's own recurring tasks. What it means is in `crm.health`."""

import time
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.core.cache import cache

from crm.health import WORKER_MARK


@shared_task
def canary() -> None:
    """A finished canary proves that a worker takes messages, works and answers; a running process proves nothing."""
    cache.set(WORKER_MARK, time.time(), timeout=3600)


@worker_ready.connect
def send_first_canary(**_: Any) -> None:
    canary.delay()
