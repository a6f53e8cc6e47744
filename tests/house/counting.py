"""A Celery app with one more kind of job: it counts to a hundred, a number a transaction, and goes on where it was stopped."""

from __future__ import annotations

import time
from typing import Any

import django

django.setup()

from django.db import transaction  # noqa: E402 (models can be had only after that)

from crm.celery import app as app  # noqa: E402
from customers.jobs import Progress, handles  # noqa: E402
from customers.models import Counter  # noqa: E402

UP_TO = 100


@handles("count")
def count(progress: Progress) -> dict[str, Any]:
    for number in range(progress.job.progress, UP_TO):
        with transaction.atomic():
            Counter.take("counted")
            progress.tick(number + 1, total=UP_TO)
        time.sleep(0.02)
    return {"counted": UP_TO}
