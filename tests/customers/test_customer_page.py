from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from customers.models import Asset, ContactMethod, ContactPoint, CustomField, Invoice, Opportunity, SourceRecord, SourceSystem
from customers.views.customer import TABS
from customers.views.timeline import PAGE_SIZE
from tests.factories import make_contact, make_contact_point, make_contract, make_customer, make_order, make_product
from tests.people import World


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def test_another_teams_customer_is_not_there(ana: Client, world: World) -> None:
    theirs = make_customer(team=world.south)
    for path in ("", "edit/", "history/", "timeline/"):
        assert ana.get(f"/customers/{theirs.pk}/{path}").status_code == 404
    assert ana.get("/customers/99999999999999999999999/").status_code == 404


@pytest.mark.parametrize("tab", [*TABS, "nonsense"])
def test_every_tab_costs_at_most_fifteen_queries(
    ana: Client, world: World, tab: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    product = make_product()
    CustomField.add(by=None, key="floor", label="Floor", kind="date")
    parent = make_customer("Parent", team=world.north)
    customer = make_customer("Acme", team=world.north, by=world.ana, parent=parent, owner=world.ana, custom={"floor": "2026-01-02"})
    for index in range(30):
        make_order(customer=customer, owner=world.ana)
        make_contract(customer=customer, product=product)
        make_contact_point(customer=customer, by=world.ana)
        contact = make_contact(customer=customer)
        ContactMethod.add(by=None, contact=contact, kind="mail", value=f"{index}@a.example", normalised=f"{index}@a.example")
        Opportunity.add(by=None, customer=customer, product=product, owner=world.ana)
        Asset.add(by=None, customer=customer, product=product, serial=f"S{index}")
        Invoice.add(by=None, customer=customer, issued_on=date(2026, 1, 1), due_on=date(2026, 2, 1), amount=Decimal(5))
        make_customer(team=world.north, parent=customer)
    ana.get("/customers/")  # signing in notes the session once
    with django_assert_max_num_queries(15):
        answer = ana.get(f"/customers/{customer.pk}/?tab={tab}")
    assert answer.status_code == 200


def test_a_value_names_its_source(ana: Client, world: World) -> None:
    erp = SourceSystem.objects.create(code="erp", name="The ERP")
    record = SourceRecord.objects.create(system=erp, noun="customer", key="K-17", payload={"industry": "retail"})
    customer = make_customer("Acme", team=world.north, by=world.ana, industry="retail")
    type(customer).objects.filter(pk=customer.pk).update(provenance={**customer.provenance, "industry": record.pk})
    page = ana.get(f"/customers/{customer.pk}/").content.decode()
    assert '<dd title="The ERP">retail</dd>' in page
    assert "K-17" in page


def test_the_group_adds_up_what_the_reader_may_see(ana: Client, world: World) -> None:
    top = make_customer("Top", team=world.north)
    child = make_customer("Child", team=world.north, parent=top)
    hidden = make_customer("Hidden", team=world.south, parent=child)
    grandchild = make_customer("Grandchild", team=world.north, parent=hidden)
    for customer, amount in ((top, 1), (child, 20), (hidden, 300), (grandchild, 4000)):
        make_order(customer=customer, amount=amount)
        make_contact(customer=customer)
    answer = ana.get(f"/customers/{top.pk}/?tab=family")
    family = answer.context["family"]
    assert (family.customers, family.contacts, family.totals[0].amount) == (2, 3, 4021)
    assert [(relative.customer.name, relative.depth) for relative in family.relatives] == [("Child", 1), ("Grandchild", 1)]
    assert "Hidden" not in answer.content.decode()


def test_sums_of_different_currencies_stand_apart(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_order(customer=customer, amount=10, currency="USD")
    make_order(customer=customer, amount=30, currency="EUR")
    make_order(customer=customer, amount=99, currency="EUR", status="cancelled")
    totals = ana.get(f"/customers/{customer.pk}/").context["standing"].totals
    assert [(total.currency, total.amount) for total in totals] == [("EUR", 30), ("USD", 10)]


def test_the_timeline_goes_on_where_it_ended(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    now = timezone.now()
    for index in range(PAGE_SIZE + 3):
        make_contact_point(customer=customer, subject=f"Call {index}", at=now - timedelta(hours=index))
    first = ana.get(f"/customers/{customer.pk}/").context["points"]
    older = ana.get(f"/customers/{customer.pk}/timeline/?cursor={first.next}", headers={"HX-Request": "true"})
    assert [point.subject for point in older.context["points"].rows] == [f"Call {index}" for index in range(PAGE_SIZE, PAGE_SIZE + 3)]
    assert "<html" not in older.content.decode()


def test_the_timeline_shows_one_kind(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_contact_point(customer=customer, kind="visit", subject="Visited")
    make_contact_point(customer=customer, kind="call")
    shown = ana.get(f"/customers/{customer.pk}/?kind=visit").context["points"]
    assert [point.subject for point in shown.rows] == ["Visited"]


@pytest.mark.parametrize("field", ["subject", "body", "outcome"])
def test_what_people_wrote_stands_in_the_timeline_as_text(ana: Client, world: World, field: str) -> None:
    customer = make_customer(team=world.north)
    written: dict[str, Any] = {field: "<script>go()</script> & more"}
    make_contact_point(customer=customer, **written)
    page = ana.get(f"/customers/{customer.pk}/").content.decode()
    assert "&lt;script&gt;go()&lt;/script&gt; &amp; more" in page
    assert "<script>go()" not in page


def test_older_points_can_be_corrected_too(ana: Client, world: World) -> None:
    point = make_contact_point(customer=make_customer(team=world.north))
    fragment = ana.get(f"/customers/{point.customer_id}/timeline/", headers={"HX-Request": "true"}).content.decode()
    assert f'href="/contact-points/{point.pk}/correct/"' in fragment


def test_the_days_of_a_timeline_are_the_readers_own(ana: Client, world: World) -> None:
    world.ana.change(by=world.ana, time_zone="Pacific/Auckland")
    customer = make_customer(team=world.north)
    make_contact_point(customer=customer, at=datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    assert (
        '<li class="timeline-day"><time datetime="2026-03-05">5 Mar 2026</time></li>'
        in ana.get(f"/customers/{customer.pk}/").content.decode()
    )


def test_a_contact_is_logged_with_its_subject_alone(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    answer = ana.post(f"/contact-points/new/?customer={customer.pk}", {"subject": "Asked for a quote", "kind": "visit"})
    assert answer.headers["Location"] == f"/customers/{customer.pk}/"
    point = ContactPoint.objects.get()
    assert (point.subject, point.channel, point.direction, point.staff, point.created_by) == (
        "Asked for a quote",
        "in_person",
        "outbound",
        world.ana,
        world.ana,
    )
    assert timezone.now() - point.at < timedelta(minutes=1)


def test_a_form_sent_twice_logs_one_contact(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    sent = {"subject": "Called", "kind": "call", "once": "0" * 32}
    answers = [ana.post(f"/contact-points/new/?customer={customer.pk}", sent) for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == [f"/customers/{customer.pk}/"] * 2
    assert ContactPoint.objects.count() == 1


def test_a_correction_is_a_new_row_and_the_old_one_is_marked(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    point = make_contact_point(customer=customer, subject="Caled", by=world.ana)
    page = ana.get(f"/contact-points/{point.pk}/correct/").content.decode()
    assert "Caled" in page
    ana.post(f"/contact-points/{point.pk}/correct/", {"subject": "Called", "kind": "call"})
    shown = {row.subject: row.is_corrected for row in ana.get(f"/customers/{customer.pk}/").context["points"].rows}
    assert shown == {"Caled": True, "Called": False}
    again = ana.post(f"/contact-points/{point.pk}/correct/", {"subject": "Third", "kind": "call"})
    assert again.status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", ""),
        ("subject", "a\x00b"),
        ("subject", "x" * 1_000_000),
        ("body", "x" * 60_000),
        ("kind", "nonsense"),
        ("minutes", "-5"),
        ("minutes", "9" * 5000),
        ("at", "2999-01-01T00:00"),
        ("at", "yesterday"),
        ("contact", "99999999999999999999999"),
        ("contact", "\x00"),
    ],
)
def test_a_bad_contact_names_its_field(ana: Client, world: World, field: str, value: str) -> None:
    customer = make_customer(team=world.north)
    answer = ana.post(f"/contact-points/new/?customer={customer.pk}", {"subject": "Called", "kind": "call", field: value})
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not ContactPoint.objects.exists()


def test_a_contact_of_another_customer_cannot_be_named(ana: Client, world: World) -> None:
    customer, other = make_customer(team=world.north), make_customer(team=world.north)
    stranger = make_contact(customer=other)
    answer = ana.post(f"/contact-points/new/?customer={customer.pk}", {"subject": "x", "kind": "call", "contact": stranger.pk})
    assert "contact" in answer.context["form"].errors


def test_nothing_is_logged_at_another_teams_customer(ana: Client, world: World) -> None:
    theirs = make_customer(team=world.south)
    assert ana.post(f"/contact-points/new/?customer={theirs.pk}", {"subject": "x", "kind": "call"}).status_code == 404
    assert ana.post("/contact-points/new/", {"subject": "x", "kind": "call"}).status_code == 422
    assert ana.post("/contact-points/new/?customer=%00", {"subject": "x"}).status_code == 404


def test_the_history_tells_fields_and_names(ana: Client, world: World) -> None:
    CustomField.add(by=None, key="floor", label="Floor of the office")
    customer = make_customer("Acme", team=world.north, by=world.ana)
    customer.change(by=world.mo, status="active", owner=world.ana, custom={"floor": "7"})
    page = ana.get(f"/customers/{customer.pk}/history/").content.decode()
    for words in ("Mo", "<del>Prospect</del>", "<ins>Active</ins>", "<ins>Ana</ins>", "Floor of the office", "<ins>7</ins>"):
        assert words in page


def test_the_history_writes_days_and_choices_as_the_page_does(ana: Client, world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    customer.change(by=world.mo, acquired_on=date(2026, 3, 1), preferred_channels=["mail", "wechat"])
    page = ana.get(f"/customers/{customer.pk}/history/").content.decode()
    assert "<ins>1 Mar 2026</ins>" in page
    assert "<ins>Mail, WeChat</ins>" in page


def test_the_history_of_the_facts_around_is_asked_for(ana: Client, world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    contact = make_contact("Li Na", customer=customer)
    assert "Position" not in ana.get(f"/customers/{customer.pk}/history/").content.decode()
    page = ana.get(f"/customers/{customer.pk}/history/?of=all").content.decode()
    assert "Position" in page
    assert contact.name in page
