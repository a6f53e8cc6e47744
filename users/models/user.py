from __future__ import annotations

from functools import cached_property
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from users.access import DEFAULT_SCOPE, DataScope, Reach, Role
from users.models.team import Team
from users.records import Record


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(_("%(value)s is not a time zone, such as Europe/Berlin."), params={"value": value})


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User) -> Self:
        """Colleagues within the person's reach; a person always sees the own team, to hand work over."""
        if not user.is_active:
            return self.none()
        if user.reach.everything:
            return self
        return self.filter(team_id__in={*user.reach.team_ids, user.team_id})

    def active(self) -> Self:
        return self.filter(is_active=True)


class UserManager(BaseUserManager["User"].from_queryset(UserQuerySet)):  # type: ignore[misc]  # a class made at run time
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user: User = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        found: User = self.get(email__iexact=username)
        return found


class User(AbstractBaseUser, Record):
    """A person of the company. Signs in by e-mail; is deactivated, never deleted, so that history keeps its names."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("Like the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    NOUN = "user"
    UNRECORDED = frozenset({"password", "last_login"})

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, related_name="members", verbose_name=_("team"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    data_scope = models.CharField(
        _("sees"), max_length=10, choices=DataScope, blank=True, default="", help_text=_("Empty: what the role sees by default.")
    )
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("time zone"), max_length=50, default="UTC", validators=[validate_time_zone])
    theme = models.CharField(_("appearance"), max_length=5, choices=Theme, default=Theme.AUTO)
    is_active = models.BooleanField(_("active"), default=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [models.Index(fields=["name", "id"], name="user_by_name")]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_once", violation_error_message=_("Another user has this e-mail address.")
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    @property
    def scope(self) -> DataScope:
        """How far the person sees: the own setting, else the default of the role."""
        return DataScope(self.data_scope or DEFAULT_SCOPE[self.role])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def reach(self) -> Reach:
        """The rows this person sees, worked out once per request."""
        if not self.is_active:
            return Reach.nothing()
        match self.scope:
            case DataScope.ALL:
                return Reach(everything=True, team_ids=(), user_id=self.pk)
            case DataScope.SUBTREE:
                return self._subtree_reach()
            case DataScope.TEAM:
                return Reach(everything=False, team_ids=(self.team_id,), user_id=self.pk)
            case DataScope.OWN:
                return Reach(everything=False, team_ids=(), user_id=self.pk)

    def _subtree_reach(self) -> Reach:
        teams = tuple(Team.objects.below(self.team).order_by("pk").values_list("pk", flat=True))
        return Reach(everything=self.team.parent_id is None, team_ids=teams, user_id=self.pk)
