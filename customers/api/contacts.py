"""Contacts and what hangs on them: their places at customers, the ways to reach them, addresses and consents."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from customers.api.bulk import BulkGolden
from customers.maths.contact_keys import method_key
from customers.models import Address, Consent, Contact, ContactMethod, Customer, Position, Suppression
from users.access import Permission
from users.api import filters as by
from users.api.serializers import RecordSerializer, RelatedId
from users.api.views import Discardable, RecordView, Removable
from users.keyset import Sort

CONTACT_PERMISSIONS = {
    "read": Permission.CUSTOMER_VIEW,
    "add": Permission.CONTACT_CHANGE,
    "change": Permission.CONTACT_CHANGE,
    "remove": Permission.CONTACT_CHANGE,
}
STAMPS = ("created_at", "updated_at")


class ContactSerializer(RecordSerializer):
    customer = RelatedId(queryset=Customer.objects, required=False, write_only=True, help_text="Of a new contact: its first customer.")

    class Meta:
        model = Contact
        fields = ("id", "version", "name", "other_name", "salutation", "birthday", "language", "notes", "customer", *STAMPS)
        read_only_fields = ("id", "version", *STAMPS)

    def validate(self, attrs: Any) -> Any:
        if self.instance is not None and "customer" in attrs:
            raise ValidationError({"customer": [ErrorDetail(_("Places are changed under positions."), "read_only")]})
        return attrs


class ContactSummary(RecordSerializer):
    class Meta:
        model = Contact
        fields = ("id", "version", "name", "other_name", "salutation", "birthday", "language", *STAMPS)
        read_only_fields = fields


class ContactView(BulkGolden, Discardable):
    """People at customers."""

    model, area, permissions = Contact, "customers", CONTACT_PERMISSIONS
    serializer_class, list_serializer_class = ContactSerializer, ContactSummary
    is_searchable = True
    sorts = (Sort("name", "sort_key"), Sort("updated_at", "updated_at"), Sort("id", "pk"))
    filters = {
        "customer": by.identity("positions__customer"),
        "updated_since": by.moment("updated_at__gte"),
        "updated_before": by.moment("updated_at__lt"),
    }

    @transaction.atomic
    def add(self, values: dict[str, Any]) -> Contact:
        return self.placed(values.pop("customer", None), Contact.add(by=self.user, created_by=self.user, **values))

    def add_from(self, values: dict[str, Any], **received: Any) -> Contact:
        customer = values.pop("customer", None)
        return self.placed(customer, Contact.add_from(by=self.user, created_by=self.user, **received, **values))

    def placed(self, customer: Customer | None, contact: Contact) -> Contact:
        if customer is not None:
            Position.add(by=self.user, contact=contact, customer=customer)
        return contact

    def discarded(self) -> QuerySet[Contact]:
        return Contact.objects.within_reach_of(self.user).discarded()


class PositionSerializer(RecordSerializer):
    class Meta:
        model = Position
        fields = (
            "id", "version", "contact", "customer", "job_title", "department", "role", "influence", "reports_to", "is_primary", "since",
            "until", *STAMPS,
        )  # fmt: skip
        read_only_fields = ("id", "version", *STAMPS)

    def validate(self, attrs: Any) -> Any:
        return refuse_moving(self.instance, attrs, "contact", "customer")


class PositionView(Removable):
    """Who is what at which customer."""

    model, area, permissions, serializer_class = Position, "customers", CONTACT_PERMISSIONS, PositionSerializer
    filters = {"contact": by.identity("contact"), "customer": by.identity("customer"), "role": by.choice("role", Position.Role)}


class OwnedSerializer(RecordSerializer):
    """Of a customer or of a contact: one of the two, and for good."""

    def validate(self, attrs: Any) -> Any:
        attrs = refuse_moving(self.instance, attrs, "contact", "customer")
        if self.instance is None and (attrs.get("customer") is None) == (attrs.get("contact") is None):
            raise ValidationError({"customer": [ErrorDetail(_("Give either a customer or a contact."), "invalid")]})
        return attrs


OWNER_FILTERS = {"customer": by.identity("customer"), "contact": by.identity("contact")}


class ContactMethodSerializer(OwnedSerializer):
    class Meta:
        model = ContactMethod
        fields = ("id", "version", "customer", "contact", "kind", "value", "normalised", "is_valid", "is_primary", *STAMPS)
        read_only_fields = ("id", "version", "normalised", "is_valid", *STAMPS)


class ContactMethodView(Removable):
    """Phones, mails and WeChat ids. `normalised` is the form in which they are compared: E.164, lower case."""

    model, area, permissions, serializer_class = ContactMethod, "customers", CONTACT_PERMISSIONS, ContactMethodSerializer
    filters = {**OWNER_FILTERS, "kind": by.choice("kind", ContactMethod.Kind), "normalised": by.text("normalised")}

    def add(self, values: dict[str, Any]) -> Any:
        return super().add(keyed(values, values["kind"], values["value"]))

    def change(self, row: ContactMethod, values: dict[str, Any], version: int | None) -> Any:
        return super().change(row, keyed(values, values.get("kind", row.kind), values.get("value", row.value)), version)


def keyed(values: dict[str, Any], kind: str, value: str) -> dict[str, Any]:
    """The values with the key of this address; an erased person's is refused."""
    normalised, is_valid = method_key(kind, value, settings.DEFAULT_PHONE_REGION)
    if Suppression.suppressed([normalised]):
        raise ValidationError({"value": [ErrorDetail(_("This belongs to a person whose data was erased."), "erased")]})
    return {**values, "normalised": normalised, "is_valid": is_valid}


class AddressSerializer(OwnedSerializer):
    class Meta:
        model = Address
        fields = ("id", "version", "customer", "contact", "kind", "street", "postcode", "city", "region", "country", *STAMPS)
        read_only_fields = ("id", "version", *STAMPS)


class AddressView(Removable):
    """Where a customer or a contact is, gets deliveries, or gets bills."""

    model, area, permissions, serializer_class = Address, "customers", CONTACT_PERMISSIONS, AddressSerializer
    filters = {**OWNER_FILTERS, "kind": by.choice("kind", Address.Kind)}


class ConsentSerializer(RecordSerializer):
    class Meta:
        model = Consent
        fields = ("id", "version", "contact", "channel", "purpose", "given_at", "withdrawn_at", "source", *STAMPS)
        read_only_fields = ("id", "version", *STAMPS)

    def validate(self, attrs: Any) -> Any:
        return refuse_moving(self.instance, attrs, "contact", "channel", "purpose")


class ConsentView(RecordView):
    """Who may be reached how and for what. To withdraw one, set `withdrawn_at`; consents are never deleted."""

    model, area, permissions, serializer_class = Consent, "customers", CONTACT_PERMISSIONS, ConsentSerializer
    filters = {
        "contact": by.identity("contact"),
        "purpose": by.choice("purpose", Consent.Purpose),
        "is_withdrawn": by.Filter(lambda yes: Q(withdrawn_at__isnull=not yes), serializers.BooleanField(), {"type": "boolean"}),
    }


def refuse_moving(instance: Any, attrs: Any, *names: str) -> Any:
    """What these fields say is settled when the record is made."""
    moved = [name for name in names if instance is not None and name in attrs and attrs[name] != getattr(instance, name)]
    if moved:
        raise ValidationError({name: [ErrorDetail(_("This cannot change; make a new record."), "read_only")] for name in moved})
    return attrs
