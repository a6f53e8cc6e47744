"""What the value engine adds to the list of customers: columns, orders, filters and columns of the file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import F
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, NumberFilter

from customers.exports import ExportColumn
from customers.models import Customer
from customers.models.customer import CustomerQuerySet
from customers.views.customer_columns import Column
from customers.views.customer_list import Addition, add_to_list
from segmentation.models import Score, Tier
from users import marks
from users.keyset import Sort

YES = [("yes", _("Yes"))]
RISKS = [("0.25", "≥ 25 %"), ("0.5", "≥ 50 %"), ("0.75", "≥ 75 %")]
SCORE = ("score",)


def of_score(show: Callable[[Score], Any]) -> Callable[[Customer], Any]:
    """What a customer's score shows; nothing for a customer that no run has valued."""

    def shown(customer: Customer) -> Any:
        score = getattr(customer, "score", None)  # raises what getattr forgives where there is none
        return "" if score is None else show(score)

    return shown


def _tier(score: Score) -> Any:
    if score.proposed_tier is None:
        return marks.tier(score.tier)
    arrow = "↑" if score.proposed_tier < score.tier else "↓"
    return format_html(
        '<span class="nowrap">{} <span title="{}">{}</span></span>', marks.tier(score.tier), Score.Proposal(score.proposal).label, arrow
    )


def trend_mark(change: float | None) -> str:
    """↑ 20%: margin of the last six months against the six before."""
    if change is None:
        return marks.NOTHING
    arrow = "→" if abs(change) < 0.005 else "↑" if change > 0 else "↓"
    return f"{arrow} {marks.percent(abs(change))}"


COLUMNS = {
    "tier": Column(_("Tier"), of_score(_tier), ("score__tier", "score__proposed_tier", "score__proposal"), SCORE),
    "clv": Column(
        _("Lifetime value"),
        of_score(lambda score: marks.money(score.clv, compact=True)),
        ("score__clv",),
        SCORE,
        kind="num",
        sort="clv",
    ),
    "trend": Column(_("Trend"), of_score(lambda score: trend_mark(score.trend)), ("score__trend",), SCORE, kind="num"),
    "churn_risk": Column(
        _("Churn risk"),
        of_score(lambda score: marks.percent(score.churn_risk)),
        ("score__churn_risk",),
        SCORE,
        kind="num",
        sort="churn_risk",
    ),
    "margin_12m": Column(
        _("Margin, 12 months"),
        of_score(lambda score: marks.money(score.margin_12m, compact=True)),
        ("score__margin_12m",),
        SCORE,
        kind="num",
    ),
}


def with_clv(customers: CustomerQuerySet) -> CustomerQuerySet:
    """Only those that have been valued, so that the walk goes down the index over the scores (score_by_clv)."""
    return customers.filter(score__isnull=False).annotate(clv_rank=F("score__clv"))


def with_churn_risk(customers: CustomerQuerySet) -> CustomerQuerySet:
    return customers.filter(score__churn_risk__isnull=False).annotate(churn_rank=F("score__churn_risk"))


class TierFilter(ChoiceFilter):
    """Customers of a value tier, by the tier's name."""

    def filter(self, customers: CustomerQuerySet, value: Any) -> CustomerQuerySet:
        return customers.filter(score__tier=Tier[value.upper()]) if value else customers


class CoreFilter(ChoiceFilter):
    def filter(self, customers: CustomerQuerySet, value: Any) -> CustomerQuerySet:
        return customers.filter(score__is_core=True) if value else customers


class AboutToMoveFilter(ChoiceFilter):
    def filter(self, customers: CustomerQuerySet, value: Any) -> CustomerQuerySet:
        return customers.filter(pk__in=Score.objects.about_to_move().values("pk")) if value else customers


TIERS = [(tier.slug, tier.label) for tier in Tier]
ADDITION = Addition(
    columns=COLUMNS,
    usual=("tier", "clv", "churn_risk", "status", "industry", "owner", "revenue"),
    sorts=(
        Sort("clv", "clv_rank"),
        Sort("-clv", "clv_rank", descending=True),
        Sort("churn_risk", "churn_rank"),
        Sort("-churn_risk", "churn_rank", descending=True),
    ),
    prepared={"clv_rank": with_clv, "churn_rank": with_churn_risk},
    filters={
        "tier": TierFilter(choices=TIERS, label=_("Tier")),
        "core": CoreFilter(choices=YES, label=_("Core customers")),
        "churn_risk": NumberFilter(field_name="score__churn_risk", lookup_expr="gte", min_value=0, max_value=1, label=_("Churn risk")),
        "about_to_move": AboutToMoveFilter(choices=YES, label=_("About to move")),
    },
    first_choices={"tier": (_("Tier"), TIERS)},
    choices={
        "core": (_("Core customers"), [("yes", _("Core only"))]),
        "churn_risk": (_("Churn risk"), RISKS),
        "about_to_move": (_("About to move"), [("yes", _("About to move"))]),
    },
    exported=(
        ExportColumn(_("Tier"), of_score(lambda score: score.tier), ("score__tier",), SCORE, labels=tuple(Tier.choices)),
        ExportColumn(_("Lifetime value"), of_score(lambda score: score.clv), ("score__clv",), SCORE),
        ExportColumn(_("Margin, 12 months"), of_score(lambda score: score.margin_12m), ("score__margin_12m",), SCORE),
        ExportColumn(_("Trend"), of_score(lambda score: score.trend), ("score__trend",), SCORE),
        ExportColumn(_("Churn risk"), of_score(lambda score: score.churn_risk), ("score__churn_risk",), SCORE),
    ),
)


def register() -> None:
    add_to_list(ADDITION)
