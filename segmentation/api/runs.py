"""Valuations of the company: how each one went, how well it forecast the past, and starting one."""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from customers.models import Job
from segmentation import actions
from segmentation.models import BackTest, ValueRun
from users.access import Permission
from users.api import filters as by
from users.api.idempotency import idempotent
from users.api.problems import Conflict
from users.api.serializers import RecordSerializer, StrictSerializer
from users.api.views import NounView


class ValueRunSummary(RecordSerializer):
    """A run in a list, without its models and curves."""

    class Meta:
        model = ValueRun
        fields: tuple[str, ...] = (
            "id", "as_of", "kind", "state", "stage", "rules", "job", "requested_by", "started_at", "published_at", "customers", "equity",
            "is_indicative",
        )  # fmt: skip
        read_only_fields = fields


class ValueRunSerializer(ValueRunSummary):
    class Meta(ValueRunSummary.Meta):
        fields = (
            *ValueRunSummary.Meta.fields, "error", "equity_interval", "future_equity", "tiers", "boundaries", "concentration", "fits",
            "warnings", "seconds",
        )  # fmt: skip
        read_only_fields = fields


class StartSerializer(StrictSerializer):
    as_of = serializers.DateField(required=False, allow_null=True, default=None, help_text="Only facts up to this day count; else today.")
    kind = serializers.ChoiceField(choices=ValueRun.Kind.choices, required=False, default=ValueRun.Kind.FULL)

    def validate_as_of(self, day: date | None) -> date | None:
        if day is not None and day > timezone.localdate():
            raise ValidationError(ErrorDetail(_("This day lies in the future."), "max_value"))
        return day


class StartedSerializer(serializers.Serializer[Job]):
    job = serializers.IntegerField(help_text="The job that does it: jobs/{id}/, or value-runs/?job= once it has begun.")
    as_of = serializers.DateField(allow_null=True)
    kind = serializers.ChoiceField(choices=ValueRun.Kind.choices)


class ValueRunView(NounView):
    """Valuations of the company, with its customer equity, tiers, models and warnings. One runs at a time, as a job."""

    model, area = ValueRun, "value"
    serializer_class, list_serializer_class = ValueRunSerializer, ValueRunSummary
    permissions = {"read": Permission.VALUE_STEER, "add": Permission.VALUE_RUN}
    filters = {
        "kind": by.choice("kind", ValueRun.Kind),
        "state": by.choice("state", ValueRun.State),
        "job": by.identity("job"),
        "since": by.day("as_of__gte"),
        "until": by.day("as_of__lte"),
    }

    @extend_schema(request=StartSerializer, responses={202: StartedSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Start a valuation. The answer names its job; the run's row appears once a worker has begun."""
        form = StartSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        as_of, kind = form.validated_data["as_of"], ValueRun.Kind(form.validated_data["kind"])
        try:
            job = actions.start_run(by=self.user, as_of=as_of, extent=kind)
        except actions.RunUnderWay as error:
            raise Conflict(_("Another valuation is under way."), code="under_way") from error
        started = {"job": job.pk, "as_of": as_of and as_of.isoformat(), "kind": kind.value}
        return Response(started, status=202, headers={"Location": reverse("api-jobs-detail", args=[job.pk])})


class BackTestSummary(RecordSerializer):
    """A back-test in a list, without the measures of each forecaster."""

    class Meta:
        model = BackTest
        fields: tuple[str, ...] = ("id", "run", "cut_off", "until", "customers", "predicted", "actual", "best", "verdict", "created_at")
        read_only_fields = fields


class BackTestSerializer(BackTestSummary):
    class Meta(BackTestSummary.Meta):
        fields = (*BackTestSummary.Meta.fields, "measures", "calibration")
        read_only_fields = fields


class BackTestView(NounView):
    """Looks back: what the engine would have said at a cut-off, beside what then came and beside naive guesses."""

    model, area = BackTest, "value"
    serializer_class, list_serializer_class = BackTestSerializer, BackTestSummary
    permissions = {"read": Permission.VALUE_STEER}
    filters = {"run": by.identity("run"), "best": by.text("best"), "since": by.day("cut_off__gte"), "until": by.day("cut_off__lte")}
