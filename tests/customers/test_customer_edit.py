from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, CustomField
from tests.factories import make_customer
from tests.people import World
from users.models import Event

ADD = "/customers/new/"


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


@pytest.fixture
def mo(world: World) -> Client:
    client = Client()
    client.force_login(world.mo)
    return client


def entered(**values: Any) -> dict[str, Any]:
    return {"legal_name": "Acme", "kind": "customer", "status": "prospect", "currency": "USD", **values}


def edit(client: Client, customer: Customer, **values: Any) -> Any:
    return client.post(f"/customers/{customer.pk}/edit/", entered(**{"version": customer.version, **values}))


def test_who_may_not_assign_keeps_a_new_customer(ana: Client, world: World) -> None:
    ana.post(ADD, entered(tags="vip, 重点，vip", preferred_channels=["mail", "phone"], owner=world.eve.pk, team=world.south.pk))
    customer = Customer.objects.get()
    assert (customer.owner, customer.team, customer.tags) == (world.ana, world.north, ["vip", "重点"])
    assert customer.preferred_channels == ["phone", "mail"] or customer.preferred_channels == ["mail", "phone"]


def test_who_may_assign_chooses_among_those_in_reach(mo: Client, world: World) -> None:
    assert mo.post(ADD, entered(owner=world.ana.pk, team=world.bergen.pk)).status_code == 302
    assert Customer.objects.get().team == world.bergen
    refused = mo.post(ADD, entered(owner=world.eve.pk, team=world.south.pk))
    assert set(refused.context["form"].errors) == {"owner", "team"}


def test_a_form_sent_twice_makes_one_customer(ana: Client) -> None:
    for _ in range(2):
        assert ana.post(ADD, entered(once="a" * 32)).status_code == 302
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_name", ""),
        ("legal_name", "a\x00b"),
        ("legal_name", "x" * 1_000_000),
        ("credit_code", "91310000MA1FL0000X"),
        ("kind", "nonsense"),
        ("employees", "-1"),
        ("employees", "9" * 30),
        ("annual_revenue", "1e9999999"),
        ("annual_revenue", "NaN"),
        ("founded_year", "99999"),
        ("country", "China"),
        ("currency", "$"),
        ("website", "javascript:alert(1)"),
        ("acquired_on", "31/31/2026"),
        ("tags", "x" * 50),
        ("preferred_channels", "pigeon"),
        ("parent", "\x00"),
        ("parent", "99999999999999999999999"),
        ("custom_floor", "seven"),
        ("custom_floor", "1e999"),
    ],
)
def test_a_bad_value_names_its_field(ana: Client, world: World, field: str, value: str) -> None:
    CustomField.add(by=None, key="floor", label="Floor", kind="number")
    answer = ana.post(ADD, entered(**{field: value}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Customer.objects.exists()


def test_a_parent_out_of_reach_is_refused(ana: Client, world: World) -> None:
    theirs = make_customer(team=world.south)
    assert "parent" in ana.post(ADD, entered(parent=theirs.pk)).context["form"].errors


def test_a_circle_of_companies_is_an_error_of_the_parent(ana: Client, world: World) -> None:
    top = make_customer("Acme", team=world.north)
    below = make_customer("Below", team=world.north, parent=top)
    answer = edit(ana, top, parent=below.pk)
    assert answer.status_code == 422
    assert "parent" in answer.context["form"].errors


def test_a_change_is_saved_with_its_custom_fields(ana: Client, world: World) -> None:
    CustomField.add(by=None, key="floor", label="Floor", kind="number")
    customer = make_customer("Acme", team=world.north, custom={"archived": "kept"})
    assert edit(ana, customer, industry="retail", custom_floor="7").status_code == 302
    customer.refresh_from_db()
    assert (customer.industry, customer.custom, customer.version) == ("retail", {"archived": "kept", "floor": 7}, 2)


def test_saving_an_untouched_form_changes_nothing(ana: Client, world: World) -> None:
    customer = make_customer("Acme", team=world.north, tags=["a", "b"], annual_revenue="12.50", acquired_on="2026-01-02")
    page = ana.get(f"/customers/{customer.pk}/edit/")
    form = page.context["form"]
    sent = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    answer = ana.post(f"/customers/{customer.pk}/edit/", {**sent, "tags": "a, b"})
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert customer.version == 1


def test_a_stale_version_shows_both_values_to_choose_from(ana: Client, world: World) -> None:
    customer = make_customer("Acme", team=world.north, industry="retail", region="North")
    Customer.objects.get(pk=customer.pk).change(by=world.mo, region="West", status="active", employees=12)
    answer = edit(ana, customer, industry="banking", region="East", status="prospect")
    assert answer.status_code == 412
    fields = {field.name: (field.mine, field.theirs, field.keep_theirs) for field in answer.context["conflict"].fields}
    assert fields == {
        "industry": ("banking", "retail", False),
        "region": ("East", "West", False),
        "status": ("Prospect", "Active", True),
        "employees": ("", "12", True),
    }
    customer.refresh_from_db()
    assert customer.region == "West"


def test_the_choice_from_both_values_is_saved(ana: Client, world: World) -> None:
    customer = make_customer("Acme", team=world.north, tags=["a"])
    Customer.objects.get(pk=customer.pk).change(by=world.mo, region="West", preferred_channels=["mail", "phone"], tags=["a", "b"])
    conflict = edit(ana, customer, region="East", tags="a").context["conflict"]
    chosen = {field.name: field.theirs_value if field.keep_theirs else field.mine_value for field in conflict.fields}
    answer = ana.post(f"/customers/{customer.pk}/edit/", {**conflict.kept, **chosen, "version": conflict.version})
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert (customer.region, customer.tags, customer.preferred_channels) == ("East", ["a", "b"], ["mail", "phone"])


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40])
def test_an_edit_must_say_which_version_it_was_made_from(ana: Client, world: World, version: str) -> None:
    customer = make_customer("Acme", team=world.north)
    answer = edit(ana, customer, version=version, region="East")
    assert answer.status_code in (412, 422)
    assert Customer.objects.get().region == ""


def test_the_lookup_finds_what_is_in_reach(ana: Client, world: World) -> None:
    make_customer("上海华信", team=world.north)
    make_customer("华信 of the South", team=world.south)
    page = ana.get("/customers/lookup/?q=huaxin").content.decode()
    assert page.count('role="option"') == 1
    assert ana.get("/customers/lookup/?q=%00").status_code == 200


def test_a_deleted_customer_can_be_brought_back(client: Client, world: World) -> None:
    client.force_login(world.ada)
    customer = make_customer("Acme", team=world.north)
    page = client.post(f"/customers/{customer.pk}/discard/", follow=True).content.decode()
    assert f'hx-post="/customers/{customer.pk}/restore/"' in page
    assert client.get(f"/customers/{customer.pk}/").status_code == 404
    assert "Acme" in client.get("/customers/deleted/").content.decode()
    client.post(f"/customers/{customer.pk}/restore/")
    assert client.get(f"/customers/{customer.pk}/").status_code == 200
    assert [event.action for event in Event.objects.of("customer", customer.pk).order_by("pk")] == ["created", "discarded", "restored"]


def test_deleting_is_for_those_who_may(ana: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    assert ana.post(f"/customers/{customer.pk}/discard/").status_code == 403
    assert ana.get("/customers/deleted/").status_code == 403
