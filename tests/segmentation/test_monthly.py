"""What a month of a customer is worth: each kind of fact, in exact cents."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.test import override_settings

from customers.models import Contract, Customer, ExchangeRate, Invoice, Order
from segmentation import monthly
from segmentation.facts import IdRange
from segmentation.models import MonthlyValue, RuleVersion
from tests.factories import make_contact_point, make_contract, make_customer, make_order
from tests.people import World

TODAY = date(2026, 11, 24)


@pytest.fixture
def customer(world: World) -> Customer:
    return make_customer(team=world.north)


def column(customer: Customer, name: str, *, as_of: date = TODAY) -> dict[str, Decimal]:
    """The column's amounts by month, zeros left out."""
    monthly.refresh([customer.pk], as_of=as_of, rules=RuleVersion.in_force())
    rows = MonthlyValue.objects.filter(customer=customer).order_by("month")
    return {f"{row.month:%Y-%m}": amount for row in rows if (amount := getattr(row, name))}


def money(**amounts: str) -> dict[str, Decimal]:
    return {month.replace("m", "").replace("_", "-"): Decimal(amount) for month, amount in amounts.items()}


def invoice(customer: Customer, amount: int, *, due_on: date, **values: object) -> Invoice:
    made: Invoice = Invoice.add(by=None, customer=customer, issued_on=date(2026, 1, 1), due_on=due_on, amount=Decimal(amount), **values)
    return made


def test_orders_count_in_the_month_of_their_day(customer: Customer) -> None:
    make_order(customer=customer, amount=100, cost=60, ordered_on=date(2026, 3, 31))
    make_order(customer=customer, amount=50, cost=20, ordered_on=date(2026, 3, 1))
    make_order(customer=customer, amount=7, cost=1, ordered_on=date(2026, 4, 1))
    assert column(customer, "order_revenue") == money(m2026_03="150", m2026_04="7")
    assert column(customer, "margin") == money(m2026_03="70", m2026_04="6")


def test_cancelled_orders_and_later_ones_do_not_count(customer: Customer) -> None:
    make_order(customer=customer, status=Order.Status.CANCELLED)
    make_order(customer=customer, ordered_on=date(2026, 11, 25))
    assert column(customer, "order_revenue") == {}


def test_the_months_of_a_year_sum_to_its_amount(customer: Customer) -> None:
    make_contract(customer=customer, recurring_amount=Decimal("1000.01"), starts_on=date(2025, 3, 17), ends_on=date(2026, 3, 16))
    shares = column(customer, "contract_revenue")
    assert len(shares) == 13
    assert sum(shares.values()) == Decimal("1000.01")
    assert shares["2025-04"] == Decimal("82.19")  # 1000.01 × 30 ÷ 365, to the cent of what is earned so far


@pytest.mark.parametrize("period", Contract.Period.values)
def test_a_contract_from_the_31st_brings_its_amount_each_period(customer: Customer, period: str) -> None:
    months = {"month": 1, "quarter": 3, "year": 12}[period]
    make_contract(
        customer=customer, recurring_amount=Decimal("99.99"), period=period, starts_on=date(2023, 8, 31), ends_on=date(2025, 8, 30)
    )
    assert sum(column(customer, "contract_revenue").values()) == Decimal("99.99") * 24 / months


def test_a_contract_earns_by_the_day_up_to_today(customer: Customer) -> None:
    make_contract(customer=customer, recurring_amount=Decimal(365), starts_on=date(2026, 10, 30), ends_on=None)
    assert column(customer, "contract_revenue", as_of=date(2026, 11, 3)) == money(m2026_10="2", m2026_11="3")


def test_the_day_of_cancelling_brings_nothing_more(customer: Customer) -> None:
    make_contract(customer=customer, recurring_amount=Decimal(365), starts_on=date(2026, 1, 1), cancelled_on=date(2026, 1, 11))
    assert column(customer, "contract_revenue") == money(m2026_01="10")


def test_a_contract_cancelled_before_it_begins_brings_nothing(customer: Customer) -> None:
    make_contract(customer=customer, starts_on=date(2026, 3, 1), cancelled_on=date(2026, 1, 11))
    assert column(customer, "contract_revenue") == {}


def test_an_unknown_cost_of_delivery_is_none(customer: Customer) -> None:
    make_contract(customer=customer, recurring_cost=None)
    assert column(customer, "contract_cost") == {}
    Contract.objects.update(recurring_cost=Decimal(365))
    assert column(customer, "contract_cost")["2026-01"] == 31


