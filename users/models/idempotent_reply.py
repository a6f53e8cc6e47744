from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class IdempotentReply(models.Model):
    """The answer given to a POST with an Idempotency-Key, so that a repeat gets the same answer and nothing twice.

    The row is inserted before the work begins and locks out the twin request; `status` is empty until the work has committed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)  # of the request's body: another body under the same key is a mistake
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once_per_user")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_reply_age")]

    def __str__(self) -> str:
        return self.key
