"""The ledger's pages, and its answers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from segmentation import explaining
from segmentation.models import TierDecision
from tests.factories import make_customer, make_decision, make_run
from tests.people import World

LEDGER = "/value/ledger/"


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def kinds(browser: Client, query: str = "") -> list[str]:
    return [decision.kind for decision in browser.get(f"{LEDGER}?{query}").context["page"].rows]


def test_the_ledger_shows_decisions_on_the_readers_customers_newest_first(ana: Client, world: World) -> None:
    mine = make_customer("Mine", team=world.north)
    make_decision(customer=mine)
    make_decision(customer=make_customer(team=world.south), kind="moves", from_tier=1)
    make_decision(customer=mine, kind="waits", proposed_tier=3)
    assert kinds(ana) == ["waits", "first"]


def test_an_empty_ledger_says_what_will_fill_it(ana: Client) -> None:
    assert "No decision yet" in ana.get(LEDGER).content.decode()
    assert "No decision fits" in ana.get(f"{LEDGER}?kind=moves").content.decode()


def test_the_ledger_is_narrowed_by_kind_tier_period_and_customer(ana: Client, world: World) -> None:
    one, other = (make_customer(team=world.north) for _ in range(2))
    make_decision(customer=one, as_of=date(2026, 1, 31))
    make_decision(customer=other, kind="moves", from_tier=2, tier=3, as_of=date(2026, 2, 28))
    for query, found in {
        "kind=moves": ["moves"],
        "tier=2": ["first"],
        "since=2026-02-01": ["moves"],
        "until=2026-02-01": ["first"],
        f"customer={one.pk}": ["first"],
        f"customer={one.pk}&kind=moves": [],
    }.items():
        assert kinds(ana, query) == found, query


@pytest.mark.parametrize(
    "query", ["cursor=x", "kind=%00", "tier=9", "since=2026-99-99", "until=%00", "customer=" + "9" * 30, "customer=x", "customer=²"]
)
def test_hostile_questions_narrow_nothing(ana: Client, world: World, query: str) -> None:
    make_decision(customer=make_customer(team=world.north))
    assert kinds(ana, query) == ["first"]


def test_the_ledger_goes_on_where_a_page_ended(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    for _ in range(45):
        make_decision(customer=customer)
    first = ana.get(LEDGER).context["page"]
    second = ana.get(f"{LEDGER}?cursor={first.next}").context["page"]
    assert len({row.pk for row in [*first.rows, *second.rows]}) == 45


def test_the_ledger_costs_at_most_ten_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(10):
        make_decision(customer=make_customer(team=world.north), by=world.mo)
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        ana.get(f"{LEDGER}?kind=first&tier=2")


def test_why_is_this_customer_gold_and_what_would_make_it_platinum(ana: Client, world: World) -> None:
    decision = make_decision(
        customer=make_customer("Nordlys", team=world.north),
        kind=TierDecision.Kind.MOVES,
        from_tier=3,
        drivers=[{"code": "orders", "amount": 50_000.0, "expected": 2.5}, {"code": "no_order", "days": 400}],
    )
    page = ana.get(f"{LEDGER}{decision.pk}/").content.decode()
    for words in (
        "Why is this customer Gold?",
        "The rules moved it from Iron to Gold.",
        "Customer lifetime value: $50K.",
        "Gold begins at $20K and Platinum at $100K.",
        "Orders are expected to bring $50K; 2.5 are expected within a year",
        "No order for 400 days",
        "What would make it Platinum?",
        "$50K more of value (Customer lifetime value), which is 100% on top of today’s.",
        "From $110K on it moves to Platinum at once; below that, 2 runs in a row must agree.",
    ):
        assert words in page, words


@pytest.mark.parametrize("kind", TierDecision.Kind.values)
def test_every_kind_of_decision_is_told(world: World, kind: str) -> None:
    decision = make_decision(customer=make_customer(team=world.north), kind=kind, from_tier=1, proposed_tier=3, by=world.mo)
    assert "%(" not in explaining.why(decision)[0]


def test_a_rank_is_told_where_it_is_known(world: World) -> None:
    decision = make_decision(customer=make_customer(team=world.north), inputs={"rank": 14, "customers": 2310, "boundaries": {}})
    assert explaining.why(decision)[1] == "By Customer lifetime value it ranks 14 of 2,310, with $50K."


def test_platinum_has_nothing_above_it_and_lead_nothing_below(world: World) -> None:
    platinum, lead = (make_decision(customer=make_customer(team=world.north), tier=tier, value=Decimal(-5)) for tier in (1, 4))
    assert explaining.what_would_lift(platinum) == []
    assert explaining.why(lead)[-1] == "Iron begins at $0."
    assert explaining.what_would_lift(lead)[0] == "$5 more of value."


def test_a_tier_that_nobody_can_be_in_has_no_way_up(world: World) -> None:
    run = make_run(boundaries={"platinum": None, "gold": 20_000.0, "iron": 0.0})
    decision = make_decision(customer=make_customer(team=world.north), run=run)
    assert explaining.what_would_lift(decision) == []
