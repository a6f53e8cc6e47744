"""The beat scheduler, leaving a mark in the cache at each tick: how /healthz knows that it lives."""

from __future__ import annotations

import time
from typing import Any

from celery.beat import PersistentScheduler
from django.core.cache import cache

MARK = "beat-tick"
LONGEST_SLEEP = 10  # seconds between ticks


class MarkingScheduler(PersistentScheduler):
    max_interval = LONGEST_SLEEP

    def tick(self, *args: Any, **kwargs: Any) -> float:
        seconds = super().tick(*args, **kwargs)
        cache.set(MARK, time.time(), timeout=3600)
        return min(seconds, LONGEST_SLEEP)
