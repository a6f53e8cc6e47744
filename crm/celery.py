"""The Celery app and the whole timetable of the company's recurring work."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("crm", task_cls="celery.contrib.django.task:DjangoTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "canary": {"task": "crm.tasks.canary", "schedule": 30.0, "options": {"expires": 60}},
    "requeue-stuck-jobs": {"task": "customers.tasks.requeue_stuck_jobs", "schedule": 10.0, "options": {"expires": 60}},
    "value-all": {"task": "segmentation.tasks.value_all", "schedule": crontab(hour="1", minute="20")},
    "value-changed": {"task": "segmentation.tasks.value_changed", "schedule": 180.0, "options": {"expires": 170}},
    "forget-old-copies": {"task": "customers.tasks.forget_old_copies", "schedule": crontab(hour="3", minute="20")},
    "forget-old-replies": {"task": "users.tasks.forget_old_replies", "schedule": crontab(hour="3", minute="10")},
    "refresh-segments": {"task": "segmentation.tasks.refresh_segments", "schedule": crontab(hour="4", minute="40")},
}


@setup_logging.connect
def log_as_the_web_does(**_: Any) -> None:
    """Having a listener here keeps Celery from setting up its own lines."""
    logging.config.dictConfig(settings.LOGGING)
