"""What each noun of the API needs to be made, changed and narrowed: the table that the tests of every noun go through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from customers.models import Customer, SourceSystem
from tests.factories import make_contact, make_customer, make_product

Body = dict[str, Any]


@dataclass(frozen=True)
class Noun:
    """`body` makes a valid body for a customer; `change` is a valid patch, None where the noun does not change."""

    path: str
    body: Callable[[Customer], Body]
    change: Body | None = None
    bad: tuple[Body, str] = field(default_factory=lambda: ({}, ""))  # values over the body, and the field that is then wrong
    filters: tuple[Body, ...] = ()  # each finds the record that was made
    orders: tuple[str, ...] = ("id",)
    cross: tuple[str, ...] = ()  # fields that must not take another team's record


def customer_body(customer: Customer) -> Body:
    return {"legal_name": "Acme", "status": "active"}


def contact_body(customer: Customer) -> Body:
    return {"name": "Li Na", "salutation": "ms", "customer": customer.pk}


def position_body(customer: Customer) -> Body:
    contact = make_contact(customer=make_customer(team=customer.team))
    return {"contact": contact.pk, "customer": customer.pk, "role": "finance"}


def method_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "kind": "mail", "value": "Info@Example.com"}


def address_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "city": "Bergen", "country": "NO"}


def consent_body(customer: Customer) -> Body:
    return {"contact": make_contact(customer=customer).pk, "channel": "mail", "purpose": "survey", "given_at": "2026-02-01T00:00:00Z"}


def contact_point_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "kind": "call", "channel": "phone", "subject": "Called", "at": "2026-03-02T10:00:00Z", "minutes": 5}


def product_body(customer: Customer) -> Body:
    return {"code": "GTX", "name": "GTX Pro", "unit_price": "100.5"}


def rate_body(customer: Customer) -> Body:
    return {"currency": "EUR", "on": "2026-01-01", "rate": "1.08"}


def order_body(customer: Customer) -> Body:
    line = {"product": make_product().pk, "amount": "90", "cost": "50.25", "quantity": "3"}
    return {"customer": customer.pk, "ordered_on": "2026-03-02", "lines": [line, {"description": "Freight", "amount": "10"}]}


def contract_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "title": "Care", "recurring_amount": "1200", "starts_on": "2026-01-01", "ends_on": "2026-12-31"}


def asset_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "serial": "SN-1", "delivered_on": "2026-01-01"}


def invoice_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "issued_on": "2026-01-01", "due_on": "2026-01-31", "amount": "100"}


def opportunity_body(customer: Customer) -> Body:
    return {"customer": customer.pk, "title": "More", "stage": "engaging", "amount": "5"}


NOUNS = (
    Noun("customers", customer_body, {"region": "East"}, ({"kind": "x"}, "kind"), ({"status": "active"},), ("id", "name", "updated_at"),
         ("parent",)),
    Noun("contacts", contact_body, {"notes": "x"}, ({"birthday": "x"}, "birthday"), ({"search": "li na"},), ("id", "name", "updated_at"),
         ("customer",)),
    Noun("positions", position_body, {"department": "IT"}, ({"influence": 9}, "influence"), ({"role": "finance"},), ("id",),
         ("customer",)),
    Noun("contact-methods", method_body, {"value": "x@example.com"}, ({"kind": "x"}, "kind"), ({"normalised": "info@example.com"},),
         ("id",), ("customer",)),
    Noun("addresses", address_body, {"city": "Oslo"}, ({"kind": "x"}, "kind"), ({"kind": "office"},), ("id",), ("customer",)),
    Noun("consents", consent_body, {"withdrawn_at": "2026-03-01T00:00:00Z"}, ({"purpose": "x"}, "purpose"), ({"purpose": "survey"},)),
    Noun("contact-points", contact_point_body, None, ({"at": "2100-01-01T00:00:00Z"}, "at"), ({"kind": "call"}, {"is_standing": "true"}),
         ("at",), ("customer",)),
    Noun("products", product_body, {"name": "GTX"}, ({"unit_price": "-1"}, "unit_price"), ({"code": "GTX"}, {"is_sold": "true"}),
         ("id", "code")),
    Noun("exchange-rates", rate_body, None, ({"rate": "0"}, "rate"), ({"currency": "EUR", "since": "2026-01-01"},)),
    Noun("orders", order_body, {"status": "delivered"}, ({"lines": [{"amount": "x"}]}, "lines.0.amount"),
         ({"ordered_since": "2026-03-02"},),
         ("ordered_on", "id"), ("customer",)),
    Noun("contracts", contract_body, {"title": "x"}, ({"ends_on": "2025-01-01"}, "ends_on"), ({"ends_before": "2027-01-01"},),
         ("id",), ("customer",)),
    Noun("assets", asset_body, {"location": "x"}, ({"serial": ""}, "serial"), ({"serial": "SN-1"},), ("id",), ("customer",)),
    Noun("invoices", invoice_body, {"due_on": "2026-02-28"}, ({"due_on": "2025-01-01"}, ""), ({"due_before": "2026-02-01"},), ("id",),
         ("customer",)),
    Noun("opportunities", opportunity_body, {"stage": "won"}, ({"amount": "-5"}, "amount"), ({"stage": "engaging"},), ("id",),
         ("customer",)),
)  # fmt: skip
BY_PATH = {noun.path: noun for noun in NOUNS}


def make_source(code: str = "erp", **values: Any) -> SourceSystem:
    return SourceSystem.objects.create(code=code, name=code.upper(), **values)
