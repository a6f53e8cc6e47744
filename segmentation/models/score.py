from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.facts import FactQuerySet
from segmentation.models.monthly_value import Money
from segmentation.models.run import ValueRun
from segmentation.models.tier import Tier


class RelationshipType(models.TextChoices):
    """Relationship type (客户关系类型): a promise of rhythm, by number of such customers × margin (DOMAIN §4)."""

    BASIC = "basic", _("Basic")
    REACTIVE = "reactive", _("Reactive")
    ACCOUNTABLE = "accountable", _("Accountable")
    PROACTIVE = "proactive", _("Proactive")
    PARTNERSHIP = "partnership", _("Partnership")


class ScoreQuerySet(FactQuerySet["Score"]):
    def core(self) -> Self:
        return self.filter(is_core=True)

    def about_to_move(self) -> Self:
        """Tier watch: those with a proposal on record, and those likely to leave their tier."""
        return self.filter(Q(proposed_tier__isnull=False) | Q(move_probability__gte=0.3))


class Score(models.Model):
    """What a customer is worth and which tier it is in, as of the last run: one row per customer, replaced whole.

    Written only by `segmentation.engine`. The past is in the ledger (`TierDecision`) and in the runs' snapshots. Money is in
    the base currency; estimates are expectations, with their intervals beside them.
    """

    class Proposal(models.TextChoices):
        CONFIRM = "confirm", _("waits for a second run")
        APPROVAL = "approval", _("waits for approval")
        TRUST = "trust", _("waits for better data")

    NOUN = "score"

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, related_name="score", verbose_name=_("customer"))
    run = models.ForeignKey(ValueRun, models.PROTECT, db_index=False, related_name="scores", verbose_name=_("run"))
    as_of = models.DateField(_("as of"))

    tier = models.PositiveSmallIntegerField(_("tier"), choices=Tier)
    tier_since = models.DateField(_("in this tier since"))
    is_core = models.BooleanField(_("core customer"), default=False)
    is_overridden = models.BooleanField(_("set by a person"), default=False)
    proposed_tier = models.PositiveSmallIntegerField(_("proposed tier"), choices=Tier, null=True)
    proposed_since = models.DateField(null=True)
    proposal = models.CharField(max_length=8, choices=Proposal, blank=True, default="", db_default="")
    distance_up = Money(_("missing to the next tier"), null=True, default=None, db_default=None)  # of value; null in Platinum
    distance_down = Money(_("above the own tier’s boundary"), null=True, default=None, db_default=None)  # null in Lead
    move_probability = models.FloatField(_("probability of another tier a year from now"), null=True)

    value = Money(_("value"))  # what customers are ranked by: CLV or margin, as the rules say
    revenue_12m = Money(_("revenue, 12 months"))
    margin_12m = Money(_("contribution margin, 12 months"))
    clv = Money(_("customer lifetime value"))
    clv_orders = Money(_("from orders"))
    clv_contracts = Money(_("from contracts"))
    clv_referrals = Money(_("from referrals"))
    clv_retention_cost = Money(_("cost of keeping"))  # subtracted: clv = orders + contracts + referrals − this
    growth_potential = Money(_("cross-sell potential"))  # shown apart, no part of the CLV
    clv_low_80 = Money()
    clv_high_80 = Money()
    clv_low_95 = Money()
    clv_high_95 = Money()

    orders = models.PositiveIntegerField(_("order days"), default=0)
    first_order_on = models.DateField(_("first order"), null=True)
    last_order_on = models.DateField(_("last order"), null=True)
    expected_orders_12m = models.FloatField(_("expected orders, 12 months"), default=0)
    p_alive = models.FloatField(_("probability that orders go on"), null=True)
    churn_risk = models.FloatField(_("churn risk"), null=True)  # no order and no renewal within 12 months
    next_order_days = models.PositiveIntegerField(_("days to the next order"), null=True)  # median
    renewal_probability = models.FloatField(_("renewal probability"), null=True)  # of the contract that ends first
    next_renewal_on = models.DateField(_("next renewal"), null=True)
    recency_score = models.PositiveSmallIntegerField(_("R"), default=0)  # 1 to 5; 0 without an order
    frequency_score = models.PositiveSmallIntegerField(_("F"), default=0)
    monetary_score = models.PositiveSmallIntegerField(_("M"), default=0)
    abc = models.CharField(_("ABC class"), max_length=1, default="C")
    trend = models.FloatField(_("trend"), null=True)  # margin of the last 6 months against the 6 before: 0.2 is a fifth more
    trust = models.FloatField(_("trust in the data"), default=0)  # 0 to 1
    relationship_type = models.CharField(_("recommended relationship"), max_length=12, choices=RelationshipType, blank=True, default="")
    is_indicative = models.BooleanField(_("indicative"), default=False)
    overdue_12m = Money(_("cost of overdue money, 12 months"))
    serving_12m = Money(_("cost to serve, 12 months"))
    drivers = models.JSONField(_("drivers"), default=list)  # [{"code": "orders", "amount": 1200.0, …}], weightiest first

    objects = ScoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("score")
        verbose_name_plural = _("scores")
        indexes = [
            models.Index(fields=["-clv", "-customer"], name="score_by_clv"),
            models.Index(fields=["tier", "-clv", "-customer"], name="score_of_tier"),
            models.Index(fields=["-churn_risk", "-customer"], name="score_by_churn_risk", condition=Q(churn_risk__isnull=False)),
            models.Index(fields=["proposal", "customer"], name="score_proposed", condition=~Q(proposal="")),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(tier__range=(1, 4)), name="score_tier_1_to_4"),
            models.CheckConstraint(
                condition=Q(proposed_tier=None, proposal="") | Q(proposed_tier__isnull=False) & ~Q(proposal=""), name="proposal_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tier_display()} {self.clv}"


class ContractOutlook(models.Model):
    """What is expected of one running contract, as of the last run."""

    contract = models.OneToOneField("customers.Contract", models.CASCADE, primary_key=True, related_name="outlook")
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="contract_outlooks")
    run = models.ForeignKey(ValueRun, models.PROTECT, db_index=False, related_name="+")
    renewals = models.PositiveSmallIntegerField(_("renewals so far"), default=0)
    next_renewal_on = models.DateField(_("next renewal"), null=True)
    renewal_probability = models.FloatField(_("renewal probability"))
    expected_value = Money(_("expected margin"))
    drivers = models.JSONField(_("drivers"), default=list)

    objects = FactQuerySet["ContractOutlook"].as_manager()

    class Meta:
        verbose_name = _("contract outlook")
        verbose_name_plural = _("contract outlooks")

    def __str__(self) -> str:
        return f"{self.contract_id}: {self.renewal_probability:.0%}"
