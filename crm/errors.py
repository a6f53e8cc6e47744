"""The answer when nothing else could be said: 503 where a server behind us is out of reach, 500 for our own mistakes."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from redis.exceptions import ConnectionError as BrokerUnreachable

from users.api.problems import CONTENT_TYPE, problem_body

RETRY_AFTER_SECONDS = "30"


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without request and context processors, which may be what broke."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError | BrokerUnreachable)
    if request.path.startswith("/api/"):
        return _problem(request.path, is_away=is_away)
    if is_away:
        return HttpResponse(loader.get_template("503.html").render(), status=503, headers={"Retry-After": RETRY_AFTER_SECONDS})
    return HttpResponse(loader.get_template("500.html").render(), status=500)


def _problem(path: str, *, is_away: bool) -> JsonResponse:
    """For what breaks before a view of the API is reached: a program gets the shape that it knows."""
    if is_away:
        body = problem_body(503, code="unavailable", detail=_("The service is not available for the moment."), instance=path)
        return JsonResponse(body, status=503, content_type=CONTENT_TYPE, headers={"Retry-After": RETRY_AFTER_SECONDS})
    body = problem_body(500, code="server_error", detail=_("Something went wrong on our side."), instance=path)
    return JsonResponse(body, status=500, content_type=CONTENT_TYPE)
