"""What surrounds the request of a signed-in person: language and zone, last use of the session, no stored copies, denials."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from users.models import Event


def personal_settings(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Signed in: what the person chose. Otherwise the browser's language (LocaleMiddleware) and the company's zone."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return get_response(request)
        translation.activate(user.language)
        request.LANGUAGE_CODE = translation.get_language() or user.language
        with timezone.override(user.zone):
            return get_response(request)

    return middleware


SEEN_EVERY_SECONDS = 15 * 60


def session_activity(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Keep "last seen" in the list of sessions true to a quarter of an hour; the requests between write nothing."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and request.session.get("seen_at", 0) < time.time() - SEEN_EVERY_SECONDS:
            UserSession.objects.create_from_request(request)
            request.session["seen_at"] = int(time.time())
        return get_response(request)

    return middleware


def not_stored(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """What a signed-in person saw is not to be found in the browser's cache by the next one at that machine."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store, private"
        return response

    return middleware


DENIAL_NOTED_EVERY_SECONDS = 60


def denials(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Put a refused act into the audit, once a minute per person and address, so that a loop does not fill it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if response.status_code == HTTPStatus.FORBIDDEN and request.user.is_authenticated:
            what = f"{request.method} {request.path}"[:200]
            if cache.add(f"denied:{request.user.pk}:{sha256(what.encode()).hexdigest()}", 1, DENIAL_NOTED_EVERY_SECONDS):
                Event.record(Event.Action.DENIED, noun="account", by=request.user, object_id=request.user.pk, label=what)
        return response

    return middleware
