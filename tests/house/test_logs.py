from __future__ import annotations

import logging
import re
import sys

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from crm.logs import OneLine
from tests.factories import make_user
from tests.people import World
from users.access import Role
from users.http import request_id


def record(message: str, *arguments: object, error: bool = False) -> logging.LogRecord:
    return logging.LogRecord("crm.test", logging.ERROR, __file__, 1, message, arguments, sys.exc_info() if error else None)


def test_a_line_says_when_how_bad_who_in_which_request_and_what() -> None:
    token = request_id.set("abc12345")
    try:
        line = OneLine().format(record("job %s failed", 7))
    finally:
        request_id.reset(token)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ERROR crm\.test abc12345 job 7 failed", line)


def test_an_error_stays_on_its_line_with_its_place() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError:
        line = OneLine().format(record("failed", error=True))
    assert "| ValueError: no such thing | tests/house/test_logs.py:" in line
    assert "\n" not in line


def test_nobody_can_write_a_line_of_their_own() -> None:
    assert OneLine().format(record("GET %s", "/x\n2026-01-01 ERROR forged")).count("\n") == 0


@pytest.mark.django_db
def test_a_database_error_is_told_without_the_values_it_quotes(world: World) -> None:
    try:
        make_user("ana", team=world.north, role=Role.INTEGRATOR)
    except DatabaseError:
        line = OneLine().format(record("failed", error=True))
    assert "IntegrityError 23505 users_user" in line
    assert "ana@example.com" not in line


@pytest.mark.django_db
def test_a_request_leaves_one_line_without_its_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="crm.request"):
        client.get("/account/login/?q=secret")
    lines = [one.getMessage() for one in caplog.records if one.name == "crm.request"]
    assert len(lines) == 1
    assert re.fullmatch(r"GET /account/login/ 200 \d+ ms", lines[0])


@pytest.mark.django_db
def test_asking_for_health_leaves_no_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="crm.request"):
        client.get("/healthz")
    assert [one for one in caplog.records if one.name == "crm.request"] == []


@pytest.mark.django_db
def test_an_answer_that_something_is_unwell_is_no_news(client: Client, settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": "without-any-sign-of-life"}}
    assert client.get("/healthz").status_code == 503
    assert "healthz" not in capfd.readouterr().err
