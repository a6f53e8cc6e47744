"""What a request carries for every app: the signed-in person, htmx, and the id that ties a change to its request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from users.models import User

request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request (or job) being worked on; empty outside of one."""
    return request_id.get()


class SignedInRequest(HttpRequest):
    """A request behind LoginRequiredMiddleware; a type only, never instantiated."""

    user: User  # never anonymous here
    htmx: HtmxDetails
