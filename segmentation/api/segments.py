"""Segments, as the API shows and takes them: their rules, their members, and what a rule would find."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation import segments
from segmentation.models import Membership, Segment, Tier
from segmentation.rules import RuleInvalid, checked, sentence_of
from users.access import Permission
from users.api import filters as by
from users.api.idempotency import idempotent
from users.api.serializers import RecordSerializer, StrictSerializer
from users.api.views import Discardable
from users.keyset import Sort

LAST_TO_ENTER = Sort("id", "id", descending=True)
RULE_EXAMPLE = {"all": [{"field": "score.tier", "is": "at_least", "value": "gold"}]}


@extend_schema_field(
    {"type": "object", "description": "A tree of all, any, not and conditions; see docs/segments.md.", "example": RULE_EXAMPLE}
)
class RuleField(serializers.Field[Any, Any, Any, Any]):
    """A rule; what is wrong with it is told with the path of the node."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return checked(data, by=self.context["request"].user)
        except RuleInvalid as invalid:
            raise ValidationError(
                {one.path or "non_field_errors": [ErrorDetail(one.message, one.code)] for one in invalid.problems}
            ) from invalid

    def to_representation(self, value: Any) -> Any:
        return value


class SegmentSerializer(RecordSerializer):
    rule = RuleField()
    in_words = serializers.CharField(read_only=True, help_text="The rule as a sentence in your language.")
    members = serializers.IntegerField(read_only=True, allow_null=True, help_text="In your reach, as of refreshed_at.")

    class Meta:
        model = Segment
        fields = (
            "id", "version", "name", "description", "rule", "in_words", "owner", "is_shared", "members", "refreshed_at", "created_at",
            "updated_at",
        )  # fmt: skip
        read_only_fields = ("id", "version", "owner", "refreshed_at", "created_at", "updated_at")

    @staticmethod
    def read_members(segment: Any) -> int | None:
        seen: int | None = segment.members_seen
        return seen

    def to_representation(self, instance: Any) -> dict[str, Any]:
        instance.in_words = sentence_of(instance.rule, self.context["request"].user)
        return super().to_representation(instance)


class SegmentSummary(RecordSerializer):
    """A segment in a list; its rule is in the detail."""

    members = serializers.IntegerField(read_only=True, allow_null=True, help_text="In your reach, as of refreshed_at.")
    read_members = staticmethod(SegmentSerializer.read_members)

    class Meta:
        model = Segment
        fields = ("id", "version", "name", "description", "owner", "is_shared", "members", "refreshed_at", "created_at", "updated_at")
        read_only_fields = fields


class MemberSerializer(RecordSerializer):
    number = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    tier = serializers.ChoiceField(choices=[tier.slug for tier in Tier], read_only=True, allow_null=True)
    clv = serializers.DecimalField(max_digits=18, decimal_places=2, read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = ("customer", "number", "name", "tier", "clv", "entered_at")
        read_only_fields = ("customer", "entered_at")

    @staticmethod
    def read_number(member: Membership) -> str:
        return member.customer.number

    @staticmethod
    def read_name(member: Membership) -> str:
        return str(member.customer.name)

    @staticmethod
    def read_tier(member: Membership) -> str | None:
        score = getattr(member.customer, "score", None)
        return Tier(score.tier).slug if score else None

    @staticmethod
    def read_clv(member: Membership) -> Any:
        score = getattr(member.customer, "score", None)
        return score.clv if score else None


class RuleQuestion(StrictSerializer):
    rule = RuleField()


class SampleSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    number = serializers.CharField()
    name = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """Whom a rule finds now in your reach."""

    count = serializers.IntegerField(allow_null=True, help_text=f"At most {segments.MOST_COUNTED}; null where counting took too long.")
    is_more = serializers.BooleanField(help_text="There are more than were counted.")
    is_too_slow = serializers.BooleanField()
    in_words = serializers.CharField()
    sample = SampleSerializer(many=True)


class SegmentView(Discardable):
    """Saved rules with a name. Members are those who fit, as of `refreshed_at`; you get those in your reach."""

    model, area = Segment, "value"
    serializer_class, list_serializer_class = SegmentSerializer, SegmentSummary
    permissions = {
        "read": Permission.CUSTOMER_VIEW,
        "add": Permission.SEGMENT_CHANGE,
        "change": Permission.SEGMENT_CHANGE,
        "remove": Permission.SEGMENT_CHANGE,
    }
    sorts = (Sort("id", "id"), Sort("name", "name"), Sort("updated_at", "updated_at"))
    filters = {"owner": by.identity("owner"), "is_shared": by.flag("is_shared"), "name": by.text("name")}

    def get_queryset(self) -> QuerySet[Any]:
        found = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return found
        return Segment.objects.visible_to(self.user).kept().with_members_seen_by(self.user)

    def discarded(self) -> QuerySet[Any]:
        return Segment.objects.visible_to(self.user).archived()

    def shown(self, row: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        return super().shown(self.get_queryset().get(pk=row.pk), status=status, headers=headers)

    def retrieve(self, request: Request, pk: int) -> Response:
        """In full at every reading: the members change without a new version."""
        return self.shown(self.get_object())

    def add(self, values: dict[str, Any]) -> Segment:
        return segments.add_segment(by=self.user, **_as_data(values))

    def change(self, row: Segment, values: dict[str, Any], version: int | None) -> Any:
        return segments.change_segment(by=self.user, segment=row, expected_version=version, **_as_data(values))

    @extend_schema(responses=MemberSerializer(many=True))
    @action(detail=True, methods=["get"], model=Membership, sorts=(LAST_TO_ENTER,), filters={}, serializer_class=MemberSerializer)
    def members(self, request: Request, pk: int) -> Response:
        """Who is in the segment, of those in your reach; the last to enter first."""
        segment = get_object_or_404(Segment.objects.visible_to(self.user).kept(), pk=pk)
        members = Membership.objects.visible_to(self.user).standing().filter(segment=segment).select_related("customer__score")
        shown = ("customer__number", "customer__name", "customer__score__tier", "customer__score__clv")
        rows = self.paginate_queryset(self.filter_queryset(members.only("customer", "entered_at", *shown)))
        represent = MemberSerializer(context={"request": request}).to_representation
        return self.get_paginated_response([represent(row) for row in rows or ()])

    @extend_schema(request=RuleQuestion, responses=PreviewSerializer)
    @action(detail=False, methods=["post"], model=Membership)
    @idempotent
    def preview(self, request: Request) -> Response:
        """Ask a rule without keeping it."""
        question = RuleQuestion(data=request.data, context=self.get_serializer_context())
        question.is_valid(raise_exception=True)
        rule = question.validated_data["rule"]
        found = segments.preview(rule, self.user)
        return Response(
            {
                "count": found.count,
                "is_more": found.is_more,
                "is_too_slow": found.is_too_slow,
                "in_words": rule.sentence(self.user),
                "sample": [{"id": one.pk, "number": one.number, "name": one.name} for one in found.sample],
            }
        )


def _as_data(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "rule": values["rule"].tree} if "rule" in values else values
