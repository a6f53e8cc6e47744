from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.job import Job
from customers.models.source import SourceSystem
from users.access import Permission, allowed

if TYPE_CHECKING:
    from users.models import User


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    def visible_to(self, user: User) -> Self:
        """A person's own imports; administrators see all."""
        if not allowed(user, Permission.IMPORT_RUN):
            return self.none()
        return self if allowed(user, Permission.JOB_VIEW_ALL) else self.filter(by=user)


class ImportRun(models.Model):
    """One file on its way in: upload → map → validate → dry run → run → result → undo."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("Customers")
        CONTACTS = "contacts", _("Contacts")
        PRODUCTS = "products", _("Products")
        ORDERS = "orders", _("Orders")
        CONTRACTS = "contracts", _("Contracts")
        ASSETS = "assets", _("Assets")
        CONTACT_POINTS = "contact_points", _("Contact points")
        OPPORTUNITIES = "opportunities", _("Opportunities")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        MAPPED = "mapped", _("Columns matched")
        CHECKED = "checked", _("Checked")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        UNDOING = "undoing", _("Being undone")
        UNDONE = "undone", _("Undone")

    NOUN = "import_run"

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    source = models.ForeignKey(SourceSystem, models.PROTECT, related_name="imports", verbose_name=_("source"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="imports", verbose_name=_("started by"))
    file = models.FileField(_("file"), upload_to="imports/%Y/%m/", max_length=200)
    file_name = models.CharField(_("file"), max_length=200)
    file_size = models.BigIntegerField(default=0)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED, db_default=State.UPLOADED)
    inspection = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # what was detected: encoding, separator, columns
    mapping = models.JSONField(default=dict)  # {column of the file: field}
    options = models.JSONField(default=dict)  # what the person confirmed: date order, decimal mark, upsert field …
    counts = models.JSONField(default=dict)  # {created, updated, unchanged, skipped, rejected, to_do, duplicates}
    rows_total = models.BigIntegerField(null=True)
    rows_done = models.BigIntegerField(default=0, db_default=0)  # committed together with the rows themselves
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("started"), db_default=Now())
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return f"{self.file_name} ({self.get_kind_display()})"


class ImportProblemQuerySet(models.QuerySet["ImportProblem"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(run__in=ImportRun.objects.visible_to(user))

    def to_do(self) -> Self:
        """Rows that wait for a person; those that are being imported again just now do not."""
        return self.filter(severity=ImportProblem.Severity.TO_DO, resolved_at=None, again_in=None)


class ImportProblem(models.Model):
    """What is wrong with one cell or row of a file, with the row as received, so that nothing is dropped silently."""

    class Severity(models.TextChoices):
        ERROR = "error", _("Rejected")
        TO_DO = "to_do", _("To do")
        WARNING = "warning", _("Warning")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="problems")
    row_number = models.BigIntegerField()  # as a spreadsheet counts: the header is row 1
    column = models.CharField(max_length=200, default="", db_default="")
    value = models.TextField(default="", db_default="")
    code = models.CharField(max_length=40)  # names the message, see customers.imports.messages
    parameters = models.JSONField(default=dict, db_default={})
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.ERROR, db_default=Severity.ERROR)
    row = models.JSONField(default=dict, db_default={})
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    # The later run that took the row up again; `customers.imports.again` says when it counts as resolved.
    again_in = models.ForeignKey(ImportRun, models.SET_NULL, null=True, db_index=False, related_name="taken_up")

    objects = ImportProblemQuerySet.as_manager()

    class Meta:
        ordering = ("run", "row_number", "pk")
        verbose_name = _("import problem")
        verbose_name_plural = _("import problems")
        indexes = [
            models.Index(fields=["run", "row_number", "id"], name="import_problem_of_run"),
            models.Index(fields=["-id"], name="import_to_do", condition=Q(severity="to_do", resolved_at=None)),
            models.Index(fields=["again_in"], name="import_problem_again", condition=Q(again_in__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.row_number}/{self.column}: {self.code}"

    def resolve(self, *, by: User) -> None:
        """Take it off the to-do list; who resolved it first stays on record."""
        ImportProblem.objects.filter(pk=self.pk, resolved_at=None).update(resolved_at=timezone.now(), resolved_by=by)
        self.refresh_from_db()
