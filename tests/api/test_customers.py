from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from customers.models import Customer, CustomField
from tests.api.client import Caller, assert_problem
from tests.factories import make_customer
from tests.people import World


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["results"]]


def test_a_list_shows_what_the_caller_sees_by_name(world: World, ivy: Caller) -> None:
    for name, team in (("Beta", world.north), ("alpha", world.bergen), ("Gamma", world.south)):
        make_customer(name, team=team)
    assert names(ivy.get("customers/")) == ["alpha", "Beta"]


def test_pages_follow_each_other_both_ways(world: World, ivy: Caller) -> None:
    for index in range(5):
        make_customer(f"Customer {index}", team=world.north)
    first = ivy.get("customers/", {"page_size": 2})
    second = ivy.client.get(first.json()["next"])
    assert names(second) == ["Customer 2", "Customer 3"]
    assert first.json()["previous"] is None
    assert ivy.client.get(second.json()["previous"]).json()["results"] == first.json()["results"]
    assert ivy.client.get(second.json()["next"]).json()["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "active"}, ["Acme"]),
        ({"status": "active,lost"}, ["Acme", "Bolt"]),
        ({"tag": "vip"}, ["Bolt"]),
        ({"industry": "retail", "status": "lost"}, []),
        ({"search": "bol"}, ["Bolt"]),
        ({"updated_since": "2100-01-01T00:00:00Z"}, []),
        ({"custom.size": "5"}, ["Acme"]),
        ({"ordering": "-name"}, ["Bolt", "Acme"]),
        ({"ordering": "id"}, ["Acme", "Bolt"]),
    ],
)
def test_a_list_is_narrowed_and_ordered(world: World, ivy: Caller, query: dict[str, str], found: list[str]) -> None:
    CustomField.add(by=None, key="size", label="Size", kind="number")
    make_customer("Acme", team=world.north, status="active", industry="retail", custom={"size": 5})
    make_customer("Bolt", team=world.north, status="lost", tags=["vip"])
    assert names(ivy.get("customers/", query)) == found


@pytest.mark.parametrize(
    "name", ["colour", "owner__password", "deleted_at", "team__parent", "_connector", "custom.none", "search_text", "status__in"]
)
def test_an_unknown_parameter_is_named(ivy: Caller, name: str) -> None:
    assert_problem(ivy.get("customers/", {name: "x"}), 400, field=name, code="unknown")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "sleepy"),
        ("owner", "1e9"),
        ("owner", "9" * 40),
        ("owner", "-1"),
        ("updated_since", "yesterday"),
        ("updated_since", "99999-01-01T00:00:00Z"),
        ("page_size", "0"),
        ("page_size", "1000"),
        ("page_size", "²"),
        ("ordering", "owner__password"),
        ("ordering", "?"),
        ("cursor", "zzzz"),
        ("search", "x" * 300),
        ("search", "a\x00b"),
        ("number", "a\x00b"),
        ("custom.size", "NaN"),
    ],
)
def test_a_bad_parameter_is_named(world: World, ivy: Caller, name: str, value: str) -> None:
    CustomField.add(by=None, key="size", label="Size", kind="number")
    assert_problem(ivy.get("customers/", {name: value}), 400, field=name)


def test_a_parameter_given_twice_is_refused(ivy: Caller) -> None:
    assert_problem(ivy.client.get("/api/v1/customers/?status=active&status=lost"), 400, field="status", code="repeated")


def test_a_detail_has_an_etag_that_saves_reading_again(world: World, ivy: Caller) -> None:
    customer = make_customer("Acme", team=world.north)
    detail = ivy.get(f"customers/{customer.pk}/")
    assert (detail.status_code, detail["ETag"], detail.json()["number"]) == (200, '"1"', customer.number)
    assert ivy.get(f"customers/{customer.pk}/", if_none_match='"1"').status_code == 304
    assert ivy.get(f"customers/{customer.pk}/", if_none_match='"7"').status_code == 200


