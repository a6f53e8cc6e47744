from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import make_customer
from tests.people import World
from tests.users.signing_in import sign_in


@pytest.mark.parametrize(
    ("person", "sees", "why"),
    [("ana", True, "is in reach"), ("xia", True, "whole company"), ("eve", False, "out of reach"), ("sam", True, "is in reach")],
)
def test_an_administrator_reads_who_sees_a_customer_and_why(world: World, person: str, sees: bool, why: str) -> None:
    customer = make_customer("Nordlys", team=world.north)
    address = reverse("customers:reach", args=[getattr(world, person).pk])
    page = sign_in(world.ada).get(address, {"number": customer.number.lower()})
    assert page.context["answer"][0] is sees
    assert why in page.context["answer"][1]


def test_an_owner_sees_the_customer_of_another_team(world: World) -> None:
    customer = make_customer("Nordlys", team=world.north, owner=world.eve)
    page = sign_in(world.ada).get(reverse("customers:reach", args=[world.eve.pk]), {"number": customer.number})
    assert page.context["answer"] == (True, "This user is its owner.")


@pytest.mark.parametrize("number", ["C999999", "\x00", "x" * 900])
def test_a_number_that_is_none_is_no_error(world: World, number: str) -> None:
    page = sign_in(world.ada).get(reverse("customers:reach", args=[world.ana.pk]), {"number": number})
    assert (page.status_code, page.context["customer"]) == (200, None)
