from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from users.models.event import Changes
from users.records import Record

if TYPE_CHECKING:
    from users.models.user import User


TREE_LOCK = 0x7465616D


class TeamQuerySet(models.QuerySet["Team"]):
    def visible_to(self, user: User) -> Self:
        """Teams within the person's reach; everybody sees at least the own team."""
        if not user.is_active:
            return self.none()
        if user.reach.everything:
            return self
        return self.filter(pk__in={*user.reach.team_ids, user.team_id})

    def below(self, team: Team) -> Self:
        """The team and all teams under it."""
        return self.filter(path__startswith=team.path)


class Team(Record):
    """A place in the organisation: head office → regional centre → city centre or authorised repair station."""

    class Kind(models.TextChoices):
        HEAD_OFFICE = "head_office", _("Head office")
        REGION = "region", _("Regional centre")
        CITY = "city", _("City centre")
        REPAIR_STATION = "repair_station", _("Authorised repair station")

    NOUN = "team"

    name = models.CharField(_("name"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.CITY)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("part of"))
    # Ids from the root down, "/1/4/9/": the subtree of a team is a prefix match, so no recursion on the way to a list.
    path = models.CharField(max_length=400, editable=False, db_index=True)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ("path",)
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        indexes = [models.Index(fields=["path"], name="team_path_prefix", opclasses=["text_pattern_ops"])]

    def __str__(self) -> str:
        return self.name

    @property
    def depth(self) -> int:
        return self.path.count("/") - 2

    @transaction.atomic
    def change(self, *, by: User | None, expected_version: int | None = None, **values: Any) -> Changes:
        """One move at a time, and from the tree as it is now: or two of them could close a circle together."""
        if values.get("parent"):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TREE_LOCK])
            values["parent"] = Team.objects.get(pk=values["parent"].pk)
        return super().change(by=by, expected_version=expected_version, **values)

    def clean(self) -> None:
        super().clean()
        if self.parent and self.pk and self.parent.path.startswith(self.path):
            raise ValidationError({"parent": _("A team cannot be part of itself or of a team below it.")})

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep `path` true for the team and everything below it."""
        old_path = self.path
        super().save(*args, **kwargs)
        self.path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
        if self.path == old_path:
            return
        Team.objects.filter(pk=self.pk).update(path=self.path)
        if old_path:
            self._move_descendants(old_path)

    def _move_descendants(self, old_path: str) -> None:
        moved = list(Team.objects.filter(path__startswith=old_path).exclude(pk=self.pk))
        for team in moved:
            team.path = self.path + team.path.removeprefix(old_path)
        Team.objects.bulk_update(moved, ["path"])
