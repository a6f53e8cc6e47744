"""What touches a user together with sessions, tokens, mail or the other administrators."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from users.access import Role
from users.models import ApiToken, Event, User
from users.models.event import Changes

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invitation:
    """The way in for a person: a link to set a password, and whether it went out by mail."""

    user: User
    link: str
    is_mailed: bool


@transaction.atomic
def add_user(*, by: User | None, email: str, **values: Any) -> User:
    """Make an account that nobody can sign in to before its invitation is used."""
    user = User(email=email.lower(), **values)
    user.set_unusable_password()
    user.save(force_insert=True)
    user.record("created", by=by, changes={name: [None, user.plain(name)] for name in ("email", *values)})
    return user


def invite(*, by: User, user: User, request: HttpRequest) -> Invitation:
    """Make a link for the person to set a password with, and mail it where a mail server is set up."""
    if not user.is_active:
        raise ValidationError(_("A deactivated user cannot be invited."))
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    link = get_adapter(request).get_reset_password_from_key_url(key)
    Event.record(Event.Action.INVITED, noun=User.NOUN, by=by, object_id=user.pk, label=str(user))
    return Invitation(user, link, is_mailed=settings.MAIL_IS_SET_UP and _mail_invitation(user, by, link))


def _mail_invitation(user: User, by: User, link: str) -> bool:
    """False where the mail server is out of reach: then the link is handed over by hand, like without one."""
    with translation.override(user.language):
        text = render_to_string("users/invitation_mail.txt", {"user": user, "by": by, "link": link, "hours": hours_valid()})
        subject = gettext("Your account in Pareto CRM")
    try:
        send_mail(subject, text, None, [user.email])
    except (OSError, SMTPException):
        logger.warning("the invitation of user %s could not be mailed", user.pk, exc_info=True)
        return False
    return True


def hours_valid() -> int:
    return settings.PASSWORD_RESET_TIMEOUT // 3600


@transaction.atomic
def change_user(*, by: User, user: User, expected_version: int | None = None, **values: Any) -> Changes:
    """Change an account; acts at once, since nothing of a user's rights is remembered between requests."""
    if values.get("role", user.role) != Role.ADMINISTRATOR or not values.get("is_active", True):
        _keep_an_administrator(user, "role")
    changes = user.change(by=by, expected_version=expected_version, **values)
    if "email" in changes:
        EmailAddress.objects.filter(user_id=user.pk).delete()  # or the former address would still sign in
    return changes


@transaction.atomic
def deactivate(*, by: User, user: User) -> None:
    """Close the account and everything that it opened: sessions end and API tokens are revoked at once."""
    _keep_an_administrator(user, "is_active")
    user.change(by=by, is_active=False)
    end_sessions(user=user)
    revoke_tokens(by=by, user=user)


def reactivate(*, by: User, user: User) -> None:
    """Open the account again. Its former tokens stay revoked."""
    user.change(by=by, is_active=True)


def end_sessions(*, user: User) -> None:
    for session in UserSession.objects.filter(user_id=user.pk):
        session.end()


@transaction.atomic
def revoke_tokens(*, by: User, user: User) -> None:
    for token in ApiToken.objects.filter(user=user, revoked_at=None).select_related("user"):
        token.revoke(by=by)


def _keep_an_administrator(user: User, field: str) -> None:
    """Refuse to take the last active administrator away. Locks them all, so two cannot remove each other at the same time."""
    administrators = User.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True)
    if {one.pk for one in administrators.order_by("pk")} == {user.pk}:
        raise ValidationError({field: _("This is the last active administrator. Make somebody else administrator first.")})
