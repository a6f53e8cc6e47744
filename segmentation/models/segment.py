from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.facts import FactQuerySet
from users.access import Permission, allowed
from users.records import Record

if TYPE_CHECKING:
    from users.models import User


class SegmentQuerySet(models.QuerySet["Segment"]):
    def visible_to(self, user: User) -> Self:
        """One's own segments and those shared with everybody; whom a segment holds is each reader's own reach."""
        return self.filter(Q(owner=user) | Q(is_shared=True)) if allowed(user, Permission.CUSTOMER_VIEW) else self.none()

    def kept(self) -> Self:
        return self.filter(archived_at=None)


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


class MembershipQuerySet(FactQuerySet["Membership"]):
    def standing(self) -> Self:
        return self.filter(left_at=None)


class Membership(models.Model):
    """A customer's time in a segment: since when, and until when."""

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
