"""What the facts about a customer share: where they came from, and that they are seen through their customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from django.db import models
from django.db.models import Q
from django.db.models.lookups import IsNull
from django.utils.translation import gettext_lazy as _

from users.access import within_reach
from users.records import Record

if TYPE_CHECKING:
    from users.models import User

M = TypeVar("M", bound=models.Model)


def looked_up(rows: models.QuerySet[Any]) -> Q:
    """Whether there is such a row, asked anew for each row of the outer query.

    As `Exists`, but the planner cannot turn it into a set of all such rows: a page of a long list asks it some fifty times.
    """
    return Q(IsNull(models.Subquery(rows.values("pk")[:1]), False))


class FactQuerySet(models.QuerySet[M], Generic[M]):
    """Rows that belong to a customer and are visible exactly where that customer is."""

    CUSTOMER_PATH = "customer"

    def visible_to(self, user: User) -> Self:
        path = self.CUSTOMER_PATH
        return self.filter(within_reach(user, team=f"{path}__team", owner=f"{path}__owner"), **{f"{path}__deleted_at": None})


class Fact(Record):
    """A record that a source system may own: (source, source_key) finds it again at the next import."""

    source = models.ForeignKey(
        "customers.SourceSystem",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        related_name="+",
        verbose_name=_("source"),
    )
    source_key = models.CharField(_("key in the source"), max_length=200, blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["source", "source_key"], condition=Q(source__isnull=False), name="%(class)s_source_key_once")
        ]
