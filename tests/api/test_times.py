"""Times that cannot be: an end before its beginning, and two that should follow each other but overlap."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.api.client import Caller, assert_problem
from tests.factories import make_contact, make_contract, make_customer
from tests.people import World


@pytest.mark.parametrize(
    ("noun", "body", "field"),
    [
        ("contracts", {"title": "x", "recurring_amount": "1", "starts_on": "2026-02-01", "ends_on": "2026-01-31"}, "ends_on"),
        ("invoices", {"amount": "1", "issued_on": "2026-02-01", "due_on": "2026-01-31"}, "due_on"),
        ("opportunities", {"engaged_on": "2026-02-01", "closed_on": "2026-01-31"}, "closed_on"),
        ("assets", {"serial": "S", "delivered_on": "2026-02-01", "retired_on": "2026-01-31"}, "retired_on"),
        ("orders", {"lines": [], "ordered_on": "2026-02-01", "delivered_on": "2026-01-31"}, "delivered_on"),
    ],
)
def test_what_ends_before_it_begins_names_its_end(world: World, ivy: Caller, noun: str, body: dict[str, Any], field: str) -> None:
    customer = make_customer(team=world.north)
    assert_problem(ivy.post(f"{noun}/", body | {"customer": customer.pk}), 400, field=field)


def test_a_place_that_ends_before_it_begins_names_its_end(world: World, ivy: Caller) -> None:
    place = make_contact(customer=make_customer(team=world.north)).positions.get()
    answer = ivy.patch(f"positions/{place.pk}/", {"since": "2026-03-02", "until": "2026-03-01"}, if_match='"1"')
    assert_problem(answer, 400, field="until")


def test_a_contract_that_still_runs_is_not_renewed(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    former = make_contract(customer=customer, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    body = {"customer": customer.pk, "title": "Care", "recurring_amount": "1", "renews": former.pk}
    assert_problem(ivy.post("contracts/", body | {"starts_on": "2025-12-31"}), 400, field="starts_on")
    other = make_customer(team=world.north)
    assert_problem(ivy.post("contracts/", body | {"starts_on": "2026-01-01", "customer": other.pk}), 400, field="renews")
    assert ivy.post("contracts/", body | {"starts_on": "2026-01-01"}).status_code == 201
    assert_problem(ivy.patch(f"contracts/{former.pk}/", {"ends_on": "2026-01-01"}, if_match='"1"'), 400, field="ends_on")
    assert ivy.patch(f"contracts/{former.pk}/", {"cancelled_on": "2025-06-30"}, if_match='"1"').status_code == 200


def test_an_open_contract_is_renewed_once_it_is_cancelled(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    former = make_contract(customer=customer, ends_on=None)
    body = {"customer": customer.pk, "title": "Care", "recurring_amount": "1", "renews": former.pk, "starts_on": "2026-07-01"}
    assert_problem(ivy.post("contracts/", body), 400, field="starts_on")
    former.change(by=world.ana, cancelled_on=date(2026, 7, 1))
    assert ivy.post("contracts/", body).status_code == 201


def test_consents_of_one_kind_follow_each_other(world: World, ivy: Caller) -> None:
    contact = make_contact(customer=make_customer(team=world.north))
    body = {"contact": contact.pk, "channel": "mail", "purpose": "survey"}
    first = ivy.post("consents/", body | {"given_at": "2026-01-01T00:00:00Z"}).json()
    assert_problem(
        ivy.patch(f"consents/{first['id']}/", {"withdrawn_at": "2025-12-31T00:00:00Z"}, if_match='"1"'), 400, field="withdrawn_at"
    )
    assert ivy.patch(f"consents/{first['id']}/", {"withdrawn_at": "2026-02-01T00:00:00Z"}, if_match='"1"').status_code == 200
    assert_problem(ivy.post("consents/", body | {"given_at": "2026-01-31T00:00:00Z"}), 400, field="given_at")
    ended = {"given_at": "2025-12-01T00:00:00Z", "withdrawn_at": "2026-01-02T00:00:00Z"}
    assert_problem(ivy.post("consents/", body | ended), 400, field="given_at")
    assert ivy.post("consents/", body | {"given_at": "2026-02-01T00:00:00Z"}).status_code == 201
    assert ivy.post("consents/", body | {"given_at": "2026-03-01T00:00:00Z"}).status_code == 400  # one runs already


def test_a_currency_has_one_rate_a_day(world: World, ivy: Caller) -> None:
    body = {"currency": "SEK", "on": "2026-01-01", "rate": "0.1"}
    assert ivy.post("exchange-rates/", body).status_code == 201
    assert_problem(ivy.post("exchange-rates/", body | {"rate": "0.2"}), 400, field="on")
