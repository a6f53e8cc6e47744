from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from celery import current_app
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.access import Permission, allowed

if TYPE_CHECKING:
    from users.models import User

# A running job beats every few seconds (customers.jobs); without a beat for this long its worker is gone.
PRESUMED_DEAD_AFTER = timedelta(seconds=25)
MOST_ATTEMPTS = 5


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User) -> Self:
        """A person's own jobs; administrators see all."""
        return self if allowed(user, Permission.JOB_VIEW_ALL) else self.filter(requested_by=user)

    def unfinished(self) -> Self:
        return self.filter(state__in=[Job.State.QUEUED, Job.State.RUNNING])

    def abandoned(self) -> Self:
        """Jobs that no worker holds: never picked up, or held by a worker that stopped beating."""
        silent_since = timezone.now() - PRESUMED_DEAD_AFTER
        return self.filter(
            Q(state=Job.State.QUEUED, queued_at__lt=silent_since) | Q(state=Job.State.RUNNING, heartbeat_at__lt=silent_since)
        )


class Job(models.Model):
    """Long work as a row: the row is the truth, a Celery message only wakes a worker. Run by `customers.jobs`."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    kind = models.CharField(_("kind"), max_length=40)
    title = models.CharField(_("title"), max_length=200)
    arguments = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs", verbose_name=_("started by"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, db_default=State.QUEUED)
    stage = models.CharField(max_length=80, default="", db_default="")
    progress = models.BigIntegerField(default=0, db_default=0)
    total = models.BigIntegerField(null=True)
    result = models.JSONField(default=dict, db_default={}, encoder=DjangoJSONEncoder)
    file = models.FileField(
        upload_to="jobs/", max_length=200, blank=True, default="", db_default=""
    )  # what it made for somebody to take away
    error = models.TextField(default="", db_default="")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(_("started"), db_default=Now())
    queued_at = models.DateTimeField(default=timezone.now, db_default=Now())
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(fields=["state", "heartbeat_at"], name="job_unfinished", condition=Q(state__in=["queued", "running"])),
            models.Index(fields=["requested_by", "-id"], name="job_of_user"),
        ]

    def __str__(self) -> str:
        return self.title

    @classmethod
    @transaction.atomic
    def start(cls, kind: str, *, by: User | None, title: str, **arguments: Any) -> Job:
        """Write the job down and wake a worker once that has committed; a lost message is made good by the sweeper."""
        job = cls.objects.create(kind=kind, title=title[:200], requested_by=by, arguments=arguments)
        job._wake_a_worker()
        return job

    @property
    def is_finished(self) -> bool:
        return self.state not in (self.State.QUEUED, self.State.RUNNING)

    @property
    def percent(self) -> int | None:
        """0 to 100, or None while the amount of work is not known."""
        if self.state == self.State.DONE:
            return 100
        return min(99, 100 * self.progress // self.total) if self.total else None

    def claim(self) -> bool:
        """Take the job for this worker; False if another has it or it is finished. Safe against any number of claimants."""
        now = timezone.now()
        free = Q(state=self.State.QUEUED) | Q(state=self.State.RUNNING, heartbeat_at__lt=now - PRESUMED_DEAD_AFTER)
        taken = Job.objects.filter(free, pk=self.pk).update(
            state=self.State.RUNNING, started_at=now, heartbeat_at=now, attempts=F("attempts") + 1
        )
        self.refresh_from_db()
        return taken == 1

    def finish(self, state: str, *, result: dict[str, Any] | None = None, error: str = "") -> None:
        self.state, self.error, self.finished_at = state, error, timezone.now()
        self.result = result if result is not None else self.result
        self.save(update_fields=["state", "error", "finished_at", "result"])

    def forget_file(self) -> None:
        """Delete what the job made for taking away; the row stays."""
        self.file.delete(save=False)
        Job.objects.filter(pk=self.pk).update(file="")

    def requeue(self) -> None:
        """Send another message for an abandoned job; after too many attempts give up, visibly."""
        if self.attempts >= MOST_ATTEMPTS:
            self.finish(self.State.FAILED, error="The worker died each time this was tried.")
            return
        Job.objects.filter(pk=self.pk).update(queued_at=timezone.now())
        self._wake_a_worker()

    def request_cancel(self) -> None:
        """Ask a running job to stop at its next safe point; a waiting one stops at once."""
        now = timezone.now()
        Job.objects.filter(pk=self.pk, state=self.State.QUEUED).update(state=self.State.CANCELLED, finished_at=now)
        Job.objects.filter(pk=self.pk, cancel_requested_at=None).update(cancel_requested_at=now)
        self.refresh_from_db()

    def _wake_a_worker(self) -> None:
        # By name, since tasks stand above models. A broker that is away is logged, and the sweeper sends the message later.
        transaction.on_commit(lambda: current_app.send_task("customers.tasks.run_job", args=[self.pk]), robust=True)
