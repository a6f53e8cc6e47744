"""The Celery app and the whole timetable of the company's recurring work."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("crm", task_cls="celery.contrib.django.task:DjangoTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "canary": {"task": "crm.tasks.canary", "schedule": 30.0, "options": {"expires": 60}},
    "requeue-stuck-jobs": {"task": "customers.tasks.requeue_stuck_jobs", "schedule": 10.0, "options": {"expires": 60}},
    "forget-old-replies": {"task": "users.tasks.forget_old_replies", "schedule": crontab(hour="3", minute="10")},
}
