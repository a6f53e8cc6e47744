"""The person's own language and time zone for the length of a request, and when the session was last in use."""

from __future__ import annotations

import time
from collections.abc import Callable

from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation


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
