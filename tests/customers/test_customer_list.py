from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import CustomField
from customers.views.customer_columns import COLUMNS
from customers.views.customer_list import PAGE_SIZE
from tests.factories import make_customer
from tests.people import World

LIST = "/customers/"


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def names(client: Client, query: str = "") -> list[str]:
    page = client.get(f"{LIST}?{query}").context["page"]
    return [customer.name for customer in page.rows]


def test_the_list_shows_what_the_person_reaches_by_name(ana: Client, world: World) -> None:
    for name in ("Zeta", "acme", "Éclair"):
        make_customer(name, team=world.north)
    make_customer("Elsewhere", team=world.south)
    assert names(ana) == ["acme", "Éclair", "Zeta"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=hua", ["华信"]),
        ("status=active", ["Acme"]),
        ("kind=partner", ["华信"]),
        ("industry=retail", ["Acme"]),
        ("region=East", ["华信"]),
        ("tag=vip", ["Acme"]),
        ("owner=null", ["华信"]),
        ("custom_floor=7", ["Acme"]),
        ("custom_floor=7.0&industry=retail", ["Acme"]),
        ("q=acme&status=lost", []),
    ],
)
def test_each_filter_narrows_the_list(ana: Client, world: World, query: str, found: list[str]) -> None:
    CustomField.add(by=world.ada, key="floor", label="Floor", kind="number")
    make_customer("Acme", team=world.north, status="active", industry="retail", tags=["vip"], owner=world.ana, custom={"floor": 7})
    make_customer("华信", team=world.north, kind="partner", region="East")
    assert names(ana, query) == found


@pytest.mark.parametrize("sort", ["name", "-name", "number", "-number", "revenue", "-revenue", "updated", "-updated"])
def test_every_order_pages_forth_and_back_over_each_row_once(ana: Client, world: World, sort: str) -> None:
    for index in range(PAGE_SIZE + 7):
        make_customer(f"Customer {index % 9}", team=world.north, annual_revenue=Decimal(index % 5) if index % 3 else None)
    first = ana.get(f"{LIST}?sort={sort}").context["page"]
    second = ana.get(f"{LIST}?sort={sort}&cursor={first.next}").context["page"]
    assert len({row.pk for row in [*first.rows, *second.rows]}) == PAGE_SIZE + 7
    assert second.next is None
    back = ana.get(f"{LIST}?sort={sort}&cursor={second.previous}").context["page"]
    assert [row.pk for row in back.rows] == [row.pk for row in first.rows]


def test_chosen_columns_are_remembered(ana: Client, world: World) -> None:
    make_customer("Acme", team=world.north, industry="retail", tags=["vip"])
    answer = ana.post("/customers/columns/?q=acme", {"column": ["tags", "team", "nonsense"]}, follow=True)
    assert answer.redirect_chain[0][0] == "/customers/?q=acme"
    assert "vip" in answer.content.decode()
    assert [str(column.label) for column in ana.get(LIST).context["shown"]] == ["Team", "Tags"]


def test_typing_brings_the_rows_alone(ana: Client, world: World) -> None:
    make_customer("Acme", team=world.north)
    answer = ana.get(f"{LIST}?q=acm", headers={"HX-Request": "true"}).content.decode()
    assert "Acme" in answer
    assert "<html" not in answer


def test_a_list_costs_at_most_ten_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(PAGE_SIZE + 5):
        make_customer(team=world.north, owner=world.ana, industry=f"Industry {number}", tags=["a", "b"])
    ana.post("/customers/columns/", {"column": list(COLUMNS)})
    with django_assert_max_num_queries(10):
        assert len(ana.get(f"{LIST}?owner={world.ana.pk}&team={world.north.pk}&sort=-revenue").context["page"].rows) == PAGE_SIZE


@pytest.mark.parametrize(
    "query",
    [
        "cursor=rubbish",
        "cursor=WyJmIiwibmFtZSIsIlx1MDAwMCIsMV0",
        "cursor=" + "A" * 5000,
        "q=%00",
        "q=" + "x" * 300,
        "sort=password",
        "status=nonsense",
        "owner=99999999999999999999",
        "owner=%00",
        "team=-1",
        "tag=%00",
        "custom_floor=1e999",
        "custom_floor=" + "9" * 5000,
        "custom_floor=%00",
    ],
)
def test_hostile_questions_are_answered_in_words(ana: Client, world: World, query: str) -> None:
    CustomField.add(by=world.ada, key="floor", label="Floor", kind="number")
    assert ana.get(f"{LIST}?{query}").status_code == 200


def test_another_teams_colleague_is_no_filter(ana: Client, world: World) -> None:
    assert ana.get(f"{LIST}?owner={world.eve.pk}").context["errors"]


def test_an_empty_house_shows_the_way_on_and_a_strict_filter_how_to_loosen(ana: Client) -> None:
    assert "No customers yet" in ana.get(LIST).content.decode()
    assert "No customer fits" in ana.get(f"{LIST}?q=nobody").content.decode()
