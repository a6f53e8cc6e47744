from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLResolver, get_resolver

from crm.api import NOUNS
from crm.api_schema import document
from tests.api.client import Caller, assert_problem
from tests.people import World


@pytest.fixture(scope="module")
def described() -> Any:
    return json.loads(document())


def test_the_document_is_valid_and_without_warnings() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO(), stderr=StringIO())


def test_every_address_of_the_api_is_described(described: Any) -> None:
    api = next(one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and str(one.pattern) == "api/")
    nouns = next(one for one in api.url_patterns if isinstance(one, URLResolver) and str(one.pattern) == "v1/")
    paths = {f"/api/v1/{one.pattern}".replace("<int:pk>", "{id}") for one in nouns.url_patterns}
    assert paths == set(described["paths"])
    assert {f"/api/v1/{noun}/" for noun in NOUNS} <= paths


def test_every_operation_says_how_it_can_fail(described: Any) -> None:
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            codes = set(operation["responses"])
            assert {"401", "403", "429"} <= codes, (method, path)
            assert {"bearer": []} in operation["security"]
            if method == "post":
                assert {"400", "409", "415", "422"} <= codes, (method, path)
            if method in ("put", "patch", "delete"):
                assert {"404", "412", "428"} <= codes, (method, path)
            assert operation["responses"]["401"]["content"]["application/problem+json"]


def test_the_document_is_for_those_who_are_known(world: World) -> None:
    assert_problem(Client().get("/api/schema/"), 401)
    assert Caller(world.ivy).client.get("/api/schema/").json()["info"]["title"] == "Pareto CRM"


def test_the_page_asks_to_sign_in_and_has_no_inline_script(world: World, client: Client) -> None:
    assert client.get("/api/docs/").status_code == 302
    client.force_login(world.ana)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert "unsafe-inline" not in page["Content-Security-Policy"]
