"""Times that cannot be: an end before its beginning."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller, assert_problem
from tests.factories import make_contact, make_customer
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


def test_a_currency_has_one_rate_a_day(world: World, ivy: Caller) -> None:
    body = {"currency": "SEK", "on": "2026-01-01", "rate": "0.1"}
    assert ivy.post("exchange-rates/", body).status_code == 201
    assert_problem(ivy.post("exchange-rates/", body | {"rate": "0.2"}), 400, field="on")
