"""Whatever happens to the facts, and in whatever order: rows made anew for the few equal rows made anew for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from customers.models import ContactPoint, Contract, Customer, ExchangeRate, Invoice, Order, Payment
from segmentation import monthly
from segmentation.facts import SOURCES, Source
from segmentation.models import MonthlyValue, RuleVersion, Stale
from tests.factories import make_contact_point, make_contract, make_customer, make_order
from tests.people import World
from tests.segmentation.by_hand import rows_by_hand, stored_rows

START = date(2025, 10, 20)
STEPS = 30


class Company:
    """A few customers to whom things happen at random; the same seed gives the same history."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random, self.today = world, Random(seed), START
        self.customers = [make_customer(team=world.north) for _ in range(4)]
        self.acts: list[Callable[[], object]] = [
            self.order, self.order, self.cancel, self.contract, self.change_contract, self.contact, self.contact, self.correct,
            self.bill, self.bill, self.pay, self.pay, self.merge, self.undo_import, self.new_rate, self.days_go_by, self.days_go_by,
        ]  # fmt: skip

    def act(self) -> None:
        self.random.choice(self.acts)()

    def order(self) -> None:
        make_order(customer=self.whom(), ordered_on=self.day(), amount=self.amount(), cost=self.amount(), currency=self.currency())

    def cancel(self) -> None:
        self.of(Order).update(status=Order.Status.CANCELLED)

    def contract(self) -> None:
        starts_on = self.day()
        make_contract(
            customer=self.whom(),
            starts_on=starts_on,
            ends_on=self.random.choice([None, starts_on + timedelta(self.random.randrange(400))]),
            recurring_amount=self.amount(),
            recurring_cost=self.random.choice([None, self.amount()]),
            period=self.random.choice(Contract.Period.values),
            currency=self.currency(),
        )

    def change_contract(self) -> None:
        self.of(Contract).update(cancelled_on=self.random.choice([None, self.day()]), recurring_amount=self.amount())

    def contact(self) -> None:
        at = min(timezone.make_aware(datetime.combine(self.day(), time(23, 30))), timezone.now())
        cost = self.random.choice([None, None, self.amount()])
        channel = self.random.choice(ContactPoint.Channel.values)
        make_contact_point(customer=self.whom(), at=at, minutes=self.random.randrange(90), channel=channel, cost=cost)

    def correct(self) -> None:
        for point in self.of(ContactPoint).filter(corrected_by=None):
            point.correct(by=self.world.ana, minutes=self.random.randrange(90))

    def bill(self) -> None:
        issued_on = self.day()
        due_on = issued_on + timedelta(self.random.randrange(60))
        amount = self.amount() * self.random.choice([1, 1, 1, -1])
        Invoice.add(by=None, customer=self.whom(), issued_on=issued_on, due_on=due_on, amount=amount, currency=self.currency())

    def pay(self) -> None:
        for invoice in self.of(Invoice):
            share = Decimal(self.random.choice(["1", "1", "0.5", "-0.25", "1.2"]))
            invoice.pay(by=None, amount=(invoice.amount * share).quantize(Decimal("0.01")), paid_on=self.day())

    def merge(self) -> None:
        """All facts of one customer move to another, as a merge does it."""
        self.allow_rewriting()
        loser, winner = self.random.sample(self.customers, 2)
        for model in (Order, Contract, ContactPoint, Invoice):
            model.objects.filter(customer=loser).update(customer=winner)

    def undo_import(self) -> None:
        self.allow_rewriting()
        chosen = self.of(Order)
        if not Invoice.objects.filter(order__in=chosen).exists():
            for order in chosen:
                order.lines.all().delete()
                order.delete()
        self.of(ContactPoint).filter(corrects=None, corrected_by=None).delete()

    def new_rate(self) -> None:
        ExchangeRate.objects.get_or_create(currency="EUR", on=self.day(), defaults={"rate": Decimal(self.random.randrange(90, 130)) / 100})

    def days_go_by(self) -> None:
        self.today += timedelta(self.random.choice([1, 3, 30]))

    def whom(self) -> Customer:
        return self.random.choice(self.customers)

    def day(self) -> date:
        """Mostly the past, sometimes long ago, now and then ahead of today."""
        return self.today + timedelta(self.random.choice([-400, -90, -31, -30, -3, -1, 0, 1, 20]) + self.random.randrange(-3, 4))

    def amount(self) -> Decimal:
        return Decimal(self.random.randrange(1, 500_000)) / 100

    def currency(self) -> str:
        return self.random.choice(["USD", "USD", "EUR", "NOK"])

    def of(self, model: Any) -> Any:
        """One row of the model, or none, as a queryset."""
        ids = sorted(model.objects.values_list("pk", flat=True))
        return model.objects.filter(pk__in=[self.random.choice(ids)] if ids else [])

    def allow_rewriting(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pareto.rewriting = 'undoing an import'")


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_the_changed_equal_rows_of_all(world: World, seed: int) -> None:
    company, rules, last_run = Company(world, seed), RuleVersion.in_force(), START
    for _step in range(STEPS):
        for _act in range(company.random.randrange(1, 4)):
            company.act()
        changed = [*Stale.objects.values_list("customer_id", flat=True), *monthly.due(since=last_run, as_of=company.today)]
        Stale.objects.all().delete()
        monthly.refresh(changed, as_of=company.today, rules=rules)
        last_run = company.today
        assert monthly.check(as_of=company.today, rules=rules).shown == []
    assert stored_rows() == rows_by_hand(company.today, rules)


def test_a_past_day_is_told_as_it_was_and_today_comes_back(world: World) -> None:
    company, rules = Company(world, 7), RuleVersion.in_force()
    for _act in range(60):
        company.act()
    monthly.rebuild(as_of=company.today, rules=rules)
    past = START - timedelta(60)
    for since, as_of in ((company.today, past), (past, company.today)):
        monthly.refresh(monthly.due(since=since, as_of=as_of), as_of=as_of, rules=rules)
        assert stored_rows() == rows_by_hand(as_of, rules)


def test_what_stays_the_same_is_not_written(world: World) -> None:
    customer, other = (make_customer(team=world.north) for _ in range(2))
    for owner in (customer, other):
        make_contract(customer=owner, starts_on=date(2026, 1, 1))
    rules = RuleVersion.in_force()
    assert monthly.rebuild(as_of=date(2026, 3, 30), rules=rules) == (6, 0)
    assert monthly.rebuild(as_of=date(2026, 3, 30), rules=rules) == (0, 0)
    assert monthly.rebuild(as_of=date(2026, 3, 31), rules=rules) == (2, 0)  # March goes on
    Contract.objects.filter(customer=other).delete()
    assert monthly.refresh([other.pk], as_of=date(2026, 3, 31), rules=rules) == (0, 3)


def test_an_unpaid_invoice_is_due_again_each_day(world: World) -> None:
    customer = make_customer(team=world.north)
    Invoice.add(by=None, customer=customer, issued_on=date(2026, 1, 1), due_on=date(2026, 2, 1), amount=Decimal(100))
    assert monthly.due(since=date(2026, 1, 30), as_of=date(2026, 2, 1)) == []
    assert monthly.due(since=date(2026, 2, 1), as_of=date(2026, 2, 2)) == [customer.pk]
    assert monthly.due(since=date(2026, 2, 2), as_of=date(2026, 2, 2)) == []


def test_only_what_time_can_change_is_due(world: World) -> None:
    ended, running, ordering, paid = (make_customer(team=world.north) for _ in range(4))
    make_contract(customer=ended, starts_on=date(2025, 1, 1), ends_on=date(2026, 2, 28))
    make_contract(customer=ended, starts_on=date(2025, 1, 1), ends_on=None, cancelled_on=date(2026, 3, 1))
    make_contract(customer=running, starts_on=date(2025, 1, 1), ends_on=date(2026, 3, 1))
    make_order(customer=ordering, ordered_on=date(2026, 2, 28))
    invoice = Invoice.add(by=None, customer=paid, issued_on=date(2026, 1, 1), due_on=date(2026, 2, 1), amount=Decimal(100))
    invoice.pay(by=None, amount=Decimal(100), paid_on=date(2026, 2, 20))
    assert monthly.due(since=date(2026, 2, 28), as_of=date(2026, 3, 1)) == [running.pk]


def test_a_higher_app_adds_its_own_facts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the service desk's minutes and parts will come in; the payments stand for them here."""
    customer = make_customer(team=world.north)
    invoice = Invoice.add(by=None, customer=customer, issued_on=date(2026, 3, 1), due_on=date(2026, 4, 1), amount=Decimal(100))
    Payment.add(by=None, invoice=invoice, amount=Decimal(30), paid_on=date(2026, 3, 9))
    repairs = Source(
        name="repair",
        columns=("service_cost",),
        rows="SELECT fact.customer_id, date_trunc('month', paid_on)::date, payment.amount FROM customers_invoice fact"
        " JOIN customers_payment payment ON payment.invoice_id = fact.id WHERE {customers} AND paid_on <= %(as_of)s",
        due="SELECT NULL::bigint AS customer_id WHERE false",
    )
    monkeypatch.setattr("segmentation.monthly.SOURCES", [*SOURCES, repairs])
    monthly.rebuild(as_of=date(2026, 3, 31), rules=RuleVersion.in_force())
    row = MonthlyValue.objects.get()
    assert (row.service_cost, row.margin) == (30, -30)
