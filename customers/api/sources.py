"""Where values come from: source systems, their records as received, and which customer or contact each key belongs to."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from customers.models import CrossReference, SourceRecord, SourceSystem
from users.access import Permission
from users.api import filters as by
from users.api.serializers import RecordSerializer
from users.api.views import AddView, NounView


class SourceSystemSerializer(RecordSerializer):
    class Meta:
        model = SourceSystem
        fields = ("id", "code", "name", "trust", "hints")
        read_only_fields = ("id", "trust", "hints")


class SourceSystemView(AddView):
    """Systems that data comes from. Bulk calls and imports name one by its `code`."""

    model, area, serializer_class = SourceSystem, "imports", SourceSystemSerializer
    permissions = {"read": Permission.CUSTOMER_VIEW, "add": Permission.IMPORT_RUN}
    filters = {"code": by.text("code")}

    def add(self, values: dict[str, Any]) -> SourceSystem:
        return SourceSystem.objects.create(**values)


class OfOneView(NounView):
    """A list of one customer's or contact's rows: of all there are, nobody has a use for a list, and it would cost much."""

    area = "imports"

    def get_queryset(self) -> QuerySet[Any]:
        if self.action == "list" and not {"customer", "contact"} & set(self.request.query_params):
            raise ValidationError({"customer": [ErrorDetail(_("Name a customer or a contact."), "required")]})
        return super().get_queryset()


class SourceRecordSerializer(RecordSerializer):
    class Meta:
        model = SourceRecord
        fields = ("id", "system", "noun", "key", "version", "payload", "received_at")
        read_only_fields = fields


def _records_of(end: str) -> Any:
    """The records whose keys belong to this customer or contact."""

    def lookup(pk: int) -> Q:
        same = {"system": OuterRef("system"), "noun": OuterRef("noun"), "key": OuterRef("key")}
        return Q(pk__in=SourceRecord.objects.filter(Exists(CrossReference.objects.filter(until=None, **{end: pk}, **same))).values("pk"))

    return by.Filter(lookup, by.identity("pk").field, {"type": "integer"})


class SourceRecordView(OfOneView):
    """Records of customers and contacts exactly as their sources gave them, every version."""

    model, serializer_class = SourceRecord, SourceRecordSerializer
    filters = {"customer": _records_of("customer"), "contact": _records_of("contact")}


class CrossReferenceSerializer(RecordSerializer):
    class Meta:
        model = CrossReference
        fields = ("id", "system", "noun", "key", "customer", "contact", "since", "until")
        read_only_fields = fields


class CrossReferenceView(OfOneView):
    """Which customer or contact a source's key belongs to, and since when."""

    model, serializer_class = CrossReference, CrossReferenceSerializer
    filters = {"customer": by.identity("customer"), "contact": by.identity("contact")}
