from __future__ import annotations

import os
import time

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from crm.beat import MARK as BEAT_MARK
from crm.health import BEAT_SILENT_AFTER, WORKER_MARK, WORKER_SILENT_AFTER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_marks(settings: Settings) -> None:
    """The cache is one for all processes of a test run; the marks are this test's own."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": f"health-{os.getpid()}"}}
    cache.set(WORKER_MARK, time.time())
    cache.set(BEAT_MARK, time.time())


def test_all_is_well(client: Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert {name for name, part in answer.json().items() if name != "ok" and part["ok"]} == {"database", "broker", "worker", "beat"}


@pytest.mark.parametrize(
    ("part", "mark", "silent_after"), [("worker", WORKER_MARK, WORKER_SILENT_AFTER), ("beat", BEAT_MARK, BEAT_SILENT_AFTER)]
)
def test_a_part_that_fell_silent_is_named(client: Client, part: str, mark: str, silent_after: float) -> None:
    cache.set(mark, time.time() - silent_after - 1)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert [name for name, one in answer.json().items() if name != "ok" and not one["ok"]] == [part]


def test_a_worker_that_never_came_up_is_named(client: Client) -> None:
    cache.delete(WORKER_MARK)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["worker"] == {"ok": False, "detail": "has not finished a job yet"}


def test_the_answer_is_the_same_for_strangers_and_is_never_cached(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(1):
        answer = client.get("/healthz")
    assert "no-store" in answer["Cache-Control"]
    assert set(answer.json()) == {"ok", "database", "broker", "worker", "beat"}
