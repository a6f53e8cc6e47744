"""The answer when nothing else could be said: 503 where a server behind us is out of reach, 500 for our own mistakes."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.views.decorators.csrf import requires_csrf_token
from redis.exceptions import ConnectionError as BrokerUnreachable

RETRY_AFTER_SECONDS = "30"


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without request and context processors, which may be what broke."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError | BrokerUnreachable):
        return HttpResponse(loader.get_template("503.html").render(), status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
    return HttpResponse(loader.get_template("500.html").render(), status=500)
