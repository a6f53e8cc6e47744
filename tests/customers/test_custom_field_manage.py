from __future__ import annotations

import pytest
from django.test import Client

from customers.models import CustomField
from tests.factories import make_customer
from tests.people import World

ADD = "/custom-fields/new/"


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


def test_a_new_field_appears_in_form_filter_and_page(ada: Client, world: World) -> None:
    ada.post(ADD, {"label": "Budget month", "kind": "choice", "choices": "March, June", "position": 0})
    field = CustomField.objects.get()
    assert (field.key, field.choices) == ("budget_month", ["March", "June"])
    customer = make_customer(team=world.head_office, custom={"budget_month": "June"})
    assert 'name="custom_budget_month"' in ada.get("/customers/new/").content.decode()
    assert 'name="custom_budget_month"' in ada.get("/customers/").content.decode()
    assert "Budget month" in ada.get(f"/customers/{customer.pk}/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "x\x00"),
        ("key", "Not A Key"),
        ("kind", "nonsense"),
        ("choices", ""),
        ("position", "-1"),
        ("position", "9" * 30),
        ("label", "预算"),
    ],
)
def test_a_bad_definition_names_its_field(ada: Client, field: str, value: str) -> None:
    sent = {"label": "Budget", "kind": "choice", "choices": "a", "position": "0"} | {field: value}
    answer = ada.post(ADD, sent)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == (["key"] if value == "预算" else [field])


def test_a_key_is_taken_once(ada: Client) -> None:
    CustomField.add(by=None, key="budget", label="Budget")
    answer = ada.post(ADD, {"label": "Budget", "kind": "text", "position": 0})
    assert answer.status_code == 422
    assert "key" in answer.context["form"].errors


def test_a_stale_definition_shows_both_values(ada: Client, world: World) -> None:
    field = CustomField.add(by=None, key="budget", label="Budget")
    field.change(by=world.ada, label="Money")
    answer = ada.post(f"/custom-fields/{field.pk}/", {"label": "Funds", "position": 0, "version": 1})
    assert answer.status_code == 412
    assert [(one.mine, one.theirs) for one in answer.context["conflict"].fields] == [("Funds", "Money")]


def test_an_archived_field_leaves_the_form_and_keeps_its_values(ada: Client, world: World) -> None:
    field = CustomField.add(by=None, key="budget", label="Budget")
    customer = make_customer(team=world.north, custom={"budget": "much"})
    ada.post(f"/custom-fields/{field.pk}/archive/")
    assert "custom_budget" not in ada.get(f"/customers/{customer.pk}/edit/").content.decode()
    ada.post(f"/custom-fields/{field.pk}/archive/")
    assert "much" in ada.get(f"/customers/{customer.pk}/").content.decode()


def test_fields_are_the_administrators_affair(client: Client, world: World) -> None:
    client.force_login(world.mo)
    for path in ("", "new/", "1/"):
        assert client.get(f"/custom-fields/{path}").status_code == 403
