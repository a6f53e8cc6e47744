"""What pages show of the monthly values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from customers.models import Customer, ExchangeRate, Order, OrderLine
from segmentation import monthly
from segmentation.models import RuleVersion
from segmentation.queries import value_over_time, value_over_time_of, waterfall
from tests.factories import make_contact_point, make_contract, make_customer, make_order
from tests.people import World

TODAY = date(2026, 11, 24)


@pytest.fixture
def customer(world: World) -> Customer:
    return make_customer(team=world.north)


def rebuild() -> None:
    monthly.rebuild(as_of=TODAY, rules=RuleVersion.in_force())


def test_the_course_has_every_month_with_its_parts(customer: Customer) -> None:
    make_order(customer=customer, amount=100, cost=60, ordered_on=date(2026, 9, 2))
    make_order(customer=customer, amount=9, cost=0, ordered_on=date(2025, 11, 30))
    rebuild()
    course = value_over_time(customer, months=12, until=TODAY)
    assert [course[0].month, course[-1].month, len(course)] == [date(2025, 12, 1), date(2026, 11, 1), 12]
    (september,) = [month for month in course if month.revenue]
    assert september.month == date(2026, 9, 1)
    assert [september.revenue, september.order_cost, september.margin] == [Decimal(100), Decimal(60), Decimal(40)]


def test_the_course_of_many_is_the_sum_of_those_one_sees(world: World, customer: Customer) -> None:
    unseen = make_customer(team=world.south)
    for owner in (customer, make_customer(team=world.north), unseen):
        make_order(customer=owner, amount=100, cost=60, ordered_on=TODAY)
    rebuild()
    (seen,) = value_over_time_of(Customer.objects.visible_to(world.mo), months=1, until=TODAY)
    assert (seen.revenue, seen.margin) == (Decimal(200), Decimal(80))


def test_the_steps_of_the_waterfall_add_up_to_the_margin(customer: Customer) -> None:
    order = make_order(customer=customer, amount=80, cost=50, ordered_on=date(2026, 6, 1))
    OrderLine.objects.update(list_price=50, quantity=2)
    OrderLine.objects.create(order=order, position=2, amount=7)
    order.retotal()
    make_order(customer=customer, status=Order.Status.CANCELLED, ordered_on=date(2026, 6, 1))
    make_contract(customer=customer, recurring_cost=Decimal(365))
    make_contact_point(customer=customer, cost=Decimal(3))
    rebuild()
    found = waterfall(customer, until=TODAY)
    assert found.since == date(2025, 12, 1)
    assert [found.list_price, found.discount, found.unlisted, found.goods] == [Decimal(107), Decimal(20), Decimal(7), Decimal(50)]
    steps = found.list_price - found.discount + found.contracts - found.goods - found.delivery - found.service - found.overdue
    assert steps == found.margin == sum(month.margin for month in value_over_time(customer, months=12, until=TODAY))
    assert found.delivery == 328


def test_a_foreign_discount_is_converted_as_its_order(customer: Customer) -> None:
    ExchangeRate.objects.create(currency="EUR", on=date(2026, 1, 1), rate=Decimal(2))
    make_order(customer=customer, amount=80, currency="EUR", ordered_on=date(2026, 6, 1))
    OrderLine.objects.update(list_price=100)
    rebuild()
    found = waterfall(customer, until=TODAY)
    assert (found.list_price, found.discount) == (Decimal(200), Decimal(40))
