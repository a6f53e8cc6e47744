from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Address, Consent, Contact, ContactMethod, Customer, Position
from tests.factories import make_contact, make_contact_point, make_customer
from tests.people import World
from users.models import Event

ADD = "/contacts/new/"


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


@pytest.fixture
def acme(world: World) -> Customer:
    return make_customer("Acme", team=world.north)


def rows(prefix: str, entries: list[dict[str, Any]], *, existing: int = 0) -> dict[str, Any]:
    sent: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(entries), f"{prefix}-INITIAL_FORMS": existing}
    for index, entry in enumerate(entries):
        sent |= {f"{prefix}-{index}-{name}": value for name, value in entry.items()}
    return sent


def entered(
    *,
    positions: list[dict[str, Any]] | None = None,
    methods: list[dict[str, Any]] | None = None,
    addresses: list[dict[str, Any]] | None = None,
    existing: int = 0,
    **values: Any,
) -> dict[str, Any]:
    return {
        "name": "Li Na",
        **rows("positions", positions or []),
        **rows("methods", methods or [], existing=existing),
        **rows("addresses", addresses or []),
        **values,
    }


def test_a_contact_comes_with_places_phones_and_addresses(ana: Client, world: World, acme: Customer) -> None:
    boss = make_contact("Boss", customer=acme)
    answer = ana.post(
        ADD,
        entered(
            positions=[{"customer": acme.pk, "role": "decision_maker", "influence": 3, "reports_to": boss.pk}],
            methods=[{"kind": "mobile", "value": "+86 138 0013 8000"}, {"kind": "mail", "value": "Li.Na@Example.com", "is_primary": "on"}],
            addresses=[{"kind": "office", "city": "Shanghai", "country": "cn"}],
        ),
    )
    contact = Contact.objects.get(name="Li Na")
    assert answer.headers["Location"] == f"/contacts/{contact.pk}/"
    assert Position.objects.get(contact=contact).reports_to == boss
    assert set(contact.methods.values_list("normalised", "is_valid")) == {("+8613800138000", True), ("li.na@example.com", True)}
    assert Address.objects.get(contact=contact).country == "CN"


def test_nothing_is_half_written(ana: Client, world: World, acme: Customer) -> None:
    stranger = make_contact(customer=make_customer(team=world.north))
    answer = ana.post(ADD, entered(positions=[{"customer": acme.pk, "reports_to": stranger.pk}]))
    assert answer.status_code == 422
    assert not Contact.objects.filter(name="Li Na").exists()


@pytest.mark.parametrize(
    ("kind", "value"), [("phone", "call me"), ("mail", "li.na"), ("wechat", "a b"), ("phone", "\x00"), ("mail", "x" * 300)]
)
def test_an_unusable_address_is_an_error_of_its_row(ana: Client, kind: str, value: str) -> None:
    answer = ana.post(ADD, entered(methods=[{"kind": kind, "value": value}]))
    assert answer.status_code == 422
    assert "value" in answer.context["methods"].forms[0].errors


def test_one_number_in_two_spellings_is_told(ana: Client) -> None:
    answer = ana.post(ADD, entered(methods=[{"kind": "phone", "value": "+1 202 456 1111"}, {"kind": "phone", "value": "(202) 456-1111"}]))
    assert "value" in answer.context["methods"].forms[1].errors


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("name", "x\x00"), ("notes", "x" * 1_000_000), ("birthday", "soon")])
def test_a_bad_value_names_its_field(ana: Client, field: str, value: str) -> None:
    assert field in ana.post(ADD, entered() | {field: value}).context["form"].errors


def test_a_place_that_ends_before_it_begins_is_an_error_of_its_end(ana: Client, acme: Customer) -> None:
    answer = ana.post(ADD, entered(positions=[{"customer": acme.pk, "since": "2026-03-02", "until": "2026-03-01"}]))
    assert answer.status_code == 422
    assert list(answer.context["positions"].forms[0].errors) == ["until"]
    assert "Lies before “Since” (2 Mar 2026)." in answer.content.decode()


def test_a_second_place_at_one_customer_is_told(ana: Client, acme: Customer) -> None:
    """Two times at one customer are one place: its title and days change, and the history keeps what was."""
    places = [{"customer": acme.pk, "until": "2024-12-31"}, {"customer": acme.pk, "since": "2026-01-01"}]
    answer = ana.post(ADD, entered(positions=places))
    assert answer.status_code == 422
    assert not Contact.objects.exists()
    assert "Please correct the duplicate" in answer.content.decode()


def test_a_customer_out_of_reach_is_no_place(ana: Client, world: World) -> None:
    theirs = make_customer(team=world.south)
    assert ana.get(f"{ADD}?customer={theirs.pk}").status_code == 404
    answer = ana.post(ADD, entered(positions=[{"customer": theirs.pk}]))
    assert "customer" in answer.context["positions"].forms[0].errors


def test_places_out_of_reach_are_neither_shown_nor_touched(ana: Client, world: World, acme: Customer) -> None:
    contact = make_contact("Li Na", customer=acme)
    Position.add(by=None, contact=contact, customer=make_customer("Theirs", team=world.south))
    page = ana.get(f"/contacts/{contact.pk}/edit/")
    assert len(page.context["positions"].initial_forms) == 1
    assert "Theirs" not in ana.get(f"/contacts/{contact.pk}/").content.decode()


