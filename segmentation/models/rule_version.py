from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.access import Permission, allowed
from users.records import Record

if TYPE_CHECKING:
    from users.models import User

SHARE = [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))]
# What a minute of ours costs by the channel of a contact point, in the base currency: cheap channels serve small needs.
USUAL_MINUTE_RATES = {
    "phone": "0.90",
    "in_person": "1.60",
    "mail": "0.70",
    "web": "0.20",
    "portal": "0.10",
    "wechat": "0.60",
    "system": "0.00",
}


def usual_minute_rates() -> dict[str, str]:
    return dict(USUAL_MINUTE_RATES)


def validate_minute_rates(rates: Any) -> None:
    """Every channel has a rate that is a number, not below zero."""
    if not isinstance(rates, dict) or set(rates) != set(USUAL_MINUTE_RATES):
        raise ValidationError(_("Give a rate for each channel: %(names)s."), params={"names": ", ".join(USUAL_MINUTE_RATES)})
    for channel, rate in rates.items():
        try:
            is_rate = 0 <= Decimal(str(rate)) <= 10_000
        except ArithmeticError:
            is_rate = False
        if not is_rate:
            raise ValidationError(_("The rate of “%(channel)s” is not a number from 0 to 10,000."), params={"channel": channel})


class RuleVersionQuerySet(models.QuerySet["RuleVersion"]):
    def visible_to(self, user: User) -> Self:
        """The rules are no secret: whoever sees customers may read why a tier is what it is."""
        return self if allowed(user, Permission.CUSTOMER_VIEW) else self.none()

    def published(self) -> Self:
        return self.filter(published_at__isnull=False)

    def drafts(self) -> Self:
        return self.filter(published_at=None)


class RuleVersion(Record):
    """One version of the rules by which customers are valued and ranked (DOMAIN §4). Published ones never change.

    A draft is edited, previewed and published; the published one with the highest number is in force.
    """

    class RankBy(models.TextChoices):
        CLV = "clv", _("Customer lifetime value")
        MARGIN = "margin", _("Contribution margin of the last 12 months")

    NOUN = "rule_version"

    number = models.PositiveIntegerField(_("version"), unique=True, editable=False)
    note = models.CharField(_("what changes and why"), max_length=200, blank=True, default="", db_default="")
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+")

    rank_by = models.CharField(_("rank customers by"), max_length=8, choices=RankBy, default=RankBy.CLV)
    horizon_months = models.PositiveSmallIntegerField(
        _("horizon, months"), default=36, validators=[MinValueValidator(1), MaxValueValidator(240)]
    )
    discount_rate = models.DecimalField(
        _("discount rate a year"), max_digits=6, decimal_places=4, default=Decimal("0.10"), validators=SHARE
    )
    core_share = models.DecimalField(_("core: share of value"), max_digits=5, decimal_places=4, default=Decimal("0.80"), validators=SHARE)
    platinum_share = models.DecimalField(
        _("Platinum: share of value"), max_digits=5, decimal_places=4, default=Decimal("0.50"), validators=SHARE
    )
    platinum_cap = models.DecimalField(
        _("Platinum: at most this share of customers"), max_digits=5, decimal_places=4, default=Decimal("0.05"), validators=SHARE
    )
    serving_floor = models.DecimalField(
        _("serving cost floor"), max_digits=18, decimal_places=2, default=Decimal(0), validators=[MinValueValidator(Decimal(0))],
        help_text=_("Customers worth less than this are Lead."),
    )  # fmt: skip
    runs_to_move = models.PositiveSmallIntegerField(
        _("runs that must agree before a move"), default=2, validators=[MinValueValidator(1), MaxValueValidator(2)]
    )
    move_margin = models.DecimalField(
        _("or this far beyond the boundary"), max_digits=5, decimal_places=4, default=Decimal("0.10"), validators=SHARE
    )
    approve_platinum_downgrades = models.BooleanField(_("a person approves downgrades out of Platinum"), default=True)
    least_trust = models.DecimalField(
        _("no downgrade below this trust in the data"), max_digits=5, decimal_places=4, default=Decimal("0.30"), validators=SHARE
    )
    minute_rates = models.JSONField(_("cost of a minute by channel"), default=usual_minute_rates, validators=[validate_minute_rates])
    capital_rate = models.DecimalField(
        _("cost of overdue money a year"), max_digits=6, decimal_places=4, default=Decimal("0.08"), validators=SHARE
    )
    retention_cost = models.DecimalField(
        _("cost of keeping a customer a year"), max_digits=18, decimal_places=2, default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Beside what serving the customer costs: care, visits, programmes."),
    )  # fmt: skip
    referral_share = models.DecimalField(
        _("share of a referred customer’s value"), max_digits=5, decimal_places=4, default=Decimal("0.10"), validators=SHARE,
        help_text=_("Counted for the customer who referred it."),
    )  # fmt: skip

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        verbose_name = _("rule version")
        verbose_name_plural = _("rule versions")
        constraints = [
            models.CheckConstraint(
                condition=Q(platinum_share__lte=F("core_share")),
                name="platinum_within_core",
                violation_error_message=_("Platinum is the top of the core: its share cannot be above the core's."),
            ),
            models.UniqueConstraint(models.Value(1), condition=Q(published_at=None), name="one_draft_of_rules"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"

    @classmethod
    def in_force(cls) -> RuleVersion:
        """The newest published version; the first use of a company publishes the defaults."""
        found = cls.objects.published().order_by("-number").first()
        return found or cls.objects.get_or_create(number=1, defaults={"published_at": timezone.now()})[0]

    @classmethod
    @transaction.atomic
    def draft(cls, *, by: User | None) -> RuleVersion:
        """The draft under way, or a new one that begins as a copy of the version in force."""
        if found := cls.objects.drafts().select_for_update().first():
            return found
        base = cls.in_force()
        return cls.add(by=by, number=base.number + 1, **{name: getattr(base, name) for name in RULE_FIELDS})

    @transaction.atomic
    def publish(self, *, by: User, expected_version: int | None = None) -> None:
        """Put the draft in force. Tiers follow at the next run, which the caller starts."""
        if self.published_at is not None:
            raise ValidationError(_("This version is published already."))
        self.change(by=by, expected_version=expected_version, published_at=timezone.now(), published_by=by)

    def clean(self) -> None:
        if self.core_share is not None and self.platinum_share is not None and self.platinum_share > self.core_share:
            raise ValidationError({"platinum_share": _("Platinum is the top of the core: its share cannot be above the core's.")})


RULE_FIELDS = (
    "rank_by", "horizon_months", "discount_rate", "core_share", "platinum_share", "platinum_cap", "serving_floor", "runs_to_move",
    "move_margin", "approve_platinum_downgrades", "least_trust", "minute_rates", "capital_rate", "retention_cost", "referral_share",
)  # fmt: skip
