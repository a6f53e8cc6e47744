from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from customers import queries
from customers.models import Contract, Customer, Opportunity
from tests.factories import make_contact_point, make_contract, make_customer
from tests.people import World


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def test_an_empty_house_shows_the_first_steps(ana: Client) -> None:
    page = ana.get("/").content.decode()
    assert "First steps" in page
    assert "/customers/new/" in page


def test_home_tells_what_concerns_the_person(ana: Client, world: World) -> None:
    today = timezone.localdate()
    mine = make_customer("Acme", team=world.north, owner=world.ana, status="active")
    theirs = make_customer("Theirs", team=world.south, owner=world.eve)
    for customer in (mine, theirs):
        make_contact_point(customer=customer)
        make_contract(customer=customer, starts_on=today - timedelta(days=300), ends_on=today + timedelta(days=30))
    make_contract(customer=mine, starts_on=today, ends_on=today + timedelta(days=200))
    Opportunity.add(by=None, owner=world.ana)
    context = ana.get("/").context
    assert [(status, str(count)) for status, _label, count in context["statuses"]] == [("active", "1")]
    assert [point.customer for point in context["points"]] == [mine]
    assert [contract.customer for contract in context["contracts"]] == [mine]
    assert str(context["to_do"]["opportunities"]) == "1"


def test_counting_stops_where_the_page_needs_no_more(world: World) -> None:
    for _ in range(4):
        make_customer(team=world.north)
    assert str(queries.count_up_to(Customer.objects.all(), 3)) == "3+"
    assert str(queries.count_up_to(Customer.objects.all(), 4)) == "4"
    assert not queries.count_up_to(Contract.objects.all(), 4)


def test_home_costs_at_most_ten_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(12):
        customer = make_customer(team=world.north, owner=world.ana)
        make_contact_point(customer=customer, by=world.ana)
        make_contract(customer=customer, ends_on=timezone.localdate() + timedelta(days=3))
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        ana.get("/")
