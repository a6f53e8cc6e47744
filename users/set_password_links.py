"""Links by which a person sets a password: of allauth's password reset, used for invitations as well.

A key is 128 bits, good for PASSWORD_RESET_TIMEOUT, and for one use: it is signed over the password that it replaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.tokens import PasswordResetTokenGenerator

if TYPE_CHECKING:
    from users.models import User


class KeyGenerator(PasswordResetTokenGenerator):
    """Also signed over whether the account is open: a link from before a deactivation does not outlive it."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        return f"{super()._make_hash_value(user, timestamp)}{user.is_active}"
