"""What the audit hears of signing in and out, and what follows from a new password."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest

from users import actions
from users.models import Event, User

NOUN = "account"  # not "user": these are no changes of the record


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    _note(Event.Action.SIGNED_IN, user, request)


@receiver(user_logged_out)
def note_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user:
        _note(Event.Action.SIGNED_OUT, user, request)


@receiver(user_login_failed)
def note_failed_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """The name tried is kept only where it is a user's: people type passwords into the wrong field."""
    tried = str(credentials.get("email") or credentials.get("username") or "")
    user = User.objects.filter(email__iexact=tried).first() if "\x00" not in tried else None
    changes = {"address": [None, _address(request)]} if request else {}
    label, pk = (user.email, user.pk) if user else ("", None)
    Event.record(Event.Action.SIGN_IN_FAILED, noun=NOUN, by=None, object_id=pk, label=label, changes=changes)


@receiver(authentication_failed)
def note_failed_second_step(request: HttpRequest, user: User, **_: Any) -> None:
    changes = {"address": [None, _address(request)]}
    Event.record(Event.Action.SIGN_IN_FAILED, noun=NOUN, by=None, object_id=user.pk, label=user.email, changes=changes)


@receiver([password_changed, password_reset])
def note_new_password(request: HttpRequest, user: User, **_: Any) -> None:
    """Whoever knew the old password is out: Django ends the other sessions, and here the API tokens go."""
    _note(Event.Action.PASSWORD_SET, user, request)
    actions.revoke_tokens(by=user, user=user)


@receiver(authenticator_added)
def note_second_step_on(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        _note(Event.Action.SECOND_STEP_ON, user, request)


@receiver(authenticator_removed)
def note_second_step_off(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        _note(Event.Action.SECOND_STEP_OFF, user, request)


def _note(action: Event.Action, user: User, request: HttpRequest) -> None:
    Event.record(action, noun=NOUN, by=user, object_id=user.pk, label=user.email, changes={"address": [None, _address(request)]})


def _address(request: HttpRequest) -> str:
    try:
        return str(get_adapter().get_client_ip(request))
    except PermissionDenied:  # a socket has no address
        return ""
