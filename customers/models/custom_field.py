from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import translation
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from users.access import Permission, allowed
from users.records import Record

if TYPE_CHECKING:
    from users.models import User


class CustomFieldQuerySet(models.QuerySet["CustomField"]):
    def visible_to(self, user: User) -> Self:
        """What there is to fill in is known to everybody in the company."""
        return self if allowed(user, Permission.CUSTOMER_VIEW) else self.none()

    def in_use(self) -> Self:
        return self.filter(archived_at=None).order_by("position", "pk")


class CustomField(Record):
    """A field of the customer that an administrator defined. Values live in `Customer.custom` under `key`."""

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        CHOICE = "choice", _("Choice")

    NOUN = "custom_field"

    key = models.CharField(
        _("key"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_]{0,39}$", _("Lower-case letters, digits and underscores, a letter first."))],
    )
    label = models.CharField(_("label"), max_length=80)
    label_zh = models.CharField(_("label in Chinese"), max_length=80, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TEXT)
    choices = ArrayField(models.CharField(max_length=80), default=list, blank=True, verbose_name=_("choices"))
    help_text = models.CharField(_("help"), max_length=200, blank=True, default="")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = CustomFieldQuerySet.as_manager()

    class Meta:
        ordering = ("position", "pk")
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")

    def __str__(self) -> str:
        return self.label_zh if self.label_zh and (translation.get_language() or "").startswith("zh") else self.label

    def clean(self) -> None:
        super().clean()
        if self.kind == self.Kind.CHOICE and not self.choices:
            raise ValidationError({"choices": _("A choice needs at least one value to choose.")})

    def checked(self, value: Any) -> Any:
        """The value as stored (text, number or ISO date), or ValidationError; None and '' mean no value."""
        if value is None or value == "":
            return None
        return getattr(self, f"_checked_{self.kind}")(value)

    def _checked_text(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > 500 or "\x00" in value:
            raise ValidationError(_("Text of at most 500 characters."))
        return value

    def _checked_number(self, value: Any) -> float | int:
        try:
            number = float(value) if not isinstance(value, bool) else float("nan")
        except (TypeError, ValueError):
            number = float("nan")
        if not abs(number) < 1e15:  # NaN and infinities fail this too
            raise ValidationError(_("A number below 10¹⁵."))
        return int(number) if number.is_integer() else number

    def _checked_date(self, value: Any) -> str:
        try:
            day = parse_date(str(value))
        except ValueError:
            day = None
        if day is None:
            raise ValidationError(_("A date such as 2026-03-31."))
        return day.isoformat()

    def _checked_choice(self, value: Any) -> str:
        if value not in self.choices:
            raise ValidationError(_("One of: %(choices)s."), params={"choices": ", ".join(self.choices)})
        return str(value)
