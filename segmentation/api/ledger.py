"""Why each customer is in its tier: the ledger of decisions, what people decided against the rules, and the rules."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation import actions
from segmentation.api.scores import OF_CUSTOMER
from segmentation.models import RuleVersion, Tier, TierDecision, TierOverride
from segmentation.models.rule_version import RULE_FIELDS
from users.access import Permission
from users.api import filters as by
from users.api.concurrency import expected_version
from users.api.problems import Conflict
from users.api.serializers import RecordSerializer
from users.api.views import AddView, NounView
from users.keyset import Sort


class TierDecisionSummary(RecordSerializer):
    """A decision in a list, without what it was made from."""

    class Meta:
        model = TierDecision
        fields: tuple[str, ...] = (
            "id", "customer", "run", "rules", "at", "as_of", "by", "kind", "from_tier", "tier", "proposed_tier", "value", "distance_up",
            "distance_down", "reason",
        )  # fmt: skip
        read_only_fields = fields


class TierDecisionSerializer(TierDecisionSummary):
    class Meta(TierDecisionSummary.Meta):
        fields = (*TierDecisionSummary.Meta.fields, "inputs", "drivers")
        read_only_fields = fields


class TierDecisionView(NounView):
    """The ledger: every decision on a customer's tier with all that it was made from. Only ever added to."""

    model, area = TierDecision, "value"
    serializer_class, list_serializer_class = TierDecisionSerializer, TierDecisionSummary
    filters = {
        **OF_CUSTOMER,
        "kind": by.choice("kind", TierDecision.Kind),
        "tier": by.choice("tier", Tier),
        "from_tier": by.choice("from_tier", Tier),
        "run": by.identity("run"),
        "since": by.day("as_of__gte"),
        "until": by.day("as_of__lte"),
    }


class TierOverrideSerializer(RecordSerializer):
    class Meta:
        model = TierOverride
        fields = ("id", "version", "customer", "tier", "reason", "owner", "ends_on", "ended_at", "created_at", "updated_at")
        read_only_fields = ("id", "version", "ended_at", "created_at", "updated_at")


def _standing(wanted: bool) -> Q:
    standing = Q(ended_at=None, ends_on__gte=timezone.localdate())
    return standing if wanted else ~standing


class TierOverrideView(AddView):
    """Customers whom a person put into another tier than the rules say: why, who answers for it, and until when.

    A new one ends the one that stands. DELETE ends it before its day; the next run puts the customer where the rules say.
    """

    model, area, serializer_class = TierOverride, "value", TierOverrideSerializer
    permissions = {"read": Permission.CUSTOMER_VIEW, "add": Permission.TIER_OVERRIDE, "remove": Permission.TIER_OVERRIDE}
    filters = {
        "customer": by.identity("customer"),
        "tier": by.choice("tier", Tier),
        "owner": by.identity("owner"),
        "is_standing": by.flag(_standing),
    }

    def add(self, values: dict[str, Any]) -> TierOverride:
        return actions.override_tier(by=self.user, **values)

    def destroy(self, request: Request, pk: int) -> Response:
        override = self.get_object()
        expected_version(request, override.version)
        try:
            actions.end_override(override=override, by=self.user)
        except actions.Superseded as error:
            raise Conflict(_("This override has ended already."), code="ended") from error
        return Response(status=204)


class RuleVersionSummary(RecordSerializer):
    class Meta:
        model = RuleVersion
        fields: tuple[str, ...] = ("id", "version", "number", "note", "published_at", "published_by", "created_at", "updated_at")
        read_only_fields = fields


class RuleVersionSerializer(RuleVersionSummary):
    class Meta(RuleVersionSummary.Meta):
        fields = (*RuleVersionSummary.Meta.fields, *RULE_FIELDS)
        read_only_fields = fields


class RuleVersionView(NounView):
    """The rules by which customers are valued and ranked, every version. A draft is changed and published on its page."""

    model, area = RuleVersion, "value"
    serializer_class, list_serializer_class = RuleVersionSerializer, RuleVersionSummary
    sorts = (Sort("number", "number", descending=True),)
    filters = {"number": by.number("number"), "is_draft": by.flag("published_at__isnull")}
