"""The value of the customers that the reader sees, and who moves."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from customers.models import Job
from segmentation import portfolio
from segmentation.models import ValueRun
from tests.factories import make_customer, make_decision, make_run, make_score
from tests.people import World

HTMX = {"HX-Request": "true"}
CONCENTRATION = {
    "lorenz": [[0.0, 0.0], [0.8, 0.2], [1.0, 1.0]],
    "whale": [[0.0, 0.0], [0.6, 1.2], [1.0, 1.0]],
    "gini": 0.6, "top_20_share": 0.81, "share_for_80": 0.19, "hhi": 0.02, "top_1_share": 0.05, "whale_peak": 1.2,
}  # fmt: skip


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


@pytest.fixture
def xia(client: Client, world: World) -> Client:
    client.force_login(world.xia)
    return client


def test_before_the_first_run_the_page_says_what_to_do(xia: Client) -> None:
    page = xia.get("/value/").content.decode()
    assert "Nobody has been valued yet" in page
    assert "Value now" in page


def test_the_pyramid_counts_the_readers_customers_alone(ana: Client, world: World) -> None:
    run = make_run()
    for team, tier, clv in ((world.north, 1, 90_000), (world.north, 3, 10_000), (world.south, 1, 999_999)):
        make_score(customer=make_customer(team=team), run=run, tier=tier, clv=clv, is_core=tier == 1)
    pyramid = ana.get("/value/").context["pyramid"]
    assert [(layer.customers, layer.clv, layer.value_share) for layer in pyramid.layers] == [
        (1, Decimal(90_000), 0.9),
        (0, Decimal(0), 0.0),
        (1, Decimal(10_000), 0.1),
        (0, Decimal(0), 0.0),
    ]
    assert (pyramid.core, pyramid.core_customer_share, pyramid.core_share) == (1, 0.5, 0.9)


def test_what_loses_money_takes_no_share_of_the_value(world: World) -> None:
    for tier, clv in ((1, 100), (4, -50)):
        make_score(customer=make_customer(team=world.north), tier=tier, clv=clv, is_core=tier == 1)
    pyramid = portfolio.pyramid_of(world.ana)
    assert [layer.value_share for layer in pyramid.layers] == [1.0, 0.0, 0.0, 0.0]
    assert pyramid.clv == 50


def test_the_companys_figures_are_for_those_who_steer(ana: Client, world: World) -> None:
    make_run(concentration=CONCENTRATION, is_indicative=True, warnings=[{"code": "losses", "customers": 12}])
    page = ana.get("/value/").content.decode()
    assert "Lorenz curve" not in page
    assert "$150K" not in page
    assert "indicative" in page
    ana.force_login(world.xia)
    page = ana.get("/value/").content.decode()
    for words in ("Lorenz curve", "Whale curve", "81%", "$150K", "$120K to $190K", "Many orders lose money", "12 customers"):
        assert words in page, words


def test_the_watch_and_the_approvals_are_listed(xia: Client, world: World) -> None:
    run = make_run()
    names: dict[str, dict[str, Any]] = {
        "Sure": {},
        "Likely": {"move_probability": 0.4},
        "Held": {"tier": 1, "proposed_tier": 2, "proposal": "approval"},
    }
    for name, values in names.items():
        make_score(customer=make_customer(name, team=world.north), run=run, **values)
    context = xia.get("/value/").context
    assert sorted(score.customer.name for score, _reasons in context["watch"]) == ["Held", "Likely"]
    assert [score.customer.name for score in context["approvals"]] == ["Held"]


def test_the_page_costs_at_most_ten_queries(xia: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    run = make_run(concentration=CONCENTRATION)
    for _ in range(12):
        make_score(customer=make_customer(team=world.north), run=run, tier=1, proposed_tier=2, proposal="approval")
    xia.get("/customers/")
    with django_assert_max_num_queries(10):
        xia.get("/value/")


@pytest.mark.parametrize(
    ("by", "names"), [("industry", ["retail", ""]), ("team", ["North"]), ("owner", ["Ana", ""]), ("nonsense", ["retail", ""])]
)
def test_value_is_added_up_by_what_is_asked(ana: Client, world: World, by: str, names: list[str]) -> None:
    make_score(customer=make_customer(team=world.north, industry="retail", owner=world.ana), clv=70_000)
    make_score(customer=make_customer(team=world.north), clv=20_000)
    groups = ana.get(f"/value/groups/?by={by}", headers=HTMX).context["groups"]
    assert [group.name for group in groups] == names
    assert groups[0].clv >= 70_000


def test_home_names_own_customers_that_are_about_to_move(ana: Client, world: World) -> None:
    run = make_run()
    for name, owner, chance in (("Mine", world.ana, 0.5), ("Calm", world.ana, 0.1), ("Mos", world.mo, 0.5)):
        make_score(customer=make_customer(name, team=world.north, owner=owner), run=run, move_probability=chance)
    assert 'hx-get="/value/concerns-me/"' in ana.get("/").content.decode()
    concerns = ana.get("/value/concerns-me/", headers=HTMX).context["concerns"]
    assert [score.customer.name for score in concerns] == ["Mine"]


def test_pressing_twice_starts_one_run(xia: Client) -> None:
    for _ in range(2):
        xia.post("/value/runs/start/")
    assert [job.kind for job in Job.objects.all()] == ["value-run"]


# ── Who moved ─────────────────────────────────────────────────────────────────────────────────────────────────────────

BEGIN, MIDDLE, END = date(2025, 12, 31), date(2026, 2, 1), date(2026, 3, 31)


def test_moves_of_a_period_are_told_with_their_reasons(ana: Client, world: World) -> None:
    mine, theirs = make_customer("Mine", team=world.north), make_customer(team=world.south)
    for customer in (mine, theirs):
        make_score(customer=customer)
        make_decision(customer=customer, kind="moves", from_tier=3, tier=2, as_of=MIDDLE)
        make_decision(customer=customer, kind="moves", from_tier=2, tier=3, as_of=END + timedelta(days=1))
    answer = ana.get(f"/value/moves/?since={BEGIN}&until={END}")
    assert [(one.customer.name, one.from_tier, one.tier) for one in answer.context["page"].rows] == [("Mine", 3, 2)]
    assert "Orders are expected to bring $50K" in answer.content.decode()


def test_the_matrix_counts_from_where_to_where(world: World) -> None:
    run = make_run()

    def valued(tier: int, *decisions: tuple[str, int | None, int, date]) -> None:
        customer = make_customer(team=world.north)
        make_score(customer=customer, run=run, tier=tier)
        for kind, before, after, day in decisions:
            make_decision(customer=customer, run=run, kind=kind, from_tier=before, tier=after, as_of=day)

    old = ("first", None, 2, BEGIN - timedelta(days=90))
    valued(2, old)  # stays
    valued(1, old, ("moves", 2, 1, MIDDLE))  # moves in the period
    valued(3, old, ("moves", 2, 3, END + timedelta(days=5)))  # moves after it
    valued(2, old, ("moves", 2, 3, MIDDLE), ("approved", 3, 2, MIDDLE))  # there and back
    valued(4, ("first", None, 4, MIDDLE))  # is new
    valued(3, ("first", None, 3, END + timedelta(days=5)))  # was not there yet
    found = portfolio.migrations(world.ana, BEGIN, END)
    assert found.counts == {(2, 2): 3, (2, 1): 1, (None, 4): 1}
    assert portfolio.migrations(world.eve, BEGIN, END).is_empty


def test_a_matrix_between_two_runs_goes_by_their_days(world: World) -> None:
    first, second = (ValueRun(as_of=day) for day in (BEGIN, END))
    found = portfolio.migrations_between(first, second, reader=world.ana)
    assert (found.since, found.until) == (BEGIN, END)


@pytest.mark.parametrize(
    ("today", "period"),
    [
        (date(2026, 11, 24), (date(2026, 6, 30), date(2026, 9, 30))),
        (date(2026, 1, 1), (date(2025, 9, 30), date(2025, 12, 31))),
        (date(2026, 6, 30), (date(2025, 12, 31), date(2026, 3, 31))),
    ],
)
def test_the_last_quarter_is_the_calendars(today: date, period: tuple[date, date]) -> None:
    assert portfolio.last_quarter(today) == period


@pytest.mark.parametrize("query", ["since=2026-99-99&until=x", "since=2026-04-01&until=2026-01-01", "since=2026-01-01", "since=%00"])
def test_a_period_that_is_none_is_said_and_the_last_quarter_shown(ana: Client, query: str) -> None:
    answer = ana.get(f"/value/moves/?{query}")
    assert answer.context["error"]
    assert (answer.context["since"], answer.context["until"]) == portfolio.last_quarter(timezone.localdate())


def test_moves_cost_at_most_ten_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(5):
        customer = make_customer(team=world.north)
        make_score(customer=customer)
        make_decision(customer=customer, kind="moves", from_tier=3, tier=2, as_of=MIDDLE, by=world.mo)
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        assert len(ana.get(f"/value/moves/?since={BEGIN}&until={END}").context["page"].rows) == 5
