from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.facts import FactQuerySet
from segmentation.models.monthly_value import Money
from segmentation.models.rule_version import RuleVersion
from segmentation.models.run import ValueRun
from segmentation.models.tier import Tier
from users.records import Record

if TYPE_CHECKING:
    from datetime import date

    from users.models import User


class TierDecisionQuerySet(FactQuerySet["TierDecision"]):
    def moves(self) -> Self:
        return self.filter(kind__in=[TierDecision.Kind.MOVES, TierDecision.Kind.APPROVED, TierDecision.Kind.OVERRIDDEN])

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class TierDecision(models.Model):
    """The ledger: one immutable row per decision on a customer's tier, with all that it was made from. Never changed.

    A run writes a row where its outcome differs from what stands: a first tier, a move, a proposal that waits, a proposal
    dropped. That a run left a customer where it was needs no row; the run's snapshot tells it.
    """

    class Kind(models.TextChoices):
        FIRST = "first", _("first tier")
        MOVES = "moves", _("moves")
        WAITS = "waits", _("proposed, waits for a second run")
        HELD_FOR_APPROVAL = "approval", _("proposed, waits for approval")
        HELD_LOW_TRUST = "trust", _("proposed, waits for better data")
        STAYS = "stays", _("proposal dropped, stays")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused, stays")
        OVERRIDDEN = "overridden", _("set by a person")
        OVERRIDE_ENDED = "ended", _("back to the rules")

    NOUN = "tier_decision"

    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="tier_decisions", verbose_name=_("customer"))
    run = models.ForeignKey(ValueRun, models.PROTECT, null=True, db_index=False, related_name="decisions", verbose_name=_("run"))
    rules = models.ForeignKey(RuleVersion, models.PROTECT, db_index=False, related_name="+", verbose_name=_("rules"))
    at = models.DateTimeField(_("when"), db_default=Now())
    as_of = models.DateField(_("as of"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("who"))
    kind = models.CharField(_("decision"), max_length=10, choices=Kind)
    from_tier = models.PositiveSmallIntegerField(_("from"), choices=Tier, null=True)
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier)
    proposed_tier = models.PositiveSmallIntegerField(_("proposed tier"), choices=Tier, null=True)
    value = Money(_("value"))
    distance_up = Money(null=True, default=None, db_default=None)
    distance_down = Money(null=True, default=None, db_default=None)
    inputs = models.JSONField(default=dict)  # clv and its parts, margin and revenue of 12 months, trust, boundaries
    drivers = models.JSONField(default=list)
    reason = models.CharField(_("reason"), max_length=300, blank=True, default="", db_default="")

    objects = TierDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier decision")
        verbose_name_plural = _("tier decisions")
        indexes = [
            models.Index(fields=["customer", "-id"], name="tier_decision_of_customer"),
            models.Index(fields=["-as_of", "-id"], name="tier_move", condition=Q(kind__in=["moves", "approved", "overridden", "ended"])),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.get_kind_display()} {self.get_tier_display()}"


class TierOverrideQuerySet(FactQuerySet["TierOverride"]):
    def standing(self, on: date) -> Self:
        return self.filter(ended_at=None, ends_on__gte=on)


class TierOverride(Record):
    """A person's decision that a customer is in another tier than the rules say: with a reason, an owner and an end."""

    NOUN = "tier_override"

    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="tier_overrides", verbose_name=_("customer"))
    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier)
    reason = models.CharField(_("reason"), max_length=300)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("answers for it"))
    ends_on = models.DateField(_("ends on"))
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = TierOverrideQuerySet.as_manager()

    class Meta:
        verbose_name = _("tier override")
        verbose_name_plural = _("tier overrides")
        constraints = [
            models.UniqueConstraint(fields=["customer"], condition=Q(ended_at=None), name="one_override_at_a_time"),
            models.CheckConstraint(condition=Q(tier__range=(1, 4)), name="override_tier_1_to_4"),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} – {self.ends_on}"

    @transaction.atomic
    def end(self, *, by: User | None) -> None:
        """End it before its day; the next run puts the customer where the rules say."""
        if self.ended_at is None:
            self.change(by=by, ended_at=timezone.now())

    def clean(self) -> None:
        if not self.reason.strip():
            raise ValidationError({"reason": _("Say why.")})
        if self._state.adding and self.ends_on <= timezone.localdate():
            raise ValidationError({"ends_on": _("The end lies in the future.")})