@pytest.mark.parametrize("method", ["get", "patch", "put", "delete"])
def test_another_teams_customer_is_not_there(world: World, ivy: Caller, method: str) -> None:
    theirs = make_customer(team=world.south)
    body = [] if method in ("get", "delete") else [{"legal_name": "Mine"}]
    caller = Caller(world.ada) if method == "delete" else ivy
    if method != "delete":
        assert_problem(getattr(caller, method)(f"customers/{theirs.pk}/", *body, if_match='"1"'), 404)
    theirs.refresh_from_db()
    assert theirs.legal_name != "Mine"


@pytest.mark.parametrize("pk", ["0", "99999999999999999999999", "abc", "-1", "1.5", "%00"])
def test_an_odd_id_is_not_there(ivy: Caller, pk: str) -> None:
    assert_problem(ivy.get(f"customers/{pk}/"), 404)


def test_creating_answers_the_record_with_number_version_and_address(world: World, ivy: Caller) -> None:
    body = {
        "legal_name": "上海华信科技有限公司",
        "annual_revenue": "12.5",
        "tags": ["vip"],
        "preferred_channels": ["mail"],
        "acquired_on": "2026-01-02",
    }
    made = ivy.post("customers/", body)
    assert made.status_code == 201, made.content
    customer = Customer.objects.get(pk=made.json()["id"])
    assert made["Location"] == f"/api/v1/customers/{customer.pk}/"
    assert made["ETag"] == '"1"'
    assert (made.json()["annual_revenue"], made.json()["team"], made.json()["number"]) == ("12.50", world.north.pk, customer.number)
    assert customer.provenance["legal_name"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "legal_name"),
        ({"legal_name": ""}, "legal_name"),
        ({"legal_name": None}, "legal_name"),
        ({"legal_name": 5}, "legal_name"),
        ({"legal_name": ["x"]}, "legal_name"),
        ({"legal_name": "x" * 201}, "legal_name"),
        ({"legal_name": "x", "kind": "friend"}, "kind"),
        ({"legal_name": "x", "credit_code": "123"}, "credit_code"),
        ({"legal_name": "x", "annual_revenue": "-1"}, "annual_revenue"),
        ({"legal_name": "x", "annual_revenue": "NaN"}, "annual_revenue"),
        ({"legal_name": "x", "annual_revenue": "1e99"}, "annual_revenue"),
        ({"legal_name": "x", "employees": 1e20}, "employees"),
        ({"legal_name": "x", "employees": True}, "employees"),
        ({"legal_name": "x", "acquired_on": "2026-02-30"}, "acquired_on"),
        ({"legal_name": "x", "tags": "vip"}, "tags"),
        ({"legal_name": "x", "tags": ["x" * 41]}, "tags.0"),
        ({"legal_name": "x", "custom": {"nope": 1}}, "custom.nope"),
        ({"legal_name": "x", "custom": []}, "custom"),
        ({"legal_name": "x", "website": "javascript:alert(1)"}, "website"),
        ({"legal_name": "x", "parent": "1"}, "parent"),
        ({"legal_name": "x", "parent": True}, "parent"),
        ({"legal_name": "x", "parent": 10**30}, "parent"),
        ({"legal_name": "x", "number": "C1"}, "number"),
        ({"legal_name": "x", "version": 9}, "version"),
        ({"legal_name": "x", "deleted_at": None}, "deleted_at"),
        ({"legal_name": "x", "is_superuser": True}, "is_superuser"),
    ],
)
def test_a_bad_value_names_its_field_and_writes_nothing(ivy: Caller, body: dict[str, Any], field: str) -> None:
    assert_problem(ivy.post("customers/", body), 400, field=field)
    assert not Customer.objects.exists()


def test_related_records_of_another_team_do_not_exist(world: World, ivy: Caller) -> None:
    theirs = make_customer(team=world.south)
    for field, pk in (("parent", theirs.pk), ("owner", world.eve.pk), ("team", world.south.pk)):
        assert_problem(ivy.post("customers/", {"legal_name": "x", field: pk}), 400, field=field, code="does_not_exist")


