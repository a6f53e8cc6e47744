from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.utils import timezone

from crm.errors import server_error
from customers.models import Customer
from tests.api.client import Caller, assert_problem
from tests.factories import make_customer
from tests.people import World
from users.access import Scope
from users.models import ApiToken, IdempotentReply
from users.tasks import forget_old_replies

# ── Who ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer " + "x" * 500, "bearer \x00", "Token abc"])
def test_without_a_valid_token_the_answer_is_401_and_says_how(db: None, header: str) -> None:
    answer = Client(headers={"Authorization": header} if header else {}).get("/api/v1/customers/")
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("what", ["revoked", "expired", "inactive"])
def test_a_token_that_has_ended_is_worth_nothing(world: World, what: str) -> None:
    caller = Caller(world.ivy)
    if what == "revoked":
        caller.token.revoke(by=world.ada)
    elif what == "expired":
        ApiToken.objects.filter(pk=caller.token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        world.ivy.change(by=world.ada, is_active=False)
    assert_problem(caller.get("customers/"), 401)


def test_a_token_reaches_only_as_far_as_its_scopes(world: World) -> None:
    reader = Caller(world.ivy, scopes=[Scope.CUSTOMERS_READ])
    assert reader.get("customers/").status_code == 200
    assert_problem(reader.post("customers/", {"legal_name": "x"}), 403, code="missing_scope")
    assert_problem(Caller(world.ivy, scopes=[Scope.SALES_READ]).get("customers/"), 403, code="missing_scope")
    assert_problem(Caller(world.ivy, scopes=[Scope.CUSTOMERS_WRITE]).get("customers/"), 403, code="missing_scope")


def test_scopes_do_not_widen_the_role(world: World) -> None:
    assert_problem(Caller(world.xia).post("customers/", {"legal_name": "x"}), 403, code="missing_permission")
    assert not Customer.objects.exists()


def test_use_of_a_token_is_noted(world: World, ivy: Caller) -> None:
    ivy.get("customers/")
    ivy.token.refresh_from_db()
    assert ivy.token.last_used_at is not None


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["nowhere/", "customers", "customers/1", "customers/1/nowhere/", "../v2/", "%00", "%ff%fe/", "a" * 3000])
def test_an_unknown_path_is_a_problem_too(ivy: Caller, path: str) -> None:
    assert_problem(ivy.get(path), 404)


def test_a_method_that_is_not_there_says_which_are(world: World, ivy: Caller) -> None:
    answer = ivy.delete("customers/")
    assert_problem(answer, 405)
    assert "GET" in answer["Allow"]


def test_verbs_that_nobody_needs_are_off(ivy: Caller) -> None:
    for verb in ("OPTIONS", "TRACE", "PROPFIND"):
        assert_problem(ivy.raw("customers/", b"", method=verb), 405)


def test_what_breaks_before_the_api_is_a_problem_too(rf: RequestFactory) -> None:
    try:
        raise OperationalError("secret")
    except OperationalError:
        answer = server_error(rf.get("/api/v1/customers/"))
    assert_problem(answer, 503)
    assert_problem(server_error(rf.get("/api/v1/customers/")), 500)


def test_another_content_type_is_refused(ivy: Caller) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""):
        assert_problem(ivy.raw("customers/", b"legal_name=x", content_type=kind), 415)


def test_a_body_that_is_too_large_is_refused(ivy: Caller) -> None:
    assert_problem(ivy.raw("customers/", b'{"legal_name": "' + b"x" * (5 * 1024 * 1024) + b'"}'), 413)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nul", b"\xff\xfe", b"[]", b"null", b'"x"', b"5", b"[" * 100_000, b'{"a":' * 50_000,
        b"[" * 30 + b"]" * 30, b'{"legal_name": NaN}', b'{"legal_name": Infinity}', b'{"legal_name": -Infinity}',
        b'{"annual_revenue": 1e9999999, "legal_name": "x"}', b'{"annual_revenue": 1e99999999999999999999, "legal_name": "x"}',
        b'{"employees": ' + b"9" * 5000 + b', "legal_name": "x"}', b'{"legal_name": "a", "legal_name": "b"}',
        b'{"legal_name": "a\\u0000b"}', b'{"legal_name": "a\\ud800b"}', b'{"\\u0000": 1}', b'{"\\udfff": 1}', b'{"legal_name": "a\x00b"}',
        b'{"legal_name": "x", "tags": ["\\u0000"]}', '{"legal_name": "x"}'.encode("utf-16"), b"\xef\xbb\xbf{}",
        b'{"legal_name": {"a": "b"}}', b'[{"legal_name": "x"}]', b'{"legal_name": "x",}', b'{"legal_name": "\xed\xa0\x80"}',
    ],
)  # fmt: skip
def test_a_hostile_body_is_a_clear_400(ivy: Caller, body: bytes) -> None:
    assert_problem(ivy.raw("customers/", body), 400)
    assert not Customer.objects.exists()


