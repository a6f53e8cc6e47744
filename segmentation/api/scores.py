"""What each customer is worth now: the score of the last run, the outlook of its contracts, and its months."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from segmentation.models import ContractOutlook, MonthlyValue, Score, Tier
from users.api import filters as by
from users.api.serializers import RecordSerializer
from users.api.views import ListView, NounView
from users.keyset import Sort

OF_CUSTOMER = {
    "customer": by.identity("customer"),
    "owner": by.identity("customer__owner"),
    "team": by.identity("customer__team"),
}


class ScoreSummary(RecordSerializer):
    """A score in a list, without its parts and reasons."""

    class Meta:
        model = Score
        fields: tuple[str, ...] = (
            "customer", "as_of", "run", "tier", "tier_since", "is_core", "is_overridden", "proposed_tier", "proposal", "value", "clv",
            "clv_low_80", "clv_high_80", "margin_12m", "revenue_12m", "churn_risk", "next_order_days", "next_renewal_on", "abc", "trend",
            "trust", "relationship_type", "is_indicative",
        )  # fmt: skip
        read_only_fields = fields


class ScoreSerializer(ScoreSummary):
    class Meta(ScoreSummary.Meta):
        fields = (
            *ScoreSummary.Meta.fields, "proposed_since", "distance_up", "distance_down", "move_probability", "clv_orders", "clv_contracts",
            "clv_referrals", "clv_retention_cost", "growth_potential", "clv_low_95", "clv_high_95", "serving_12m", "overdue_12m", "orders",
            "first_order_on", "last_order_on", "expected_orders_12m", "p_alive", "renewal_probability", "recency_score", "frequency_score",
            "monetary_score", "drivers",
        )  # fmt: skip
        read_only_fields = fields


class ScoreView(NounView):
    """What customers are worth and which tier they are in, as of the last run: 1 Platinum, 2 Gold, 3 Iron, 4 Lead.

    The id of a score is its customer's. Ordered by churn risk, the list holds only customers whose risk is known.
    """

    model, area = Score, "value"
    serializer_class, list_serializer_class = ScoreSerializer, ScoreSummary
    sorts = (Sort("clv", "clv", descending=True), Sort("churn_risk", "churn_risk", descending=True))
    filters = {
        **OF_CUSTOMER,
        "tier": by.choice("tier", Tier),
        "is_core": by.flag("is_core"),
        "proposal": by.choice("proposal", Score.Proposal),
        "churn_risk_min": by.amount("churn_risk__gte"),
        "clv_min": by.amount("clv__gte"),
        "clv_max": by.amount("clv__lte"),
    }

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = super().filter_queryset(queryset)
        by_risk = self.request.query_params.get("ordering", "").removeprefix("-") == "churn_risk"
        return found.filter(churn_risk__isnull=False) if by_risk else found  # a page by key needs a place for each row


class ContractOutlookSerializer(RecordSerializer):
    class Meta:
        model = ContractOutlook
        fields = ("contract", "customer", "run", "renewals", "next_renewal_on", "renewal_probability", "expected_value", "drivers")
        read_only_fields = fields


class ContractOutlookView(NounView):
    """What is expected of each running contract, as of the last run. The id of an outlook is its contract's."""

    model, area, serializer_class = ContractOutlook, "value", ContractOutlookSerializer
    filters = {
        **OF_CUSTOMER,
        "renewal_before": by.day("next_renewal_on__lt"),
        "renewal_probability_max": by.amount("renewal_probability__lte"),
    }


class MonthlyValueSerializer(RecordSerializer):
    class Meta:
        model = MonthlyValue
        fields = (
            "customer", "month", "order_revenue", "order_cost", "contract_revenue", "contract_cost", "contact_cost", "service_cost",
            "overdue_cost", "revenue", "margin",
        )  # fmt: skip
        read_only_fields = fields


class MonthlyValueView(ListView):
    """What each customer brought and cost in each month, in the base currency. A month is named by its first day.

    Customer by customer, each from its first month on. A month in which nothing happened has no row.
    """

    model, area, serializer_class = MonthlyValue, "value", MonthlyValueSerializer
    sorts = (Sort("customer", "customer_id", tie="month"),)  # as the primary key has them
    filters = {**OF_CUSTOMER, "since": by.day("month__gte"), "until": by.day("month__lte")}