def test_a_contact_costs_its_minutes_or_what_was_written_down(customer: Customer) -> None:
    make_contact_point(customer=customer, at=datetime(2024, 3, 5, tzinfo=UTC), minutes=10)  # by phone: 0.90 a minute
    make_contact_point(customer=customer, at=datetime(2024, 3, 6, tzinfo=UTC), minutes=10, channel="in_person", cost=Decimal(50))
    make_contact_point(customer=customer, at=datetime(2024, 4, 6, tzinfo=UTC), minutes=0, channel="in_person")
    assert column(customer, "contact_cost") == money(m2024_03="59")


def test_a_corrected_contact_costs_what_the_correction_says(world: World, customer: Customer) -> None:
    make_contact_point(customer=customer, at=datetime(2024, 3, 5, tzinfo=UTC), minutes=10).correct(by=world.ana, minutes=30)
    assert column(customer, "contact_cost") == money(m2024_03="27")


@override_settings(TIME_ZONE="Asia/Shanghai")
def test_a_contact_belongs_to_the_companys_own_day(customer: Customer) -> None:
    make_contact_point(customer=customer, at=datetime(2024, 3, 31, 17, tzinfo=UTC), minutes=10)
    assert column(customer, "contact_cost", as_of=date(2024, 3, 31)) == {}
    assert column(customer, "contact_cost", as_of=date(2024, 4, 1)) == money(m2024_04="9")


def test_overdue_money_costs_from_the_day_after_it_was_due(customer: Customer) -> None:
    invoice(customer, 36_500, due_on=date(2026, 2, 18)).pay(by=None, amount=Decimal(36_500), paid_on=date(2026, 3, 2))
    # 0.08 a year of 36,500 is 8 a day: ten days of February, two of March
    assert column(customer, "overdue_cost") == money(m2026_02="80", m2026_03="16")


def test_a_part_payment_makes_overdue_money_cheaper_from_the_next_day(customer: Customer) -> None:
    invoice(customer, 36_500, due_on=date(2026, 2, 18)).pay(by=None, amount=Decimal(18_250), paid_on=date(2026, 2, 23))
    assert column(customer, "overdue_cost", as_of=date(2026, 2, 28)) == money(m2026_02="60")


def test_money_paid_in_time_or_too_much_costs_nothing(customer: Customer) -> None:
    invoice(customer, 500, due_on=date(2026, 2, 18)).pay(by=None, amount=Decimal(500), paid_on=date(2026, 2, 18))
    invoice(customer, 500, due_on=date(2026, 2, 18)).pay(by=None, amount=Decimal(900), paid_on=date(2026, 2, 1))
    invoice(customer, -500, due_on=date(2026, 2, 18))
    assert column(customer, "overdue_cost") == {}


def test_a_payment_after_today_is_not_yet_known(customer: Customer) -> None:
    invoice(customer, 36_500, due_on=date(2026, 2, 18)).pay(by=None, amount=Decimal(36_500), paid_on=date(2026, 2, 27))
    assert column(customer, "overdue_cost", as_of=date(2026, 2, 20)) == money(m2026_02="16")


def test_foreign_money_is_taken_at_the_rate_of_its_day(customer: Customer) -> None:
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 2, 1), rate=Decimal("1.1"))
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 3, 3), rate=Decimal("1.2"))
    for day in (date(2026, 1, 5), date(2026, 3, 2), date(2026, 4, 3)):
        make_order(customer=customer, amount=100, currency="EUR", ordered_on=day)
    assert column(customer, "order_revenue") == money(m2026_01="110", m2026_03="110", m2026_04="120")
    assert monthly.missing_rates(as_of=TODAY) == []


def test_an_amount_that_nobody_can_convert_is_left_out_and_reported(customer: Customer) -> None:
    make_order(customer=customer, currency="EUR")
    make_order(customer=customer, currency="EUR")
    make_contract(customer=customer, currency="NOK")
    make_order(customer=customer, amount=5)
    assert sum(column(customer, "revenue").values()) == 5
    assert monthly.missing_rates(as_of=TODAY) == [("EUR", "order", 2), ("NOK", "contract", 1)]


def test_a_customer_without_facts_has_no_rows(customer: Customer) -> None:
    monthly.rebuild(as_of=TODAY, rules=RuleVersion.in_force())
    assert not MonthlyValue.objects.exists()


def test_other_customers_rows_are_left_alone(world: World, customer: Customer) -> None:
    other = make_customer(team=world.north)
    make_order(customer=other)
    monthly.rebuild(as_of=TODAY, rules=RuleVersion.in_force())
    Order.objects.all().update(amount=1)
    for nobody in ([customer.pk], [], IdRange(customer.pk, customer.pk), Customer.objects.filter(pk=customer.pk)):
        assert monthly.refresh(nobody, as_of=TODAY, rules=RuleVersion.in_force()) == (0, 0)
    assert MonthlyValue.objects.aggregate(sum=Sum("revenue"))["sum"] == 100