def test_our_own_mistake_is_a_bare_500(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ivy = Caller(world.ivy)
    ivy.client.raise_request_exception = False
    monkeypatch.setattr(Customer.objects, "visible_to", lambda user: 1 / 0)
    answer = ivy.get("customers/")
    assert "division" not in assert_problem(answer, 500)["detail"]


# ── How often ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_too_many_calls_are_told_when_to_go_on(ivy: Caller, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE = 2
    answers = [ivy.get("customers/") for _ in range(5)]  # five, since a minute may turn in between
    assert_problem(answers[-1], 429)
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60


def test_guessing_tokens_is_limited_by_address(db: None, settings: Any) -> None:
    settings.API_ANONYMOUS_CALLS_PER_MINUTE = 2
    guesses = [Client(headers={"Authorization": f"Bearer guess{index}"}).get("/api/v1/customers/").status_code for index in range(6)]
    assert guesses[-1] == 429


def test_without_the_cache_calls_go_through(ivy: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(cache, "incr", away)
    settings.API_CALLS_PER_MINUTE = 1
    assert [ivy.get("customers/").status_code for _ in range(3)] == [200] * 3


# ── Once is once ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_request_again_gets_the_same_answer(world: World, ivy: Caller) -> None:
    first = ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    again = ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    assert (again.status_code, again.json(), again["ETag"], again["Location"]) == (201, first.json(), first["ETag"], first["Location"])
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Customer.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    assert_problem(ivy.post("customers/", {"legal_name": "Bolt"}, idempotency_key="k1"), 422)


def test_keys_belong_to_their_user(world: World, ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    assert Caller(world.ana).post("customers/", {"legal_name": "Bolt"}, idempotency_key="k1").status_code == 201


def test_after_an_error_the_key_is_free(ivy: Caller) -> None:
    assert_problem(ivy.post("customers/", {"legal_name": ""}, idempotency_key="k1"), 400)
    assert ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1").status_code == 201


def test_a_twin_that_is_still_at_work_is_a_conflict(world: World, ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    IdempotentReply.objects.update(status=None, created_at=timezone.now())
    assert_problem(ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1"), 409, code="still_running")


def test_a_claim_left_by_a_dead_process_is_taken_over(world: World, ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1")
    IdempotentReply.objects.update(status=None, created_at=timezone.now() - timedelta(minutes=11))
    assert ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="k1").status_code == 201
    assert Customer.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "käse"])
def test_an_odd_key_is_refused(ivy: Caller, key: str) -> None:
    assert_problem(ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key=key), 400, field="Idempotency-Key")


def test_answers_are_forgotten_after_two_days(world: World, ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="old")
    IdempotentReply.objects.update(created_at=timezone.now() - timedelta(hours=49))
    ivy.post("customers/", {"legal_name": "Bolt"}, idempotency_key="new")
    forget_old_replies()
    assert [reply.key for reply in IdempotentReply.objects.all()] == ["new"]


# ── What leaves ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_cache_may_keep_an_answer(world: World, ivy: Caller) -> None:
    assert "no-store" in ivy.get("customers/")["Cache-Control"]


def test_answers_are_json_whatever_the_client_accepts(world: World, ivy: Caller) -> None:
    make_customer("Zürich 华信", team=world.north)
    answer = ivy.get("customers/", accept="image/png")
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content)["results"][0]["name"] == "Zürich 华信"
