"""The list of customers with what they are worth: columns, filters, orders, file."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from customers.views.customer_list import SORTS
from segmentation.customer_list import with_churn_risk, with_clv
from tests.api.test_plans import plan_of
from tests.factories import make_customer, make_run, make_score
from tests.people import World

VALUE_COLUMNS = ["tier", "clv", "trend", "churn_risk", "margin_12m"]


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


@pytest.fixture
def three(world: World) -> list[Customer]:
    """Big: Platinum and safe. Small: Iron, a risk, about to move. New: not valued."""
    run = make_run()
    big, small, new = (make_customer(name, team=world.north) for name in ("Big", "Small", "New"))
    make_score(customer=big, run=run, tier=1, clv=200_000, churn_risk=0.05, trend=0.25)
    make_score(customer=small, run=run, tier=3, clv=900, churn_risk=0.6, is_core=False, proposed_tier=4, proposal="confirm")
    return [big, small, new]


def names(browser: Client, query: str) -> list[str]:
    return [customer.name for customer in browser.get(f"/customers/?{query}").context["page"].rows]


def test_the_list_shows_tier_value_trend_and_risk(ana: Client, three: list[Customer]) -> None:
    ana.post("/customers/columns/", {"column": VALUE_COLUMNS})
    page = ana.get("/customers/").content.decode()
    for words in ("tier-platinum", "$200K", "↑ 25%", "60%", "$20K", "waits for a second run"):
        assert words in page, words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tier=platinum", ["Big"]),
        ("tier=iron", ["Small"]),
        ("core=yes", ["Big"]),
        ("churn_risk=0.5", ["Small"]),
        ("churn_risk=0.01", ["Big", "Small"]),
        ("about_to_move=yes", ["Small"]),
        ("sort=-clv", ["Big", "Small"]),
        ("sort=clv", ["Small", "Big"]),
        ("sort=-churn_risk", ["Small", "Big"]),
        ("", ["Big", "New", "Small"]),
    ],
)
def test_the_list_is_narrowed_and_sorted_by_value(ana: Client, three: list[Customer], query: str, found: list[str]) -> None:
    assert names(ana, query) == found


@pytest.mark.parametrize("query", ["tier=nonsense", "churn_risk=2", "churn_risk=x", "core=%00", "about_to_move=no"])
def test_a_hostile_filter_is_answered_in_words(ana: Client, three: list[Customer], query: str) -> None:
    answer = ana.get(f"/customers/?{query}")
    assert answer.status_code == 200
    assert answer.context["errors"]


@pytest.mark.parametrize("sort", ["-clv", "churn_risk"])
def test_pages_by_value_go_over_each_row_once(ana: Client, world: World, sort: str) -> None:
    run = make_run()
    for number in range(57):
        make_score(customer=make_customer(team=world.north), run=run, clv=Decimal(number % 5), churn_risk=(number % 7) / 7)
    first = ana.get(f"/customers/?sort={sort}").context["page"]
    second = ana.get(f"/customers/?sort={sort}&cursor={first.next}").context["page"]
    assert len({customer.pk for customer in [*first.rows, *second.rows]}) == 57
    assert second.next is None


def test_the_file_has_the_same_figures(ana: Client, three: list[Customer]) -> None:
    answer = ana.get("/customers/export/?sort=-clv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["Tier"], row["Lifetime value"], row["Churn risk"]) for row in rows] == [
        ("Platinum", "200000.00", "0.05"),
        ("Iron", "900.00", "0.6"),
    ]


def test_the_file_of_all_has_those_not_valued(ana: Client, three: list[Customer]) -> None:
    answer = ana.get("/customers/export/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert [row["Tier"] for row in csv.DictReader(io.StringIO(text))] == ["Platinum", "", "Iron"]


def test_orders_by_value_walk_their_indexes(world: World) -> None:
    customers = Customer.objects.visible_to(world.ada)
    for prepare, key, index in ((with_clv, "-clv", "score_by_clv"), (with_churn_risk, "-churn_risk", "score_by_churn_risk")):
        assert index in plan_of(prepare(customers).order_by(*SORTS[key].columns()))


def test_the_list_with_all_value_columns_costs_at_most_ten_queries(
    ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_run()
    for _ in range(5):
        make_score(customer=make_customer(team=world.north, owner=world.ana), run=run, proposed_tier=3, proposal="confirm")
        make_customer(team=world.north)
    ana.post("/customers/columns/", {"column": [*VALUE_COLUMNS, "owner", "team"]})
    with django_assert_max_num_queries(10):
        ana.get("/customers/")
    with django_assert_max_num_queries(10):
        ana.get("/customers/?sort=-clv&tier=gold&about_to_move=yes")
