"""How often one may call: a count per minute for each token or person, and for each address of callers without a valid one.

The counts live in the cache, by one atomic increment. Where the cache is away, calls go through and a warning is logged:
the limit is there against runaway scripts, and an API that stops with its cache would be the worse failure.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from users.models import ApiToken

logger = logging.getLogger(__name__)

WINDOW_SECONDS = 60


class CallsPerMinute(BaseThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        who, limit = _caller(request)
        return _count(f"api-calls:{who}:{int(time.time()) // WINDOW_SECONDS}") <= limit

    def wait(self) -> float:
        """Until the next minute begins."""
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def _caller(request: Request) -> tuple[str, int]:
    user, token = request.user, request.auth  # nobody after a bad token: that counts for the address that it came from
    if isinstance(token, ApiToken):
        return f"token-{token.pk}", settings.API_CALLS_PER_MINUTE
    if user.is_authenticated:
        return f"user-{user.pk}", settings.API_CALLS_PER_MINUTE
    return f"address-{request.META.get('REMOTE_ADDR', '')}", settings.API_ANONYMOUS_CALLS_PER_MINUTE


def _count(key: str) -> int:
    """Count one call; 0 where the cache cannot be reached."""
    try:
        try:
            return int(cache.incr(key))
        except ValueError:  # first call of this minute; of two at once, `add` lets one through
            return 1 if cache.add(key, 1, timeout=2 * WINDOW_SECONDS) else int(cache.incr(key))
    except (RedisError, OSError):
        logger.warning("the cache is away: API calls are not limited")
        return 0
