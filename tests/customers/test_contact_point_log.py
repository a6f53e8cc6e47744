from __future__ import annotations

import pytest
from django.test import Client

from customers.models import ContactPoint
from tests.factories import make_contact, make_contact_point, make_customer
from tests.people import World

ADD = "/contact-points/new/"


@pytest.fixture
def ana(world: World, client: Client) -> Client:
    client.force_login(world.ana)
    return client


def test_a_subject_is_enough(world: World, ana: Client) -> None:
    customer = make_customer(team=world.north)
    answer = ana.post(f"{ADD}?customer={customer.pk}", {"kind": "call", "subject": "Asked for an offer"})
    point = ContactPoint.objects.get()
    assert answer.status_code == 302
    assert (point.customer, point.staff, point.channel, point.direction) == (customer, world.ana, "phone", "outbound")


def test_the_form_sent_twice_logs_once(world: World, ana: Client) -> None:
    customer = make_customer(team=world.north)
    for _time in range(2):
        ana.post(f"{ADD}?customer={customer.pk}", {"kind": "call", "subject": "Hello", "once": "c" * 32})
    assert ContactPoint.objects.count() == 1


def test_a_correction_is_a_new_row(world: World, ana: Client) -> None:
    point = make_contact_point(customer=make_customer(team=world.north), subject="Caled")
    ana.post(f"/contact-points/{point.pk}/correct/", {"kind": "call", "subject": "Called"})
    corrected = ContactPoint.objects.get(corrects=point)
    point.refresh_from_db()
    assert (point.subject, corrected.subject) == ("Caled", "Called")


@pytest.mark.parametrize(
    "bad",
    [{"subject": ""}, {"subject": "x" * 201}, {"subject": "a\x00b"}, {"kind": "order"}, {"at": "2999-01-01T10:00"}, {"minutes": "-5"}],
)
def test_bad_input_logs_nothing_and_names_its_field(world: World, ana: Client, bad: dict[str, str]) -> None:
    customer = make_customer(team=world.north)
    answer = ana.post(f"{ADD}?customer={customer.pk}", {"kind": "call", "subject": "Hello", **bad})
    assert answer.status_code == 422
    assert set(bad) <= set(answer.context["form"].errors)
    assert not ContactPoint.objects.exists()


def test_a_contact_of_another_customer_is_refused(world: World, ana: Client) -> None:
    customer = make_customer(team=world.north)
    stranger = make_contact(customer=make_customer(team=world.south))
    answer = ana.post(f"{ADD}?customer={customer.pk}", {"kind": "call", "subject": "Hello", "contact": stranger.pk})
    assert "contact" in answer.context["form"].errors


def test_another_teams_customer_is_not_there(world: World, ana: Client) -> None:
    theirs = make_customer(team=world.south)
    assert ana.post(f"{ADD}?customer={theirs.pk}", {"kind": "call", "subject": "Hello"}).status_code == 404


def test_the_less_usual_fields_come_when_asked_for(world: World, client: Client) -> None:
    customer = make_customer(team=world.north)
    contact = make_contact("Li Na", customer=customer)
    client.force_login(world.ana)
    fields = client.get("/contact-points/fields/", {"customer": customer.pk}).content.decode()
    assert f'<option value="{contact.pk}">Li Na</option>' in fields
    assert 'name="outcome"' in fields
    client.force_login(world.eve)
    assert client.get("/contact-points/fields/", {"customer": customer.pk}).status_code == 404
