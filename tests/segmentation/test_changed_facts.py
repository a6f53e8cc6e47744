"""Which customers' values are due for another look: every way in which a fact can change leaves a note."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from customers.models import ContactPoint, Customer, ExchangeRate, Invoice, Order
from segmentation.models import RuleVersion, Stale, TierDecision
from tests.factories import make_contact_point, make_contract, make_customer, make_order
from tests.people import World


@pytest.fixture
def customer(world: World) -> Customer:
    made = make_customer(team=world.north)
    Stale.objects.all().delete()
    return made


def noted() -> set[int]:
    found = set(Stale.objects.values_list("customer_id", flat=True))
    Stale.objects.all().delete()
    return found


def test_a_new_customer_is_noted(world: World) -> None:
    made = make_customer(team=world.north)
    assert noted() == {made.pk}


def test_each_kind_of_fact_notes_its_customer(customer: Customer) -> None:
    order = make_order(customer=customer)
    assert noted() == {customer.pk}
    make_contract(customer=customer)
    assert noted() == {customer.pk}
    make_contact_point(customer=customer)
    assert noted() == {customer.pk}
    invoice = Invoice.add(
        by=None, customer=customer, order=order, issued_on=date(2026, 1, 1), due_on=date(2026, 1, 31), amount=Decimal(100)
    )
    assert noted() == {customer.pk}
    invoice.pay(by=None, amount=Decimal(40), paid_on=date(2026, 3, 1))
    assert noted() == {customer.pk}


def test_a_fact_that_moves_notes_both_customers(world: World, customer: Customer) -> None:
    other = make_customer(team=world.north)
    make_order(customer=customer)
    noted()
    Order.objects.update(customer=other)
    assert noted() == {customer.pk, other.pk}


def test_a_deleted_fact_notes_its_customer(customer: Customer) -> None:
    order = make_order(customer=customer)
    noted()
    order.lines.all().delete()
    order.delete()
    assert noted() == {customer.pk}


def test_many_rows_in_one_statement_leave_one_note_per_customer(customer: Customer) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_contactpoint (customer_id, at, kind, channel, subject)"
            " SELECT %s, now(), 'call', 'phone', 'x' FROM generate_series(1, 50)",
            [customer.pk],
        )
    assert ContactPoint.objects.count() == 50
    assert Stale.objects.count() == 1


def test_a_rate_notes_those_who_deal_in_that_currency(world: World, customer: Customer) -> None:
    make_order(customer=make_customer(team=world.north), currency="USD")
    make_order(customer=customer, currency="EUR")
    noted()
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 1, 1), rate=Decimal("1.1"))
    assert noted() == {customer.pk}


def test_the_ledger_cannot_be_rewritten(customer: Customer) -> None:
    row = TierDecision.objects.create(
        customer=customer, rules=RuleVersion.in_force(), as_of=date(2026, 1, 1), kind=TierDecision.Kind.FIRST, tier=2
    )
    for act in (lambda: TierDecision.objects.filter(pk=row.pk).update(tier=1), row.delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()
