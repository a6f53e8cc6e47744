from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from customers.actions import orders_from_won_opportunities
from customers.models import Opportunity, Order
from tests.factories import make_customer, make_product
from tests.people import World
from users.models import Event


def make_opportunity(world: World, **values: Any) -> Opportunity:
    defaults = {"stage": "won", "closed_on": date(2026, 3, 2), "amount": Decimal("900.00"), "owner": world.ana}
    return Opportunity.add(by=None, **{**defaults, **values})


def test_a_won_opportunity_becomes_an_order_with_one_line(world: World) -> None:
    product = make_product("GTX", unit_cost=Decimal("320.00"))
    won = make_opportunity(world, customer=make_customer(team=world.north), product=product)

    assert orders_from_won_opportunities(by=world.ada) == 1

    won.refresh_from_db()
    order = won.order
    assert order is not None
    assert (order.customer, order.ordered_on, order.owner) == (won.customer, date(2026, 3, 2), world.ana)
    line = order.lines.get()
    assert (line.product, line.amount, line.cost) == (product, order.amount, order.cost) == (product, Decimal("900.00"), Decimal("320.00"))


def test_running_it_again_writes_nothing(world: World) -> None:
    make_opportunity(world, customer=make_customer(team=world.north))

    assert orders_from_won_opportunities(by=None) == 1
    assert orders_from_won_opportunities(by=None) == 0
    assert Order.objects.count() == 1


@pytest.mark.parametrize("values", [{"stage": "lost"}, {"stage": "engaging"}, {"closed_on": None}])
def test_what_is_not_won_or_has_no_day_becomes_no_order(world: World, values: dict[str, Any]) -> None:
    make_opportunity(world, customer=make_customer(team=world.north), **values)

    assert orders_from_won_opportunities(by=None) == 0


def test_an_opportunity_without_a_customer_becomes_no_order(world: World) -> None:
    make_opportunity(world)

    assert orders_from_won_opportunities(by=None) == 0


def test_each_order_is_numbered_and_on_record(world: World) -> None:
    customer = make_customer(team=world.north)
    for day in (5, 3, 4):
        make_opportunity(world, customer=customer, closed_on=date(2026, 3, day))

    orders_from_won_opportunities(by=world.ada)

    orders = list(Order.objects.order_by("number"))
    assert [order.ordered_on.day for order in orders] == [3, 4, 5]
    events = Event.objects.filter(noun="order", action="created", actor=world.ada, customer_id=customer.pk)
    assert {event.object_id for event in events} == {order.pk for order in orders}
