from __future__ import annotations

from typing import Any

import pytest

from customers.models import Contact, ContactPoint, CrossReference, Customer, Order, Product, SourceRecord
from tests.api.client import Caller, assert_problem
from tests.api.nouns import make_source
from tests.factories import make_customer, make_product
from tests.people import World


@pytest.fixture(autouse=True)
def _erp(db: None) -> None:
    make_source("erp")


def bulk(caller: Caller, noun: str, *items: Any, **headers: str) -> list[Any]:
    answer = caller.post(f"{noun}/bulk/", {"items": items}, **headers)
    assert answer.status_code == 200, answer.content
    results: list[Any] = answer.json()["results"]
    return results


def statuses(results: list[Any]) -> list[str]:
    return [one["status"] for one in results]


def test_an_item_is_created_then_unchanged_then_updated(world: World, ivy: Caller) -> None:
    item = {"source": "erp", "key": "4711", "legal_name": "Acme", "annual_revenue": 12.5}
    made = bulk(ivy, "customers", item)
    assert statuses(made) == ["created"]
    assert statuses(bulk(ivy, "customers", item)) == ["unchanged"]
    assert statuses(bulk(ivy, "customers", item | {"region": "East"})) == ["updated"]
    customer = Customer.objects.get()
    assert (customer.pk, customer.region) == (made[0]["id"], "East")


def test_each_version_is_kept_as_received_and_named_by_the_values(world: World, ivy: Caller) -> None:
    bulk(ivy, "customers", {"source": "erp", "key": "4711", "legal_name": "Acme"})
    bulk(ivy, "customers", {"source": "erp", "key": "4711", "legal_name": "Acme", "region": "East"})
    first, second = SourceRecord.objects.order_by("version")
    assert (first.payload, second.payload) == ({"legal_name": "Acme"}, {"legal_name": "Acme", "region": "East"})
    customer = Customer.objects.get()
    assert customer.provenance == {"legal_name": first.pk, "region": second.pk}
    assert CrossReference.objects.get().customer == customer


def test_what_people_corrected_survives_a_source(world: World, ivy: Caller) -> None:
    bulk(ivy, "customers", {"source": "erp", "key": "4711", "legal_name": "Akme", "region": "East"})
    ivy.patch(f"customers/{Customer.objects.get().pk}/", {"legal_name": "Acme"}, if_match='"1"')
    bulk(ivy, "customers", {"source": "erp", "key": "4711", "legal_name": "Akme", "region": "West"})
    customer = Customer.objects.get()
    assert (customer.legal_name, customer.region) == ("Acme", "West")


