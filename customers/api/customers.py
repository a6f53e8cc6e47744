"""Customers, as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from customers.api.bulk import BulkGolden
from customers.api.fields import CustomValues
from customers.models import Customer, CustomField
from users.access import Permission, within_reach
from users.api import filters as by
from users.api.permissions import require_permission
from users.api.serializers import RecordSerializer
from users.api.views import Discardable
from users.keyset import Sort


class CustomerSerializer(RecordSerializer):
    custom = CustomValues(required=False)

    class Meta:
        model = Customer
        fields = (
            "id",
            "version",
            "number",
            "name",
            "legal_name",
            "short_name",
            "other_legal_name",
            "other_short_name",
            "credit_code",
            "kind",
            "status",
            "industry",
            "employees",
            "annual_revenue",
            "founded_year",
            "region",
            "country",
            "website",
            "parent",
            "owner",
            "team",
            "acquisition_source",
            "referred_by",
            "acquired_on",
            "acquisition_cost",
            "preferred_channels",
            "payment_terms_days",
            "payment_preference",
            "currency",
            "tags",
            "custom",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("id", "version", "number", "name", "created_at", "updated_at")
        extra_kwargs = {
            "team": {"required": False, "help_text": "Your own team unless given; another needs the right to assign."},
            "tags": {"max_length": 50},
            "preferred_channels": {"max_length": 10},
        }


class CustomerSummary(RecordSerializer):
    """A customer in a list; the rest is in the detail."""

    class Meta:
        model = Customer
        fields = (
            "id",
            "version",
            "number",
            "name",
            "legal_name",
            "kind",
            "status",
            "industry",
            "annual_revenue",
            "currency",
            "region",
            "country",
            "parent",
            "owner",
            "team",
            "tags",
            "custom",
            "updated_at",
        )
        read_only_fields = fields


class CustomerView(BulkGolden, Discardable):
    """Organisations that we sell to or want to."""

    model, area = Customer, "customers"
    serializer_class, list_serializer_class = CustomerSerializer, CustomerSummary
    permissions = {
        "read": Permission.CUSTOMER_VIEW,
        "add": Permission.CUSTOMER_CHANGE,
        "change": Permission.CUSTOMER_CHANGE,
        "remove": Permission.CUSTOMER_DELETE,
    }
    is_searchable = True
    sorts = (Sort("name", "sort_key"), Sort("updated_at", "updated_at"), Sort("id", "pk"))
    filters = {
        "kind": by.choice("kind", Customer.Kind),
        "status": by.choice("status", Customer.Status),
        "industry": by.text("industry"),
        "region": by.text("region"),
        "country": by.text("country"),
        "tag": by.text(lambda tag: Q(tags__contains=[tag])),
        "number": by.text("number"),
        "credit_code": by.text("credit_code"),
        "owner": by.identity("owner"),
        "team": by.identity("team"),
        "parent": by.identity("parent"),
        "referred_by": by.identity("referred_by"),
        "updated_since": by.moment("updated_at__gte"),
        "updated_before": by.moment("updated_at__lt"),
    }

    def filter_named(self, name: str) -> by.Filter | None:
        """`custom.KEY=value` narrows by a custom field."""
        if not name.startswith("custom."):
            return super().filter_named(name)
        field = CustomField.objects.in_use().filter(key=name.removeprefix("custom.")).first()
        return by.text(lambda value: Q(custom__contains={field.key: _checked(field, value)})) if field else None

    def add(self, values: dict[str, Any]) -> Customer:
        return Customer.add(by=self.user, **self.assigned(values))

    def add_from(self, values: dict[str, Any], **received: Any) -> Customer:
        return Customer.add_from(by=self.user, **received, **self.assigned(values))

    def change(self, row: Customer, values: dict[str, Any], version: int | None) -> Any:
        return super().change(row, self.reassigned(row, values), version)

    def change_from(self, row: Customer, values: dict[str, Any], **received: Any) -> Any:
        return super().change_from(row, self.reassigned(row, values), **received)

    def assigned(self, values: dict[str, Any]) -> dict[str, Any]:
        """A new customer is of the caller's team and perhaps the caller's own; to give it to others takes a right of its own."""
        values = {"team": self.user.team, **values}
        if values["team"] != self.user.team or values.get("owner") not in (None, self.user):
            require_permission(self.request, Permission.CUSTOMER_ASSIGN)
        return values

    def reassigned(self, row: Customer, values: dict[str, Any]) -> dict[str, Any]:
        before = {"team": row.team_id, "owner": row.owner_id}
        after = {name: values[name] and values[name].pk for name in before if name in values}
        if before | after != before:
            require_permission(self.request, Permission.CUSTOMER_ASSIGN)
        return values

    def discarded(self) -> QuerySet[Customer]:
        return Customer.objects.discarded().filter(within_reach(self.user))


def _checked(field: CustomField, value: str) -> Any:
    try:
        return field.checked(value)
    except DjangoValidationError as error:
        raise ValidationError(error.messages) from error
