"""Is everything that the product needs at work? Each part answers with ok or with what is wrong, in words for operators."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypedDict

from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError

from crm.beat import MARK as BEAT_MARK

WORKER_MARK = "worker-canary"
WORKER_SILENT_AFTER = 120.0
BEAT_SILENT_AFTER = 60.0


class Part(TypedDict):
    ok: bool
    detail: str


def check_all() -> dict[str, Part]:
    checks = {"database": _database, "broker": _broker, "worker": _worker, "beat": _beat}
    return {name: _answer(check) for name, check in checks.items()}


def _answer(check: Callable[[], str]) -> Part:
    try:
        trouble = check()
    except (DatabaseError, RedisError, OSError) as error:
        trouble = type(error).__name__  # the message may name hosts and users
    return {"ok": not trouble, "detail": trouble}


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _broker() -> str:
    cache.set("health", 1, timeout=5)
    return ""


def _worker() -> str:
    return _mark_trouble(WORKER_MARK, WORKER_SILENT_AFTER, "finished a job")


def _beat() -> str:
    return _mark_trouble(BEAT_MARK, BEAT_SILENT_AFTER, "ticked")


def _mark_trouble(mark: str, silent_after: float, verb: str) -> str:
    seen = cache.get(mark)
    if seen is None:
        return f"has not {verb} yet"
    silence = time.time() - seen
    return f"last {verb} {silence:.0f} s ago" if silence > silent_after else ""
