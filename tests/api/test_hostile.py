"""Hundreds of odd inputs at every noun: whatever comes, the answer is a problem of the 400s and never a 500."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from crm.api import NOUNS as VIEWS
from tests.api.client import Caller
from tests.api.nouns import NOUNS, Noun
from tests.factories import make_customer
from tests.people import World

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**30, -(10**30), 2**31, 2**63, "", " ", "x" * 100_000, "\u202e", "\ufeff", "0x10", "１２", "1e5",
    "1e9999999", "NaN", "Infinity", "-0", "2026-13-01", "0000-00-00", "99999-01-01", "2026-03-02T25:00:00Z", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+14:00", "<script>alert(1)</script>", "'; DROP TABLE users; --", "{{7*7}}", "%s%n", "../../etc/passwd", "=1+1",
    [], {}, [[]], {"id": 1}, [1, 2], [None], {"__class__": "x"}, {"pk__in": [1]}, "a\r\nSet-Cookie: x=1", "٣", "١٢٣٤",
]  # fmt: skip
RAW = [b'"\\u0000"', b'"\\ud800"', b"1e400", b"1E+99999999999", b"-1e-99999", b"9" * 4301, b"NaN", b"[" * 24 + b"]" * 24]
PLACES: list[Any] = [
    ["f", "name", "a", 1], ["f", "name", None, 1], ["f", "name", {}, 1], ["f", "name", "a\x00", 1], ["f", "name", "a", 10**30],
    ["f", "name", "a", None], ["f", "name", "a", True], ["f", "name", "\ud800", 1], ["b", "name", [], []], ["x"], {}, 5,
    ["f", "updated_at", "x", 1], ["f", "updated_at", "9999-99-99", 1], ["f", "updated_at", "0001-01-01T00:00:00+23:59", 1],
    ["f", "updated_at", 1e308, 1],
]  # fmt: skip


def check(answer: Any, sent: Any) -> None:
    assert answer.status_code < 500, (sent, answer.content[:300])
    assert answer["Content-Type"] in ("application/json", "application/problem+json"), sent
    json.loads(answer.content or b"{}")


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.path)
def test_odd_values_in_every_field(world: World, ivy: Caller, noun: Noun) -> None:
    body = noun.body(make_customer(team=world.north))
    serializer: Any = vars(VIEWS[noun.path])["serializer_class"]
    fields = [name for name, field in serializer().fields.items() if not field.read_only]
    chosen = random.Random(noun.path)
    for field in fields:
        for value in chosen.sample(ODD, 6):
            check(ivy.post(f"{noun.path}/", {**body, field: value}), (field, value))
        for raw in chosen.sample(RAW, 1):
            text = json.dumps({name: value for name, value in body.items() if name != field})[:-1].encode()
            check(ivy.raw(f"{noun.path}/", text + b', "' + field.encode() + b'": ' + raw + b"}"), (field, raw))


@pytest.mark.parametrize("path", VIEWS)
def test_odd_values_in_every_parameter(world: World, path: str) -> None:
    ada = Caller(world.ada)
    chosen = random.Random(path)
    texts = [value for value in ODD if isinstance(value, str) and len(value) < 2000] + ["a\x00b", "-1,,", "1,2,3", "\udcff", "%", "9" * 200]
    for name in [*VIEWS[path].filters, "ordering", "cursor", "page_size", "search"]:
        for value in chosen.sample(texts, 5):
            check(ada.client.get(f"/api/v1/{path}/", {name: value.encode("utf-8", "surrogateescape")}), (name, value))


@pytest.mark.parametrize("order", ["name", "-name", "updated_at"])
def test_odd_cursors(world: World, ivy: Caller, order: str) -> None:
    for place in PLACES:
        cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
        check(ivy.get("customers/", {"cursor": cursor, "ordering": order}), place)


def test_odd_headers(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    for value in ("", '"', '""', "9" * 5000, '"9999999999999999999"', "W/", "\x7f", "ü", '"1"' * 1000, ",", "-1"):
        check(ivy.patch(f"customers/{customer.pk}/", {"region": "x"}, if_match=value), value)
        check(ivy.get(f"customers/{customer.pk}/", if_none_match=value), value)
        check(ivy.post("customers/", {"legal_name": "x"}, idempotency_key=value), value)
        check(ivy.raw("customers/", b"{}", content_type=value or "x"), value)
