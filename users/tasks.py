"""Celery entries of the users app: ids in, nothing out."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from users.models import IdempotentReply

REPLIES_KEPT = timedelta(hours=48)  # the API promises 24


@shared_task
def forget_old_replies() -> None:
    """Answers kept for repeated requests are of no use once nobody repeats them."""
    IdempotentReply.objects.filter(created_at__lt=timezone.now() - REPLIES_KEPT).delete()