def test_removing_a_phone_is_recorded(ana: Client, acme: Customer) -> None:
    contact = make_contact("Li Na", customer=acme)
    method = ContactMethod.add(by=None, contact=contact, kind="mail", value="a@b.example", normalised="a@b.example")
    sent = entered(methods=[{"id": method.pk, "kind": "mail", "value": "a@b.example", "DELETE": "on"}], existing=1, version=1)
    assert ana.post(f"/contacts/{contact.pk}/edit/", sent).status_code == 302
    assert not contact.methods.exists()
    assert Event.objects.filter(noun="contact_method", action="discarded", object_id=method.pk).exists()
    contact.refresh_from_db()
    assert contact.version == 2


def test_a_stale_contact_shows_both_values(ana: Client, world: World, acme: Customer) -> None:
    contact = make_contact("Li Na", customer=acme)
    Contact.objects.get(pk=contact.pk).change(by=world.mo, name="Li Nan")
    answer = ana.post(f"/contacts/{contact.pk}/edit/", entered(name="Li Na Na", version=1))
    assert answer.status_code == 412
    assert [(field.mine, field.theirs) for field in answer.context["conflict"].fields] == [("Li Na Na", "Li Nan")]
    chosen = {**answer.context["kept"], "name": "Li Nan", "version": answer.context["conflict"].version}
    assert ana.post(f"/contacts/{contact.pk}/edit/", chosen).status_code == 302


def test_another_teams_contact_is_not_there(ana: Client, world: World) -> None:
    contact = make_contact(customer=make_customer(team=world.south))
    for path in ("", "edit/"):
        assert ana.get(f"/contacts/{contact.pk}/{path}").status_code == 404
    assert ana.post(f"/contacts/{contact.pk}/consents/", {"channel": "mail", "purpose": "survey"}).status_code == 404


def test_a_consent_is_given_once_and_withdrawn(ana: Client, acme: Customer) -> None:
    contact = make_contact(customer=acme)
    for _ in range(2):
        ana.post(f"/contacts/{contact.pk}/consents/", {"channel": "mail", "purpose": "marketing", "source": "Fair in June"})
    consent = Consent.objects.get()
    ana.post(f"/contacts/{contact.pk}/consents/{consent.pk}/withdraw/")
    consent.refresh_from_db()
    assert consent.withdrawn_at is not None
    assert "withdrawn" in ana.get(f"/contacts/{contact.pk}/").content.decode()


def test_a_contact_page_costs_at_most_fifteen_queries(
    ana: Client, world: World, acme: Customer, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    contact = make_contact(customer=acme, by=world.ana)
    for _ in range(25):
        make_contact_point(customer=acme, contact=contact, by=world.ana)
        Position.add(by=None, contact=contact, customer=make_customer(team=world.north))
    ana.get("/customers/")
    with django_assert_max_num_queries(15):
        assert ana.get(f"/contacts/{contact.pk}/").status_code == 200


def test_two_people_cannot_report_to_each_other(world: World) -> None:
    customer = make_customer(team=world.north)
    first, second = make_contact("First", customer=customer), make_contact("Second", customer=customer)
    first.positions.get().change(by=world.ana, reports_to=second)
    with pytest.raises(ValidationError, match="their own superior"):
        second.positions.get().change(by=world.ana, reports_to=first)


def test_a_deleted_contact_can_be_brought_back(ana: Client, acme: Customer) -> None:
    contact = make_contact("Li Na", customer=acme)
    answer = ana.post(f"/contacts/{contact.pk}/discard/")
    assert answer.headers["Location"] == f"/customers/{acme.pk}/"
    assert f'hx-post="/contacts/{contact.pk}/restore/"' in ana.get(f"/customers/{acme.pk}/").content.decode()
    assert ana.get(f"/contacts/{contact.pk}/").status_code == 404
    assert "Li Na" in ana.get("/contacts/deleted/").content.decode()
    assert ana.post(f"/contacts/{contact.pk}/restore/").headers["Location"] == f"/contacts/{contact.pk}/"
    assert "Li Na" in ana.get(f"/contacts/{contact.pk}/").content.decode()
    assert [event.action for event in Event.objects.of("contact", contact.pk).order_by("pk")] == ["created", "discarded", "restored"]


def test_another_teams_deleted_contact_is_neither_listed_nor_restored(ana: Client, world: World) -> None:
    contact = make_contact("Theirs", customer=make_customer(team=world.south))
    contact.discard(by=world.ada)
    assert "Theirs" not in ana.get("/contacts/deleted/").content.decode()
    assert ana.post(f"/contacts/{contact.pk}/restore/").status_code == 404


def test_an_erased_person_is_not_offered_back(client: Client, world: World, acme: Customer) -> None:
    contact = make_contact("Li Na", customer=acme)
    contact.discard(by=world.ada)
    Contact.objects.filter(pk=contact.pk).update(erased_at=contact.deleted_at)
    client.force_login(world.ada)
    assert "Li Na" not in client.get("/contacts/deleted/").content.decode()
    assert client.post(f"/contacts/{contact.pk}/restore/").status_code == 404
