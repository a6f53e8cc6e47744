from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.facts import FactQuerySet
from users.access import Permission, allowed
from users.records import Record

if TYPE_CHECKING:
    from datetime import datetime

    from users.models import User


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, user: User) -> Self:
        """One's own segments and those shared with everybody; whom a segment holds is each reader's own reach."""
        return self.filter(Q(owner=user) | Q(is_shared=True)) if allowed(user, Permission.CUSTOMER_VIEW) else self.none()

    def kept(self) -> Self:
        return self.filter(archived_at=None)

    def archived(self) -> Self:
        return self.filter(archived_at__isnull=False)

    def changeable_by(self, user: User) -> Self:
        """Whoever may change segments changes the own ones and the shared ones."""
        return self.visible_to(user) if allowed(user, Permission.SEGMENT_CHANGE) else self.none()

    def with_members_seen_by(self, user: User) -> Self:
        """`members_seen`: how many members are in the person's reach, as of the last refresh; None before the first.

        The stored count is of the whole company, and would tell about customers that the person does not see.
        """
        if user.reach.everything:
            return self.annotate(members_seen=F("members"))
        standing = Membership.objects.standing().visible_to(user).filter(segment=OuterRef("pk"))
        counted = standing.order_by().values("segment").annotate(n=Count("pk")).values("n")
        seen = Coalesce(Subquery(counted), 0)
        return self.annotate(members_seen=Case(When(members__isnull=False, then=seen), default=None, output_field=IntegerField()))


class Segment(Record):
    """A saved rule with a name (客户细分): whoever fits is a member, and the membership's history is kept.

    `rule` is a tree: {"all": [...]}, {"any": [...]}, {"not": node}, or a leaf {"field": "score.clv", "is": "gt", "value": 1000};
    `segmentation.rules` reads it and turns it into a query.
    """

    NOUN = "segment"

    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("description"), max_length=300, blank=True, default="", db_default="")
    rule = models.JSONField(_("rule"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("owner"))
    is_shared = models.BooleanField(_("everybody sees it"), default=True, db_default=True)
    archived_at = models.DateTimeField(null=True, editable=False)
    members = models.PositiveIntegerField(_("members"), null=True, editable=False)
    refreshed_at = models.DateTimeField(_("members as of"), null=True, editable=False)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints = [models.UniqueConstraint(fields=["name"], condition=Q(archived_at=None), name="segment_name_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_due(self) -> bool:
        """Whether its members are still to be worked out for the rule as it is now."""
        return self.refreshed_at is None

    @transaction.atomic
    def discard(self, *, by: User) -> None:
        """Archive it: it is out of every list and no longer refreshed; `restore` brings it back with its history."""
        self._set_archived(timezone.now(), by=by, action="discarded")

    @transaction.atomic
    def restore(self, *, by: User) -> None:
        """IntegrityError where another segment has taken the name meanwhile."""
        self._set_archived(None, by=by, action="restored")

    def _set_archived(self, at: datetime | None, *, by: User, action: str) -> None:
        locked = Segment.objects.select_for_update().get(pk=self.pk)
        if (locked.archived_at is None) == (at is None):
            return
        self.archived_at, self.version, self.updated_at = at, locked.version + 1, timezone.now()
        self.save(update_fields=["archived_at", "version", "updated_at"])
        self.record(action, by=by)


class MembershipQuerySet(FactQuerySet["Membership"]):
    def standing(self) -> Self:
        return self.filter(left_at=None)


class Membership(models.Model):
    """A customer's time in a segment: since when, and until when. Written only by `segmentation.actions`.

    An event of this noun is about a refresh: its `object_id` is the segment's.
    """

    NOUN = "membership"

    segment = models.ForeignKey(Segment, models.CASCADE, db_index=False, related_name="memberships")
    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="memberships")
    entered_at = models.DateTimeField(_("entered"), db_default=Now())
    left_at = models.DateTimeField(_("left"), null=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [models.UniqueConstraint(fields=["segment", "customer"], condition=Q(left_at=None), name="member_once_at_a_time")]
        indexes = [
            models.Index(fields=["segment", "-id"], name="membership_of_segment"),
            models.Index(fields=["customer", "-id"], name="membership_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.customer_id}"
