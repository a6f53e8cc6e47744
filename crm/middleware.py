"""An id for each request, in its answer, its log lines and the events that it writes; and the build that answered."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from users.http import request_id as current

logger = logging.getLogger("crm.request")

# A caller's own id is taken over only where it can do no harm in a log or a header.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        token = current.set(given if ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex)
        started = time.perf_counter()
        try:
            response = get_response(request)
            response["X-Request-ID"] = current.get()
            response["X-Pareto-Build"] = settings.BUILD
            if request.path != "/healthz":
                # Without the query: what people search for is no business of a log.
                milliseconds = 1000 * (time.perf_counter() - started)
                logger.info("%s %s %d %.0f ms", request.method, request.path, response.status_code, milliseconds)
            return response
        finally:
            current.reset(token)

    return middleware
