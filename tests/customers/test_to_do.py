from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import ImportProblem, ImportRun, Opportunity, SourceSystem
from customers.views.to_do import PAGE_SIZE
from tests.factories import make_customer
from tests.people import World
from users.models import User

TO_DO = "/to-do/"


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def make_problem(by: User, **values: str) -> ImportProblem:
    source = SourceSystem.objects.get_or_create(code="erp", defaults={"name": "ERP"})[0]
    run = ImportRun.objects.create(kind="opportunities", source=source, by=by, file_name="pipeline.csv")
    return ImportProblem.objects.create(
        run=run, row_number=7, severity="to_do", row={"account": ""}, **{"code": "customer_missing", **values}
    )


def test_opportunities_without_a_customer_wait_for_their_sellers_team(ana: Client, world: World) -> None:
    mine = Opportunity.add(by=None, owner=world.ana, title="Mine")
    Opportunity.add(by=None, owner=world.eve, title="Theirs")
    Opportunity.add(by=None, owner=world.ana, customer=make_customer(team=world.north), title="Settled")
    assert [row.pk for row in ana.get(TO_DO).context["page"].rows] == [mine.pk]


def test_assigning_a_customer_takes_it_off_the_list(ana: Client, world: World) -> None:
    opportunity = Opportunity.add(by=None, owner=world.ana)
    customer = make_customer(team=world.north)
    ana.post(f"/to-do/opportunities/{opportunity.pk}/customer/", {"customer": customer.pk, "version": 1})
    opportunity.refresh_from_db()
    assert (opportunity.customer, opportunity.version) == (customer, 2)
    assert ana.get(TO_DO).context["page"].rows == []


@pytest.mark.parametrize("customer", ["", "\x00", "99999999999999999999999", "theirs"])
def test_what_is_no_customer_in_reach_assigns_nothing(ana: Client, world: World, customer: str) -> None:
    opportunity = Opportunity.add(by=None, owner=world.ana)
    chosen = str(make_customer(team=world.south).pk) if customer == "theirs" else customer
    answer = ana.post(f"/to-do/opportunities/{opportunity.pk}/customer/", {"customer": chosen, "version": 1}, follow=True)
    assert "choose one from the suggestions" in answer.content.decode()
    opportunity.refresh_from_db()
    assert opportunity.customer is None


def test_a_stale_assignment_is_refused(ana: Client, world: World) -> None:
    opportunity = Opportunity.add(by=None, owner=world.ana)
    opportunity.change(by=world.mo, title="New title")
    customer = make_customer(team=world.north)
    ana.post(f"/to-do/opportunities/{opportunity.pk}/customer/", {"customer": customer.pk, "version": 1})
    opportunity.refresh_from_db()
    assert opportunity.customer is None


def test_another_teams_opportunity_is_not_there(ana: Client, world: World) -> None:
    theirs = Opportunity.add(by=None, owner=world.eve)
    assert ana.post(f"/to-do/opportunities/{theirs.pk}/customer/", {"version": 1}).status_code == 404


def test_a_row_with_a_question_is_shown_as_received_and_resolved(ana: Client, world: World) -> None:
    problem = make_problem(world.ana)
    make_problem(world.eve)
    page = ana.get(f"{TO_DO}?tab=rows")
    assert [row.pk for row in page.context["page"].rows] == [problem.pk]
    assert "No customer is named" in page.content.decode()
    ana.post(f"/to-do/rows/{problem.pk}/resolve/")
    problem.refresh_from_db()
    assert problem.resolved_by == world.ana
    assert ana.get(f"{TO_DO}?tab=rows").context["page"].rows == []


def test_another_persons_row_is_not_there(ana: Client, world: World) -> None:
    assert ana.post(f"/to-do/rows/{make_problem(world.eve).pk}/resolve/").status_code == 404


@pytest.mark.parametrize("tab", ["opportunities", "rows"])
def test_the_list_costs_at_most_ten_queries(
    ana: Client, world: World, tab: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(PAGE_SIZE + 3):
        Opportunity.add(by=None, owner=world.ana)
        make_problem(world.ana)
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        assert len(ana.get(f"{TO_DO}?tab={tab}&cursor=rubbish").context["page"].rows) == PAGE_SIZE
