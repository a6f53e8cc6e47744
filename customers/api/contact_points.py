"""Contact points: every contact with a customer, in one history that is added to and never rewritten."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.bulk import BulkFacts
from customers.api.fields import SOURCE_FILTERS
from customers.models import Asset, ContactPoint, Contract, Invoice, Opportunity, Order
from customers.models.contact_point import is_standing
from users.access import Permission
from users.api import filters as by
from users.api.idempotency import idempotent
from users.api.problems import Conflict
from users.api.serializers import RecordSerializer
from users.api.views import AddView
from users.keyset import Sort

RELATED = {model.NOUN: model for model in (Order, Contract, Asset, Invoice, Opportunity)}
BEGINNING = (
    "id", "customer", "at", "kind", "channel", "direction", "stage", "contact", "staff", "subject", "outcome", "minutes", "cost", "signal",
    "related_noun", "related_id", "corrects", "created_at", "created_by", "source", "source_key",
)  # fmt: skip
READ_ONLY = ("id", "corrects", "created_at", "created_by", "source", "source_key")


class ContactPointSummary(RecordSerializer):
    """A contact point in a list, without its text."""

    class Meta:
        model = ContactPoint
        fields: tuple[str, ...] = BEGINNING
        read_only_fields = READ_ONLY
        extra_kwargs = {"at": {"required": False}}


class ContactPointSerializer(ContactPointSummary):
    class Meta(ContactPointSummary.Meta):
        fields: tuple[str, ...] = (*BEGINNING, "body")

    def validate(self, attrs: Any) -> Any:
        noun, pk = attrs.get("related_noun", ""), attrs.get("related_id")
        if noun == "" and pk is None:
            return attrs
        if noun not in RELATED:
            names = ", ".join(RELATED)
            raise ValidationError({"related_noun": [ErrorDetail(_("One of: %(names)s.") % {"names": names}, "invalid_choice")]})
        seen = RELATED[noun].objects.visible_to(self.context["request"].user)
        if pk is None or not seen.filter(pk=pk).exists():
            raise ValidationError({"related_id": [ErrorDetail(_("There is no such record."), "does_not_exist")]})
        return attrs


class ContactPointView(BulkFacts, AddView):
    """Every contact with a customer. What was written stays: a correction is a new row that names the old one."""

    model, area = ContactPoint, "contact_points"
    serializer_class, list_serializer_class = ContactPointSerializer, ContactPointSummary
    permissions = {"read": Permission.CUSTOMER_VIEW, "add": Permission.CONTACT_POINT_ADD}
    sorts = (Sort("at", "at", descending=True),)
    filters = {
        "customer": by.identity("customer"),
        "contact": by.identity("contact"),
        "staff": by.identity("staff"),
        "kind": by.choice("kind", ContactPoint.Kind),
        "channel": by.choice("channel", ContactPoint.Channel),
        "direction": by.choice("direction", ContactPoint.Direction),
        "stage": by.choice("stage", ContactPoint.Stage),
        "signal": by.choice("signal", ContactPoint.Signal),
        "since": by.moment("at__gte"),
        "before": by.moment("at__lt"),
        "is_standing": by.flag(is_standing),
        **SOURCE_FILTERS,
    }

    def add(self, values: dict[str, Any]) -> ContactPoint:
        return ContactPoint.log(by=self.user, **values)

    @extend_schema(responses={201: ContactPointSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def corrections(self, request: Request, pk: int) -> Response:
        """Write the contact down again as it really was; only what is given differs."""
        old = self.get_object()
        values = self.checked(old, partial=True)
        if values.pop("customer", old.customer) != old.customer:
            raise ValidationError({"customer": [ErrorDetail(_("A correction stays with its customer."), "read_only")]})
        if ContactPoint.objects.filter(corrects=old).exists():
            raise Conflict(_("This contact point is corrected already; correct the newer one."))
        return self.shown(old.correct(by=self.user, **values), status=201)

    def change(self, row: ContactPoint, values: dict[str, Any], version: int | None) -> bool:
        """In bulk: what a source says anew about a contact is a correction of what it said."""
        latest = row
        while (newer := ContactPoint.objects.filter(corrects=latest).first()) is not None:
            latest = newer
        values.pop("customer", None)
        if all(getattr(latest, name) == value for name, value in values.items()):
            return False
        latest.correct(by=self.user, **values)
        return True
