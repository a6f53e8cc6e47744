"""What winning a customer cost, and when it came back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from customers.models import Customer, ExchangeRate
from segmentation import monthly
from segmentation.acquisition import Effort, Efforts, Payback, SourcePayback, payback, payback_by_source, sales_efforts
from segmentation.models import RuleVersion
from tests.factories import make_contact_point, make_customer, make_order
from tests.people import World

TODAY = date(2024, 11, 24)
TEN_WINS = Effort(visits=20, wins=10, visit_cost=Decimal(1000))


def customer(world: World, **values: Any) -> Customer:
    return make_customer(team=world.north, **values)


def visit(at: Customer, day: date, **values: Any) -> None:
    moment = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    make_contact_point(customer=at, at=moment, kind="visit", channel="in_person", **{"cost": Decimal(100), **values})


def rules() -> RuleVersion:
    return RuleVersion.in_force()


def efforts() -> Efforts:
    monthly.rebuild(as_of=TODAY, rules=rules())
    return sales_efforts(as_of=TODAY, rules=rules())


def way_back(of: Customer, known: Efforts | None = None) -> Payback:
    monthly.rebuild(as_of=TODAY, rules=rules())
    (found,) = payback([of.pk], as_of=TODAY, rules=rules(), efforts=known or {})
    return found


def test_visits_to_those_never_won_are_part_of_what_a_win_costs(world: World) -> None:
    won, lost = customer(world, acquisition_source="web"), customer(world, acquisition_source="fair")
    visit(won, date(2024, 2, 1))
    visit(won, date(2024, 2, 9), cost=None, minutes=100)  # at 1.60 a minute
    visit(lost, date(2024, 5, 1))
    make_order(customer=won, ordered_on=date(2024, 3, 2))
    assert efforts() == {None: Effort(3, 1, Decimal(360)), "web": Effort(2, 1, Decimal(260)), "fair": Effort(1, 0, Decimal(100))}
    assert (Effort(3, 2, Decimal(360)).cost_per_win, Effort(1, 0, Decimal(100)).cost_per_win) == (Decimal(180), None)


def test_what_is_no_sales_visit_does_not_count(world: World) -> None:
    won = customer(world)
    make_order(customer=won, ordered_on=date(2024, 3, 2))
    visit(won, date(2024, 4, 1))  # after the first revenue
    visit(won, date(2024, 3, 1), stage="use")
    visit(won, date(2022, 10, 31))  # longer ago than is looked back
    make_contact_point(customer=won, at=datetime(2024, 2, 1, tzinfo=UTC), minutes=10)  # a call
    assert efforts()[None] == Effort(0, 1, Decimal(0))


def test_a_cost_on_record_comes_before_any_estimate(world: World) -> None:
    known, unknown = customer(world, acquisition_cost=Decimal(50)), customer(world)
    assert (way_back(known, {None: TEN_WINS}).cost, way_back(known).is_estimate) == (Decimal(50), False)
    assert way_back(unknown, {None: TEN_WINS})[1:3] == (Decimal(100), True)
    assert way_back(unknown)[1:3] == (None, False)


def test_a_source_with_few_wins_is_estimated_by_the_companys_figure(world: World) -> None:
    by_fair = customer(world, acquisition_source="fair")
    for wins, cost in ((9, 100), (10, 30)):
        assert way_back(by_fair, {None: TEN_WINS, "fair": Effort(5, wins, Decimal(300))}).cost == cost


def test_a_cost_in_foreign_money_is_converted_or_unknown(world: World) -> None:
    foreign = customer(world, acquisition_cost=Decimal(50), currency="EUR", acquired_on=date(2024, 2, 1))
    assert way_back(foreign, {None: TEN_WINS}).cost is None
    ExchangeRate.objects.create(currency="EUR", on=date(2024, 1, 1), rate=Decimal(2))
    ExchangeRate.objects.create(currency="EUR", on=date(2024, 3, 1), rate=Decimal(3))
    assert way_back(foreign).cost == 100


@pytest.mark.parametrize(("cost", "months"), [(30, 1), (40, 1), (41, 14), (81, None)])
def test_payback_counts_months_from_the_first_revenue(world: World, cost: int, months: int | None) -> None:
    one = customer(world, acquisition_cost=Decimal(cost))
    visit(one, date(2023, 1, 5))  # part of winning, and no margin to be earned back
    make_order(customer=one, amount=100, cost=60, ordered_on=date(2023, 3, 31))
    make_order(customer=one, amount=100, cost=60, ordered_on=date(2024, 4, 1))
    assert way_back(one) == Payback(one.pk, Decimal(cost), False, date(2023, 3, 1), months, Decimal(80))


def test_a_customer_without_revenue_has_paid_nothing_back(world: World) -> None:
    one = customer(world, acquisition_cost=Decimal(0))
    visit(one, date(2024, 1, 5))
    assert way_back(one) == Payback(one.pk, Decimal(0), False, None, None, Decimal(0))


def test_sources_are_compared_by_those_they_won(world: World) -> None:
    for amount, cost in ((100, 30), (100, 50), (200, 90)):
        one = customer(world, acquisition_source="fair", acquisition_cost=Decimal(cost))
        make_order(customer=one, amount=amount, cost=60, ordered_on=date(2024, 3, 2))
    customer(world, acquisition_source="fair", acquisition_cost=Decimal(1000))  # not won
    gone = customer(world, acquisition_source="fair")
    gone.discard(by=world.ada)
    make_order(customer=customer(world), ordered_on=date(2024, 3, 2))  # won, at unknown cost
    monthly.rebuild(as_of=TODAY, rules=rules())
    assert payback_by_source(as_of=TODAY, rules=rules(), efforts={}) == [
        SourcePayback("fair", customers=4, won=3, cost=Decimal(170), earned=Decimal(220), paid_back=2, median_months=1.0),
        SourcePayback("", customers=1, won=1, cost=Decimal(0), earned=Decimal(0), paid_back=0, median_months=None),
    ]
