"""Is everything that the product needs at work? Each part answers with ok or with what is wrong, in words for operators."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NotRequired, TypedDict

from django.core.cache import cache
from django.db import DatabaseError, connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from crm.beat import MARK as BEAT_MARK
from crm.celery import app

WORKER_MARK = "worker-canary"
WORKER_SILENT_AFTER = 120.0
BEAT_SILENT_AFTER = 60.0


class Part(TypedDict):
    ok: bool
    detail: str
    seconds_ago: NotRequired[float]  # the last sign of life, of parts that leave one


def check_all() -> dict[str, Part]:
    return {name: _answer(check) for name, check in CHECKS.items()}


def _answer(check: Callable[[], Part]) -> Part:
    try:
        return check()
    except (DatabaseError, RedisError, KombuError, OSError) as error:
        return {"ok": False, "detail": type(error).__name__}  # the message may name hosts and users


def _database() -> Part:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True, "detail": ""}


def _broker() -> Part:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=3)
    return {"ok": True, "detail": ""}


def _worker() -> Part:
    return _sign_of_life(WORKER_MARK, WORKER_SILENT_AFTER, "finished a job")


def _beat() -> Part:
    return _sign_of_life(BEAT_MARK, BEAT_SILENT_AFTER, "ticked")


def _sign_of_life(mark: str, silent_after: float, verb: str) -> Part:
    seen: float | None = cache.get(mark)
    if seen is None:
        return {"ok": False, "detail": f"has not {verb} yet"}
    silence = time.time() - seen
    return {"ok": silence <= silent_after, "detail": f"{verb} {silence:.0f} s ago", "seconds_ago": round(silence, 1)}


CHECKS: dict[str, Callable[[], Part]] = {"database": _database, "broker": _broker, "worker": _worker, "beat": _beat}
