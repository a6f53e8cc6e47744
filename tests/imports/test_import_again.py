"""Rows that waited for an answer, imported again once it was given."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from customers import jobs
from customers.imports import again, runs, undoing
from customers.imports import jobs as _handlers  # noqa: F401
from customers.models import ContactPoint, Customer, ImportProblem, ImportRun, Job, Order, SourceSystem
from tests.factories import make_contact, make_customer
from tests.imports.files import counts, problems, run_file
from tests.people import World

ORDERS = (
    "order no,line,customer,date,amount,note\n"
    'A1,1,Acme,05/01/2026,10,"a ""quoted"", one"\nA2,1,Nobody Inc,06/01/2026,20,x\n'
    "A2,2,Nobody Inc,06/01/2026,5,\nA3,1,Else Ltd,07/01/2026,1,\n"
)
OPTIONS = {"columns": {"date": {"order": "dmy"}}}


@pytest.fixture
def ivy(world: World, client: Client) -> Client:
    client.force_login(world.ivy)
    return client


@pytest.fixture
def orders(world: World) -> ImportRun:
    make_customer("Acme", team=world.north)
    run = run_file(ORDERS, "orders", by=world.ivy, options=OPTIONS)
    assert counts(run) == {"created": 1, "to_do": 3}
    return run


def _work() -> None:
    for job in Job.objects.unfinished():
        jobs.run(job.pk)
        job.refresh_from_db()
        assert job.state == "done", job.error


def _name(client: Client, run: ImportRun, value: str, customer: Customer) -> None:
    problem = run.problems.to_do().filter(value=value).first()
    assert problem is not None
    client.post(reverse("customers:row-assign", args=[problem.pk]), {"customer": customer.pk})


def _again(client: Client, run: ImportRun) -> ImportRun:
    response = client.post(reverse("customers:import-again", args=[run.pk]))
    _work()
    later = ImportRun.objects.latest("pk")
    assert response["Location"] == reverse("customers:import", args=[later.pk])
    return later


def test_an_assigned_name_brings_its_rows_in_and_leaves_the_others_waiting(world: World, ivy: Client, orders: ImportRun) -> None:
    nordlys = make_customer("Nordlys", team=world.north)
    page = ivy.get("/to-do/?tab=rows").content.decode()
    assert reverse("customers:import-again", args=[orders.pk]) in page
    _name(ivy, orders, "Nobody Inc", nordlys)
    later = _again(ivy, orders)
    assert counts(later) == {"created": 1, "updated": 1, "to_do": 1}
    order = Order.objects.get(source_key="A2")
    assert (order.customer, order.lines.count(), order.ordered_on.month) == (nordlys, 2, 1)
    assert order.amount == 25
    assert list(ImportProblem.objects.to_do().values_list("run", "value")) == [(later.pk, "Else Ltd")]
    assert set(orders.problems.values_list("resolved_by", flat=True)) == {world.ivy.pk}


def test_a_second_click_starts_nothing_more(world: World, ivy: Client, orders: ImportRun) -> None:
    for _time in range(2):
        ivy.post(reverse("customers:import-again", args=[orders.pk]))
    assert ImportRun.objects.count() == 2
    with pytest.raises(ValidationError):
        again.import_again(orders, by=world.ivy)
    assert ivy.get("/to-do/?tab=rows").context["page"].rows == []


def test_rows_that_came_in_otherwise_meanwhile_are_found_by_their_key(world: World, ivy: Client, orders: ImportRun) -> None:
    _name(ivy, orders, "Nobody Inc", make_customer("Nordlys", team=world.north))
    run_file(ORDERS, "orders", by=world.ivy, options=OPTIONS)
    assert Order.objects.count() == 2
    assert counts(_again(ivy, orders)) == {"unchanged": 2, "to_do": 1}
    assert Order.objects.count() == 2


def test_undoing_removes_what_came_and_asks_again(world: World, ivy: Client, orders: ImportRun) -> None:
    _name(ivy, orders, "Nobody Inc", make_customer("Nordlys", team=world.north))
    later = _again(ivy, orders)
    undoing.undo(later, lambda _done: None)
    assert list(Order.objects.values_list("source_key", flat=True)) == ["A1"]
    assert set(ImportProblem.objects.to_do().values_list("run", flat=True)) == {orders.pk}
    assert counts(_again(ivy, orders)) == {"created": 1, "updated": 1, "to_do": 1}


def test_a_run_that_was_cancelled_gives_the_questions_back(world: World, orders: ImportRun) -> None:
    later = again.import_again(orders, by=world.ivy)
    assert not ImportProblem.objects.to_do().exists()
    runs.cancel(later)
    assert ImportProblem.objects.to_do().count() == 3


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("contracts", "id,customer,title,amount,start\n1,Nobody Inc,Care,100,2026-02-01\n"),
        ("assets", "id,customer,serial\n1,Nobody Inc,S1\n"),
        ("contact_points", "id,customer,when,kind,subject\n1,Nobody Inc,2026-01-05,Call,Hello\n"),
    ],
)
def test_every_kind_that_waits_can_be_taken_up(world: World, ivy: Client, kind: str, text: str) -> None:
    run = run_file(text, kind, by=world.ivy)
    _name(ivy, run, "Nobody Inc", make_customer("Nordlys", team=world.north))
    assert counts(_again(ivy, run)) == {"created": 1}
    assert not ImportProblem.objects.to_do().exists()


def test_a_contact_gets_the_place_and_the_superior_that_it_waited_for(world: World, ivy: Client) -> None:
    run = run_file("id,name,company,reports to\n1,Li Wei,Nobody Inc,Chief\n", "contacts", by=world.ivy)
    nordlys = make_customer("Nordlys", team=world.north)
    chief = make_contact("Chief", customer=nordlys)
    _name(ivy, run, "Nobody Inc", nordlys)
    assert problems(_again(ivy, run)) == []
    assert nordlys.positions.get(contact__name="Li Wei").reports_to == chief


def test_a_customers_number_stands_for_a_name_only_where_a_customer_is_named(world: World, ivy: Client, orders: ImportRun) -> None:
    nordlys = make_customer("Nordlys", team=world.north)
    _name(ivy, orders, "Nobody Inc", nordlys)
    assert SourceSystem.objects.get(code="erp").hints == {"Nobody Inc": nordlys.number}
    run_file("id,name\n77,Nobody Inc\n", "customers", by=world.ivy)
    assert Customer.objects.filter(legal_name="Nobody Inc").exists()


def test_another_persons_rows_cannot_be_answered_or_taken_up(world: World, ivy: Client) -> None:
    run = run_file("id,customer,serial\n1,Nobody Inc,S1\n", "assets", by=world.eve)
    assert ivy.post(reverse("customers:import-again", args=[run.pk])).status_code == 404
    assert ivy.post(reverse("customers:row-assign", args=[run.problems.get().pk]), {"customer": 1}).status_code == 404


def test_a_customer_out_of_reach_is_no_answer(world: World, ivy: Client, orders: ImportRun) -> None:
    _name(ivy, orders, "Nobody Inc", make_customer("Theirs", team=world.south))
    assert SourceSystem.objects.get(code="erp").hints == {}


def test_the_file_with_cells_that_look_like_formulas_comes_again_as_it_was(world: World, ivy: Client) -> None:
    text = 'id,customer,when,kind,subject,body\n1,Nobody Inc,2026-01-05,Call,\'=1+1,"two\nlines; and, commas"\n'
    run = run_file(text, "contact_points", by=world.ivy)
    _name(ivy, run, "Nobody Inc", make_customer("Nordlys", team=world.north))
    _again(ivy, run)
    point = ContactPoint.objects.get()
    assert (point.subject, point.body) == ("=1+1", "two\nlines; and, commas")
