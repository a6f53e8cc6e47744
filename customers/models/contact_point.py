from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.contact import Contact, Position
from customers.models.customer import Customer
from customers.models.facts import FactQuerySet, looked_up
from users.models import Event
from users.records import Labelled

if TYPE_CHECKING:
    from users.models import User


def is_standing(yes: bool) -> Q:
    """Whether no later row corrects this one; few are corrected, and both questions read only what they show.

    Standing rows are asked for one by one as a list comes to them: of an anti-join the planner expects almost nothing to be
    left, and sorts the whole history. Corrected ones begin at the corrections.
    """
    corrections = ContactPoint.objects.filter(corrects__isnull=False)
    if not yes:
        return Q(pk__in=corrections.values("corrects"))
    return ~looked_up(corrections.filter(corrects=OuterRef("pk")))


class ContactPointQuerySet(FactQuerySet["ContactPoint"]):
    def newest_first(self) -> Self:
        return self.order_by("-at", "-pk")

    def before(self, at: datetime, pk: int) -> Self:
        """The page after the row (at, pk), in `newest_first` order: one step down the index, whatever the depth."""
        return self.filter(Q(at__lt=at) | Q(at=at, pk__lt=pk), at__lte=at)

    def standing(self) -> Self:
        """Without the rows that a later row corrects."""
        return self.filter(is_standing(True))


class ContactPoint(Labelled):
    """One event of contact (客户接触点): when, through which channel, at which stage, who, about what, with what outcome.

    Append-only: a trigger refuses changes, and a correction is a new row that `corrects` the old one.
    """

    class Kind(models.TextChoices):
        CALL = "call", _("Call")
        VISIT = "visit", _("Visit")
        MEETING = "meeting", _("Meeting")
        MAIL = "mail", _("Mail")
        MESSAGE = "message", _("Message")
        NOTE = "note", _("Note")
        ORDER = "order", _("Order")
        DELIVERY = "delivery", _("Delivery")
        TICKET = "ticket", _("Ticket")
        INVOICE = "invoice", _("Invoice")
        PAYMENT = "payment", _("Payment")
        SURVEY = "survey", _("Survey")
        EVENT = "event", _("Event")

    class Channel(models.TextChoices):
        PHONE = "phone", _("Phone")
        IN_PERSON = "in_person", _("In person")
        MAIL = "mail", _("Mail")
        WEB = "web", _("Web")
        PORTAL = "portal", _("Portal")
        WECHAT = "wechat", _("WeChat")
        SYSTEM = "system", _("System")

    class Direction(models.TextChoices):
        INBOUND = "inbound", _("From the customer")
        OUTBOUND = "outbound", _("To the customer")
        INTERNAL = "internal", _("Internal")

    class Stage(models.TextChoices):
        NEED = "need", _("Need")
        CONSIDER = "consider", _("Consider")
        COMPARE = "compare", _("Compare")
        CHOOSE = "choose", _("Choose")
        BUY = "buy", _("Buy")
        USE = "use", _("Use and service")
        RENEW = "renew", _("Renew or leave")

    class Signal(models.TextChoices):
        NEED = "need", _("Need")
        COMPETITOR = "competitor", _("Competitor move")
        PRODUCT = "product", _("Product suggestion")
        RISK = "risk", _("Risk")

    NOUN = "contact_point"

    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="contact_points", verbose_name=_("customer"))
    at = models.DateTimeField(_("when"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    direction = models.CharField(
        _("direction"), max_length=10, choices=Direction, default=Direction.OUTBOUND, db_default=Direction.OUTBOUND
    )
    stage = models.CharField(_("stage"), max_length=10, choices=Stage, blank=True, default="", db_default="")
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, blank=True, db_index=False, related_name="contact_points", verbose_name=_("contact")
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="contact_points",
        verbose_name=_("colleague"),
    )
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("what was said"), max_length=50_000, blank=True, default="", db_default="")
    outcome = models.CharField(_("outcome"), max_length=200, blank=True, default="", db_default="")
    minutes = models.PositiveIntegerField(_("minutes"), null=True, blank=True)
    cost = models.DecimalField(_("cost"), null=True, blank=True, max_digits=18, decimal_places=2)
    signal = models.CharField(_("signal"), max_length=10, choices=Signal, blank=True, default="", db_default="")
    related_noun = models.CharField(max_length=30, blank=True, default="", db_default="")
    related_id = models.BigIntegerField(null=True, blank=True)
    corrects = models.OneToOneField("self", models.PROTECT, null=True, blank=True, editable=False, related_name="corrected_by")
    source = models.ForeignKey(
        "customers.SourceSystem", models.PROTECT, null=True, blank=True, editable=False, db_index=False, related_name="+"
    )
    source_key = models.CharField(max_length=200, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, db_index=False, related_name="+")

    objects = ContactPointQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact point")
        verbose_name_plural = _("contact points")
        indexes = [
            models.Index(fields=["customer", "-at", "-id"], name="contact_point_of_customer"),
            models.Index(fields=["-at", "-id"], name="contact_point_by_time"),
            models.Index(fields=["staff", "-at", "-id"], name="contact_point_of_staff"),
            models.Index(fields=["contact", "-at"], name="contact_point_of_contact", condition=Q(contact__isnull=False)),
            models.Index(fields=["signal", "-at"], name="contact_point_signal", condition=~Q(signal="")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_key"], condition=Q(source__isnull=False), name="contact_point_source_key_once"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @classmethod
    @transaction.atomic
    def log(cls, *, by: User | None, customer: Customer, **values: Any) -> ContactPoint:
        """Write one contact down; `at` is now unless given."""
        values.setdefault("at", timezone.now())
        values.setdefault("staff", by)
        point = cls(customer=customer, created_by=by, **values)
        point.clean()
        point.save(force_insert=True)
        Event.record(Event.Action.CREATED, noun=cls.NOUN, by=by, object_id=point.pk, label=point.subject, customer_id=customer.pk)
        return point

    @transaction.atomic
    def correct(self, *, by: User, **values: Any) -> ContactPoint:
        """Write the corrected contact as a new row; this one stays as it was, marked as corrected."""
        names = [field.attname for field in self._meta.concrete_fields if field.editable and not field.primary_key]
        kept = {name: getattr(self, name) for name in names if name not in {"customer_id", *values, *(f"{v}_id" for v in values)}}
        return ContactPoint.log(by=by, customer=self.customer, corrects=self, **{**kept, **values})

    def clean(self) -> None:
        if self.at and self.at > timezone.now() + timedelta(minutes=5):
            raise ValidationError({"at": _("A contact point lies in the past; plan the future with a task.")})
        if self.contact_id and not Position.objects.filter(contact=self.contact_id, customer=self.customer_id).exists():
            raise ValidationError({"contact": _("This person is not a contact of this customer.")})