def test_a_wrong_item_does_not_stop_the_others(world: World, ivy: Caller) -> None:
    answer = ivy.post(
        "customers/bulk/",
        {"items": [
            {"source": "erp", "key": "1", "legal_name": "Acme"},
            {"source": "erp", "key": "2", "legal_name": "", "kind": "x"},
            {"source": "nowhere", "key": "3", "legal_name": "Bolt"},
            {"source": "erp", "legal_name": "Bolt"},
            {"source": "erp", "key": "5", "legal_name": "Bolt", "number": "C1"},
            "Bolt",
            {"source": "erp", "key": "7", "legal_name": "Core"},
        ]},
    ).json()  # fmt: skip
    assert statuses(answer["results"]) == ["created", *["error"] * 5, "created"]
    assert answer["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "error": 5}
    assert [sorted({e["field"] for e in one.get("errors", [])}) for one in answer["results"]] == [
        [], ["kind", "legal_name"], ["source"], ["key"], ["number"], [""], [],
    ]  # fmt: skip
    assert Customer.objects.count() == 2


def test_a_key_of_another_teams_customer_is_refused(world: World, ivy: Caller) -> None:
    bulk(Caller(world.ada), "customers", {"source": "erp", "key": "1", "legal_name": "Acme", "team": world.south.pk})
    results = bulk(ivy, "customers", {"source": "erp", "key": "1", "legal_name": "Mine"})
    assert (results[0]["status"], results[0]["errors"][0]["code"]) == ("error", "not_visible")
    assert Customer.objects.get().legal_name == "Acme"


def test_giving_customers_away_needs_the_right_in_bulk_too(world: World) -> None:
    ana = Caller(world.ana)
    item = {"source": "erp", "key": "1", "legal_name": "Acme"}
    assert statuses(bulk(ana, "customers", item | {"owner": world.sam.pk})) == ["error"]
    assert statuses(bulk(ana, "customers", item)) == ["created"]
    assert statuses(bulk(ana, "customers", item | {"owner": world.sam.pk})) == ["error"]


def test_contacts_come_with_their_customers_key(world: World, ivy: Caller) -> None:
    bulk(ivy, "customers", {"source": "erp", "key": "1", "legal_name": "Acme"})
    results = bulk(
        ivy,
        "contacts",
        {"source": "erp", "key": "c1", "name": "Li Na", "customer_key": "1"},
        {"source": "erp", "key": "c2", "name": "Lost", "customer_key": "9"},
    )
    assert statuses(results) == ["created", "error"]
    assert Contact.objects.get().positions.get().customer == Customer.objects.get()
    assert statuses(bulk(ivy, "contacts", {"source": "erp", "key": "c1", "name": "Li Na", "notes": "x"})) == ["updated"]


def test_orders_are_found_by_key_and_their_lines_compared(world: World, ivy: Caller) -> None:
    customer, product = make_customer(team=world.north), make_product("GTX")
    order = {
        "source": "erp", "key": "o1", "customer": customer.pk, "ordered_on": "2026-03-02",
        "lines": [{"product_code": product.code, "amount": "90.00", "quantity": 2}],
    }  # fmt: skip
    assert statuses(bulk(ivy, "orders", order)) == ["created"]
    assert statuses(bulk(ivy, "orders", order)) == ["unchanged"]
    assert statuses(bulk(ivy, "orders", order | {"lines": [{"amount": 100}]})) == ["updated"]
    found = Order.objects.get()
    assert (str(found.amount), found.lines.count(), found.version) == ("100.00", 1, 2)


def test_products_of_a_source_are_updated(world: World, ivy: Caller) -> None:
    item = {"source": "erp", "key": "p1", "code": "GTX", "name": "GTX Pro", "unit_price": "10"}
    assert statuses(bulk(ivy, "products", item, item | {"unit_price": "10.0"}, item | {"unit_price": "11"})) == [
        "created",
        "unchanged",
        "updated",
    ]
    assert Product.objects.get().unit_price == 11
    twin = bulk(ivy, "products", {"source": "erp", "key": "p2", "code": "GTX", "name": "Twin"})
    assert twin[0]["errors"][0]["field"] == "code"


def test_a_contact_point_told_anew_is_a_correction(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    item = {"source": "erp", "key": "v1", "customer": customer.pk, "kind": "visit", "channel": "in_person", "subject": "Visit"}
    item["at"] = "2026-03-02T10:00:00Z"
    assert statuses(bulk(ivy, "contact-points", item, item, item | {"minutes": 30}, item | {"minutes": 30})) == [
        "created",
        "unchanged",
        "updated",
        "unchanged",
    ]
    assert ContactPoint.objects.standing().get().minutes == 30
    assert ContactPoint.objects.count() == 2


@pytest.mark.parametrize("body", [{}, [], {"items": {}}, {"items": []}, {"items": [{}] * 1001}, {"items": [], "more": 1}])
def test_an_odd_envelope_is_refused_as_a_whole(ivy: Caller, body: Any) -> None:
    assert_problem(ivy.post("customers/bulk/", body), 400, field="items")


def test_a_bulk_call_is_repeated_from_its_kept_answer(world: World, ivy: Caller) -> None:
    item = {"source": "erp", "key": "1", "legal_name": "Acme"}
    assert statuses(bulk(ivy, "customers", item, idempotency_key="b1")) == ["created"]
    assert statuses(bulk(ivy, "customers", item, idempotency_key="b1")) == ["created"]
    assert statuses(bulk(ivy, "customers", item)) == ["unchanged"]


def test_a_role_without_the_right_is_refused_before_anything_is_read(world: World) -> None:
    assert_problem(Caller(world.xia).post("customers/bulk/", {"items": []}), 403)
