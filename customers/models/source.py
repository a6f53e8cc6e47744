from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from users.access import Permission, allowed

if TYPE_CHECKING:
    from users.models import User


class SourceSystemQuerySet(models.QuerySet["SourceSystem"]):
    def visible_to(self, user: User) -> Self:
        return self if allowed(user, Permission.CUSTOMER_VIEW) else self.none()


class SourceSystem(models.Model):
    """A system that customer data comes from: the ERP, the web shop, a file that somebody keeps, or this CRM itself."""

    NOUN: ClassVar[str] = "source_system"
    STEWARD: ClassVar[str] = "pareto"  # people's own entries and corrections, made in this CRM

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    # The higher, the sooner its value survives where sources disagree; people's corrections stand above all files.
    trust = models.PositiveSmallIntegerField(_("trust"), default=50, db_default=50)
    # Spellings of this source and what they mean: {"technolgy": "technology", "GTXPro": "GTX Pro"}.
    hints = models.JSONField(_("hints"), default=dict, db_default={}, blank=True)
    # The column mapping last used per kind of file, offered again next time.
    mappings = models.JSONField(default=dict, db_default={}, editable=False)

    objects = SourceSystemQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("source system")
        verbose_name_plural = _("source systems")

    def __str__(self) -> str:
        return self.name

    @classmethod
    def steward(cls) -> SourceSystem:
        return cls.objects.get_or_create(code=cls.STEWARD, defaults={"name": "Pareto CRM", "trust": 100})[0]


class SourceRecordQuerySet(models.QuerySet["SourceRecord"]):
    def visible_to(self, user: User) -> Self:
        """Visible where the customer or contact is that the record belongs to now."""
        same = {"system": OuterRef("system"), "noun": OuterRef("noun"), "key": OuterRef("key")}
        return self.filter(Exists(CrossReference.objects.visible_to(user).filter(until=None, **same)))


class SourceRecord(models.Model):
    """One customer or contact exactly as a source system gave it; a changed record is a new version. Never edited."""

    class Noun(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        CONTACT = "contact", _("contact")

    system = models.ForeignKey(SourceSystem, models.PROTECT, db_index=False, related_name="records")
    noun = models.CharField(max_length=10, choices=Noun)
    key = models.CharField(max_length=200)
    version = models.PositiveIntegerField(default=1, db_default=1)
    payload = models.JSONField(encoder=DjangoJSONEncoder)
    received_at = models.DateTimeField(db_default=Now())
    import_run = models.ForeignKey("customers.ImportRun", models.PROTECT, null=True, db_index=False, related_name="+")

    objects = SourceRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("source record")
        verbose_name_plural = _("source records")
        constraints = [models.UniqueConstraint(fields=["system", "noun", "key", "version"], name="source_record_version_once")]
        indexes = [models.Index(fields=["import_run"], name="source_record_of_import", condition=Q(import_run__isnull=False))]

    def __str__(self) -> str:
        return f"{self.key} v{self.version}"


class CrossReferenceQuerySet(models.QuerySet["CrossReference"]):
    def visible_to(self, user: User) -> Self:
        customers = apps.get_model("customers.Customer").objects.visible_to(user)  # which know this module
        contacts = apps.get_model("customers.Contact").objects.visible_to(user)
        return self.filter(Exists(customers.filter(pk=OuterRef("customer_id"))) | Exists(contacts.filter(pk=OuterRef("contact_id"))))


class CrossReference(models.Model):
    """Which customer or contact a source's key belongs to, and since when. One at a time; the past stays on record."""

    system = models.ForeignKey(SourceSystem, models.PROTECT, db_index=False, related_name="cross_references")
    noun = models.CharField(max_length=10, choices=SourceRecord.Noun)
    key = models.CharField(max_length=200)
    customer = models.ForeignKey("customers.Customer", models.CASCADE, null=True, related_name="cross_references")
    contact = models.ForeignKey("customers.Contact", models.CASCADE, null=True, related_name="cross_references")
    since = models.DateTimeField(db_default=Now())
    until = models.DateTimeField(null=True)
    event_id = models.BigIntegerField(null=True)  # the Event that tied it

    objects = CrossReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("cross-reference")
        verbose_name_plural = _("cross-references")
        constraints = [
            models.UniqueConstraint(fields=["system", "noun", "key"], condition=Q(until=None), name="source_key_belongs_to_one"),
            models.CheckConstraint(
                condition=Q(noun="customer", customer__isnull=False, contact__isnull=True)
                | Q(noun="contact", contact__isnull=False, customer__isnull=True),
                name="cross_reference_has_one_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system_id}:{self.key}"