def test_giving_a_customer_to_another_needs_the_right_to_assign(world: World) -> None:
    ana, customer = Caller(world.ana), make_customer(team=world.north)
    assert_problem(ana.post("customers/", {"legal_name": "x", "owner": world.sam.pk}), 403, code="missing_permission")
    assert_problem(ana.patch(f"customers/{customer.pk}/", {"owner": world.sam.pk}, if_match='"1"'), 403)
    assert ana.post("customers/", {"legal_name": "x", "owner": world.ana.pk}).status_code == 201


def test_a_change_needs_the_current_version(world: World, ivy: Caller) -> None:
    customer = make_customer("Acme", team=world.north)
    path = f"customers/{customer.pk}/"
    assert_problem(ivy.patch(path, {"region": "East"}), 428)
    assert_problem(ivy.patch(path, {"region": "East"}, if_match="*"), 428)
    for stale in ('"7"', '"abc"', 'W/"1"', '"1", "2"'):
        assert ivy.patch(path, {"region": "East"}, if_match=stale)["ETag"] == '"1"'
    changed = ivy.patch(path, {"region": "East"}, if_match='"1"')
    assert (changed.status_code, changed["ETag"], changed.json()["region"]) == (200, '"2"', "East")
    assert_problem(ivy.patch(path, {"region": "West"}, if_match='"1"'), 412, code="stale_version")


def test_custom_fields_are_set_one_by_one(world: World, ivy: Caller) -> None:
    CustomField.add(by=None, key="size", label="Size", kind="number")
    CustomField.add(by=None, key="colour", label="Colour", kind="choice", choices=["red"])
    customer = make_customer(team=world.north, custom={"size": 5})
    changed = ivy.patch(f"customers/{customer.pk}/", {"custom": {"colour": "red"}}, if_match='"1"')
    assert changed.json()["custom"] == {"size": 5, "colour": "red"}
    changed = ivy.patch(f"customers/{customer.pk}/", {"custom": {"size": None}}, if_match='"2"')
    assert changed.json()["custom"] == {"colour": "red"}
    assert_problem(ivy.patch(f"customers/{customer.pk}/", {"custom": {"colour": "blue"}}, if_match='"3"'), 400, field="custom.colour")


def test_a_circle_of_parents_is_refused(world: World, ivy: Caller) -> None:
    top = make_customer(team=world.north)
    below = make_customer(team=world.north, parent=top)
    assert_problem(ivy.patch(f"customers/{top.pk}/", {"parent": below.pk}, if_match='"1"'), 400, field="parent")


def test_deleting_hides_and_restoring_brings_back(world: World) -> None:
    ada, customer = Caller(world.ada), make_customer(team=world.north)
    path = f"customers/{customer.pk}/"
    assert_problem(ada.delete(path), 428)
    assert_problem(ada.delete(path, if_match='"9"'), 412)
    assert ada.delete(path, if_match='"1"').status_code == 204
    assert_problem(ada.get(path), 404)
    assert_problem(Caller(world.ivy).post(f"{path}restore/"), 403)
    back = ada.post(f"{path}restore/")
    assert (back.status_code, back["ETag"]) == (200, '"3"')
    assert_problem(ada.post(f"{path}restore/"), 404)


def test_fifty_customers_cost_few_queries_and_bytes(world: World, ivy: Caller, django_assert_max_num_queries: Any) -> None:
    for index in range(60):
        make_customer(
            f"International Machine Works {index} Incorporated", team=world.bergen, owner=world.ana, industry="machine building",
            region="Western Norway", country="NO", annual_revenue="123456789.00", tags=["vip", "key account"],
        )  # fmt: skip
    with django_assert_max_num_queries(6):
        page = ivy.get("customers/")
    assert len(page.json()["results"]) == 50
    assert len(page.content) < 40 * 1024


def test_a_change_is_in_the_history_with_its_author(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    ivy.patch(f"customers/{customer.pk}/", {"region": "East"}, if_match='"1"')
    customer.refresh_from_db()
    assert customer.updated_at <= datetime.now(UTC)


def test_a_session_reads_and_its_writes_need_the_csrf_token(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.ana)
    assert browser.get("/api/v1/customers/").status_code == 200
    assert_problem(browser.post("/api/v1/customers/", json.dumps({"legal_name": "x"}), content_type="application/json"), 403)
