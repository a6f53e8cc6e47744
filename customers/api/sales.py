"""What customers bought and are to buy: products, orders, contracts, assets, invoices, payments, opportunities, and rates."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError

from customers.api.bulk import BulkFacts
from customers.api.fields import SOURCE_FILTERS
from customers.models import Asset, Contract, ExchangeRate, Invoice, Opportunity, Order, OrderLine, Payment, Product
from users.access import Permission
from users.api import filters as by
from users.api.serializers import RecordSerializer, plan_of
from users.api.views import NEWEST_FIRST, AddView, RecordView
from users.keyset import Sort

SALES_PERMISSIONS = {"read": Permission.CUSTOMER_VIEW, "add": Permission.SALES_CHANGE, "change": Permission.SALES_CHANGE}
BORN = ("id", "version")
SOURCED = ("source", "source_key", "created_at", "updated_at")
FACT_FILTERS = {**SOURCE_FILTERS, "customer": by.identity("customer")}


class ProductSerializer(RecordSerializer):
    class Meta:
        model = Product
        fields = (*BORN, "code", "name", "category", "unit_price", "unit_cost", "currency", "is_sold", *SOURCED)
        read_only_fields = (*BORN, *SOURCED)


class ProductView(BulkFacts, RecordView):
    """What we sell: hardware, software, projects, services."""

    model, area, permissions, serializer_class = Product, "sales", SALES_PERMISSIONS, ProductSerializer
    sorts = (Sort("id", "pk"), Sort("code", "code"))
    filters = {
        **SOURCE_FILTERS,
        "code": by.text("code"),
        "category": by.text("category"),
        "is_sold": by.flag("is_sold"),
        "name": by.text("name"),
    }


class ExchangeRateSerializer(RecordSerializer):
    class Meta:
        model = ExchangeRate
        fields = ("id", "currency", "on", "rate")
        read_only_fields = ("id",)

    def validate(self, attrs: Any) -> Any:
        if attrs["rate"] <= 0:
            raise ValidationError({"rate": [ErrorDetail(_("A rate is above zero."), "min_value")]})
        return attrs


class ExchangeRateView(AddView):
    """What one unit of a currency is worth in the base currency from a day on."""

    model, area, permissions, serializer_class = ExchangeRate, "sales", SALES_PERMISSIONS, ExchangeRateSerializer
    filters = {"currency": by.text("currency"), "since": by.day("on__gte")}

    def add(self, values: dict[str, Any]) -> ExchangeRate:
        return ExchangeRate.objects.create(**values)


class OrderLineSerializer(RecordSerializer):
    class Meta:
        model = OrderLine
        fields = ("product", "description", "quantity", "list_price", "amount", "cost")


class OrderSummary(RecordSerializer):
    """An order in a list, without its lines."""

    class Meta:
        model = Order
        fields: tuple[str, ...] = (
            *BORN, "number", "customer", "ordered_on", "delivered_on", "status", "owner", "currency", "amount", "cost", "channel", *SOURCED,
        )  # fmt: skip
        read_only_fields = (*BORN, "number", "amount", "cost", *SOURCED)


class OrderSerializer(OrderSummary):
    lines = OrderLineSerializer(many=True)

    class Meta(OrderSummary.Meta):
        fields = (*OrderSummary.Meta.fields, "lines")

    @staticmethod
    def read_lines(order: Order) -> list[dict[str, Any]]:
        plan = plan_of(OrderLineSerializer)
        return [{name: read(line) for name, read in plan} for line in order.lines.order_by("position", "pk")]


class OrderView(BulkFacts, RecordView):
    """What a customer bought on one day. `amount` and `cost` are the sums of the lines; a change gives all lines anew or none."""

    model, area, permissions = Order, "sales", SALES_PERMISSIONS
    serializer_class, list_serializer_class = OrderSerializer, OrderSummary
    sorts = (Sort("ordered_on", "ordered_on", descending=True), Sort("id", "pk"))
    filters = {
        **FACT_FILTERS,
        "number": by.text("number"),
        "status": by.choice("status", Order.Status),
        "owner": by.identity("owner"),
        "ordered_since": by.day("ordered_on__gte"),
        "ordered_before": by.day("ordered_on__lt"),
    }

    def add(self, values: dict[str, Any]) -> Order:
        return Order.place(by=self.user, **values)

    def change(self, row: Order, values: dict[str, Any], version: int | None) -> bool:
        return row.amend(by=self.user, expected_version=version, **values)


class ContractSummary(RecordSerializer):
    class Meta:
        model = Contract
        fields: tuple[str, ...] = (
            *BORN, "number", "customer", "product", "title", "recurring_amount", "recurring_cost", "period", "currency", "starts_on",
            "ends_on", "cancelled_on", "renewal", "renews", "notice_days", "service_grade", "owner", *SOURCED,
        )  # fmt: skip
        read_only_fields = (*BORN, "number", *SOURCED)


class ContractSerializer(ContractSummary):
    class Meta(ContractSummary.Meta):
        fields = (*ContractSummary.Meta.fields, "assets")
        extra_kwargs = {"assets": {"required": False}}

    @staticmethod
    def read_assets(contract: Contract) -> list[int]:
        return sorted(contract.assets.values_list("pk", flat=True))


class ContractView(RecordView):
    """Recurring agreements, the service that they promise and the assets that they cover."""

    model, area, permissions = Contract, "sales", SALES_PERMISSIONS
    serializer_class, list_serializer_class = ContractSerializer, ContractSummary
    filters = {
        **FACT_FILTERS,
        "number": by.text("number"),
        "service_grade": by.number("service_grade"),
        "ends_before": by.day("ends_on__lt"),
        "ends_since": by.day("ends_on__gte"),
        "is_cancelled": by.flag("cancelled_on__isnull"),
    }

    @transaction.atomic
    def add(self, values: dict[str, Any]) -> Contract:
        assets = values.pop("assets", [])
        contract = Contract.add(by=self.user, **values)
        contract.cover(assets, by=self.user)
        return contract

    @transaction.atomic
    def change(self, row: Contract, values: dict[str, Any], version: int | None) -> bool:
        assets = values.pop("assets", None)
        changes = row.change(by=self.user, expected_version=version, **values)
        return (assets is not None and row.cover(assets, by=self.user)) or bool(changes)


class AssetSerializer(RecordSerializer):
    class Meta:
        model = Asset
        fields = (
            *BORN, "customer", "product", "serial", "name", "delivered_on", "warranty_until", "retired_on", "location", *SOURCED,
        )  # fmt: skip
        read_only_fields = (*BORN, *SOURCED)


class AssetView(BulkFacts, RecordView):
    """Things of ours that stand at the customer."""

    model, area, permissions, serializer_class = Asset, "sales", SALES_PERMISSIONS, AssetSerializer
    filters = {
        **FACT_FILTERS,
        "product": by.identity("product"),
        "serial": by.text("serial"),
        "warranty_since": by.day("warranty_until__gte"),
    }


class InvoiceSerializer(RecordSerializer):
    class Meta:
        model = Invoice
        fields = (*BORN, "number", "customer", "order", "contract", "issued_on", "due_on", "amount", "paid_amount", "currency", *SOURCED)
        read_only_fields = (*BORN, "number", "paid_amount", *SOURCED)


class InvoiceView(BulkFacts, RecordView):
    """What customers owe us. `paid_amount` follows the payments."""

    model, area, permissions, serializer_class = Invoice, "sales", SALES_PERMISSIONS, InvoiceSerializer
    filters = {
        **FACT_FILTERS,
        "number": by.text("number"),
        "order": by.identity("order"),
        "contract": by.identity("contract"),
        "due_before": by.day("due_on__lt"),
    }


class PaymentSerializer(RecordSerializer):
    class Meta:
        model = Payment
        fields = (*BORN, "invoice", "paid_on", "amount", "method", *SOURCED)
        read_only_fields = (*BORN, *SOURCED)


class PaymentView(AddView):
    """Payments of invoices. They are not changed: a wrong one is made good by a negative one."""

    model, area, permissions, serializer_class = Payment, "sales", SALES_PERMISSIONS, PaymentSerializer
    filters = {"invoice": by.identity("invoice"), "customer": by.identity("invoice__customer"), "paid_since": by.day("paid_on__gte")}

    def add(self, values: dict[str, Any]) -> Payment:
        invoice: Invoice = values.pop("invoice")
        return invoice.pay(by=self.user, **values)


class OpportunitySerializer(RecordSerializer):
    class Meta:
        model = Opportunity
        fields = (
            *BORN, "customer", "product", "title", "stage", "owner", "engaged_on", "closed_on", "amount", "currency", "order", *SOURCED,
        )  # fmt: skip
        read_only_fields = (*BORN, "order", *SOURCED)


class OpportunityView(BulkFacts, RecordView):
    """Possible sales. One whose customer is not known yet is seen through its owner, who is you unless given."""

    model, area, permissions, serializer_class = Opportunity, "sales", SALES_PERMISSIONS, OpportunitySerializer
    sorts = (NEWEST_FIRST,)
    filters = {
        **FACT_FILTERS,
        "product": by.identity("product"),
        "owner": by.identity("owner"),
        "stage": by.choice("stage", Opportunity.Stage),
        "has_no_customer": by.flag("customer__isnull"),
    }

    def add(self, values: dict[str, Any]) -> Opportunity:
        return Opportunity.add(by=self.user, **{"owner": self.user, **values})
