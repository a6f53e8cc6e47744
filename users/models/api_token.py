from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.access import Permission, Scope, allowed
from users.models.event import Event

if TYPE_CHECKING:
    from users.models.user import User

PREFIX = "pareto_"
USE_NOTED_EVERY = timedelta(minutes=5)  # last_used_at is for people who tidy up, not worth a write on each call


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> Self:
        """A person's own tokens; those who manage users see every token (never its secret)."""
        return self if allowed(user, Permission.USER_MANAGE) else self.filter(user=user)

    def usable(self) -> Self:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()), revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """A key for the API: the person's own rights, narrowed to `scopes`. Only a digest of the secret is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    hint = models.CharField(max_length=16, editable=False)  # the first characters, to tell tokens apart
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope), verbose_name=_("may"))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return self.name

    @classmethod
    @transaction.atomic
    def issue(
        cls, *, user: User, by: User | None, name: str, scopes: list[str], expires_at: datetime | None = None, secret: str | None = None
    ) -> tuple[ApiToken, str]:
        """Make a token; the second value is the secret, which can never be read again."""
        secret = secret or PREFIX + secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user, name=name, hint=secret[: len(PREFIX) + 5], digest=cls.digest_of(secret), scopes=sorted(scopes), expires_at=expires_at
        )
        Event.record(Event.Action.CREATED, noun="api_token", by=by, object_id=token.pk, label=f"{user.email}: {name}")
        return token, secret

    @staticmethod
    def digest_of(secret: str) -> str:
        """SHA-256 is enough here: the secret is 256 random bits, not a password to be guessed."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @transaction.atomic
    def revoke(self, *, by: User) -> None:
        if self.revoked_at is None:
            self.revoked_at = timezone.now()
            self.save(update_fields=["revoked_at"])
            Event.record(Event.Action.REVOKED, noun="api_token", by=by, object_id=self.pk, label=f"{self.user.email}: {self.name}")

    def note_use(self) -> None:
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > USE_NOTED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)
