"""The panel of one customer's value."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from segmentation.models import ContractOutlook, MonthlyValue, TierOverride
from tests.factories import make_contract, make_customer, make_decision, make_run, make_score
from tests.people import World

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def test_the_page_shows_the_tier_and_fetches_the_panel(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer, tier=1)
    page = ana.get(f"/customers/{customer.pk}/").content.decode()
    assert "tier-platinum" in page
    assert f'hx-get="/customers/{customer.pk}/value/"' in page


def test_a_customer_that_no_run_has_seen_has_a_page_and_a_panel(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    assert "badge tier-" not in ana.get(f"/customers/{customer.pk}/").content.decode()
    assert "Not valued yet" in ana.get(f"/customers/{customer.pk}/value/", headers=HTMX).content.decode()


def test_the_panel_tells_value_interval_parts_reasons_and_terms(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(
        customer=customer,
        clv_contracts=Decimal(30_000),
        clv_orders=Decimal(22_000),
        clv_retention_cost=Decimal(2_000),
        churn_risk=0.13,
        next_order_days=41,
        relationship_type="proactive",
        distance_down=Decimal(30_000),
        drivers=[{"code": "contracts", "amount": 30_000.0, "count": 2}, {"code": "trend", "change": -0.2}],
    )
    panel = ana.get(f"/customers/{customer.pk}/value/", headers=HTMX).content.decode()
    for words in (
        "$50K",
        "$35K to $70K",
        "2 contracts are expected to bring $30K",
        "Margin fell by 20%",
        "To Platinum",
        "$50K more of value",
        "13%",
        "in 41 days",
        "Proactive",
        "-$2K",
        "36 months",
        "discounted at 10.0% a year",
        "The first payment counted is the next one",
    ):
        assert words in panel, words
    assert "<html" not in panel


def test_alone_the_panel_is_a_page(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer)
    assert "<html" in ana.get(f"/customers/{customer.pk}/value/").content.decode()


def test_value_over_time_is_drawn_with_its_table(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer, run=make_run(as_of=date(2026, 3, 31)))
    for month, revenue in ((date(2025, 11, 1), 4_000), (date(2026, 2, 1), 9_000)):
        MonthlyValue.objects.create(customer=customer, month=month, order_revenue=revenue, order_cost=1_000)
    chart = ana.get(f"/customers/{customer.pk}/value/", headers=HTMX).context["chart"]
    assert [row[:3] for row in chart.rows][:2] == [["March 2026", "$0", "$0"], ["February 2026", "$9K", "$8K"]]
    assert len(chart.rows) == 5  # from the first month with a figure on


def test_buttons_are_for_those_who_may(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer, tier=1, proposed_tier=2, proposal="approval", proposed_since=timezone.localdate())
    assert "tier/approval" not in ana.get(f"/customers/{customer.pk}/value/", headers=HTMX).content.decode()
    ana.force_login(world.xia)
    panel = ana.get(f"/customers/{customer.pk}/value/", headers=HTMX).content.decode()
    assert "tier/approval" in panel
    assert "tier/override" in panel


def test_the_panel_costs_at_most_fifteen_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    customer = make_customer(team=world.north)
    score = make_score(customer=customer)
    for _ in range(8):
        contract = make_contract(customer=customer)
        ContractOutlook.objects.create(contract=contract, customer=customer, run=score.run, renewal_probability=0.8)
        make_decision(customer=customer, by=world.mo)
    tomorrow = timezone.localdate() + timedelta(days=1)
    TierOverride.add(by=None, customer=customer, tier=2, reason="x", owner=world.mo, ends_on=tomorrow)
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        ana.get(f"/customers/{customer.pk}/value/", headers=HTMX)
