from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from customers.models.contact import Contact
from customers.models.customer import Channel
from users.records import Record

if TYPE_CHECKING:
    from users.models import User


class ConsentQuerySet(models.QuerySet["Consent"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(Exists(Contact.objects.visible_to(user).filter(pk=OuterRef("contact_id"))))


class Consent(Record):
    """A contact's yes to being reached through a channel for a purpose; withdrawing ends it and keeps the row."""

    class Purpose(models.TextChoices):
        SERVICE = "service", _("Service and contract")
        MARKETING = "marketing", _("Marketing")
        SURVEY = "survey", _("Satisfaction surveys")
        PROFILING = "profiling", _("Value scoring")

    NOUN = "consent"
    IN_ORDER = (("given_at", "withdrawn_at"),)

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="consents")
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    given_at = models.DateTimeField(_("given"), default=timezone.now)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)
    source = models.CharField(_("where it was given"), max_length=120, blank=True, default="", db_default="")

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "channel", "purpose"],
                condition=Q(withdrawn_at=None),
                name="consent_runs_once",
                violation_error_message=_("This consent is already given."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose}"

    def clean(self) -> None:
        """One consent of a kind at a time: an earlier one has ended when the next is given. (Two that run, the database refuses.)"""
        super().clean()
        same = Consent.objects.filter(contact=self.contact_id, channel=self.channel, purpose=self.purpose).exclude(pk=self.pk)
        ends_later = Q(withdrawn_at__gt=self.given_at)
        if self.withdrawn_at is not None:
            ends_later = (ends_later | Q(withdrawn_at=None)) & Q(given_at__lt=self.withdrawn_at)
        if same.filter(ends_later).exists():
            raise ValidationError({"given_at": _("Another consent of this kind runs in the same time.")})


class Suppression(models.Model):
    """The keyed digest of an erased person's mail, phone or WeChat id, so that a later import does not bring the person back."""

    digest = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.digest[:8]

    @staticmethod
    def digest_of(normalised: str, *, secret: str | None = None) -> str:
        """Keyed, since a plain digest of a phone number is found again by trying all phone numbers."""
        return salted_hmac("pareto.suppression", normalised, secret=secret, algorithm="sha256").hexdigest()

    @staticmethod
    def source_key(system_code: str, key: str) -> str:
        """A source's key for a person, as a value to suppress: the source may go on naming the erased one."""
        return f"key:{system_code}:{key}"

    @classmethod
    def add(cls, normalised_values: Iterable[str]) -> None:
        """Keep these addresses (as ContactMethod.normalised writes them) from coming back."""
        digests = [Suppression(digest=cls.digest_of(value)) for value in {*normalised_values} - {""}]
        Suppression.objects.bulk_create(digests, ignore_conflicts=True)

    @classmethod
    def suppressed(cls, normalised_values: Iterable[str]) -> set[str]:
        """Which of these addresses belong to an erased person. One query, however many; former secret keys still count."""
        secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        value_of = {cls.digest_of(value, secret=secret): value for value in normalised_values for secret in secrets}
        return {value_of[digest] for digest in cls.objects.filter(digest__in=value_of).values_list("digest", flat=True)}
