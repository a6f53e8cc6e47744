from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.models.functions import Now
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from users.access import Permission, allowed
from users.http import current_request_id

if TYPE_CHECKING:
    from users.models.user import User

# Sent after commit with `event`; a higher app hears a lower one through it, never the other way round.
event_recorded = Signal()

Changes: TypeAlias = dict[str, list[Any]]
"""Field → [before, after], as JSON can hold them."""


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        """The audit as a whole is for those who keep it; the history of one record is read through that record."""
        return self if allowed(user, Permission.AUDIT_VIEW) else self.none()

    def of(self, noun: str, object_id: int) -> Self:
        return self.filter(noun=noun, object_id=object_id)

    def on_day(self, start: datetime) -> Self:
        """The 24 hours from `start`, as a range of ids, so that the newest-first walk begins and ends there."""
        with connection.cursor() as cursor:
            # Materialized: left to itself, the planner walks the whole primary key for min() and max().
            cursor.execute(
                "WITH of_day AS MATERIALIZED (SELECT id FROM users_event WHERE at >= %s AND at < %s) SELECT min(id), max(id) FROM of_day",
                [start, start + timedelta(days=1)],
            )
            first, last = cursor.fetchone()
        return self.none() if first is None else self.filter(pk__range=(first, last), at__gte=start, at__lt=start + timedelta(days=1))

    def newest_first(self) -> Self:
        return self.order_by("-pk")


class Event(models.Model):
    """One immutable row per change: who changed what, when, from what to what.

    It outlives the rows that it speaks of, so it names them by noun and id, without foreign keys. A trigger refuses
    UPDATE and DELETE; only the erasure of a person's data may blank what it quotes (see `customers.actions.erase_contact`).
    """

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        CHANGED = "changed", _("changed")
        DISCARDED = "discarded", _("deleted")
        RESTORED = "restored", _("restored")
        EXPORTED = "exported", _("exported")
        ERASED = "erased", _("erased")
        IMPORTED = "imported", _("imported")
        UNDONE = "undone", _("undone")
        SIGNED_IN = "signed_in", _("signed in")
        SIGNED_OUT = "signed_out", _("signed out")
        SIGN_IN_FAILED = "sign_in_failed", _("failed to sign in")
        DENIED = "denied", _("was denied")
        REVOKED = "revoked", _("revoked")
        INVITED = "invited", _("invited")
        PASSWORD_SET = "password_set", _("set a new password")
        SECOND_STEP_ON = "second_step_on", _("turned two-step sign-in on")
        SECOND_STEP_OFF = "second_step_off", _("turned two-step sign-in off")

    at = models.DateTimeField(_("when"), db_default=Now(), editable=False)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, db_index=False, related_name="+", verbose_name=_("who"))
    action = models.CharField(_("action"), max_length=20)
    noun = models.CharField(_("noun"), max_length=30)
    object_id = models.BigIntegerField(null=True)
    label = models.CharField(_("what"), max_length=200, default="", db_default="")
    customer_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict, db_default={}, encoder=DjangoJSONEncoder)
    request_id = models.CharField(max_length=64, default="", db_default="")
    import_run_id = models.BigIntegerField(null=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            models.Index(fields=["noun", "object_id", "-id"], name="event_of_object"),
            models.Index(fields=["customer_id", "-id"], name="event_of_customer", condition=models.Q(customer_id__isnull=False)),
            models.Index(fields=["import_run_id", "id"], name="event_of_import", condition=models.Q(import_run_id__isnull=False)),
            models.Index(fields=["actor", "-id"], name="event_by_actor"),
            # Small beside a B-tree, and next to free for the many rows that an import writes.
            BrinIndex(fields=["at"], name="event_by_time", autosummarize=True),
            # For the audit: what happens seldom is found without walking over what happens all the time.
            models.Index(fields=["action", "-id"], name="event_seldom", condition=~models.Q(action__in=["created", "changed", "imported"])),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.noun} {self.object_id}"

    @property
    def action_label(self) -> str:
        """The action in the reader's language; an app's own action that is not listed here shows as it is."""
        return str(Event.Action(self.action).label) if self.action in Event.Action else self.action

    @property
    def noun_label(self) -> str:
        return str(self.noun_labels().get(self.noun, self.noun))

    @staticmethod
    def noun_labels() -> dict[str, str]:
        """Noun → its name for people: every record's, and what the audit knows beside them."""
        labels = {noun: str(model._meta.verbose_name) for noun, model in models_by_noun().items()}
        return {**labels, "account": str(_("sign-in")), "api_token": str(_("API token")), "event": str(_("audit"))}

    @classmethod
    def record(
        cls,
        action: str,
        *,
        noun: str,
        by: User | None,
        object_id: int | None = None,
        label: str = "",
        customer_id: int | None = None,
        changes: Changes | None = None,
    ) -> Event:
        """Write the row in the caller's transaction and tell the listeners once that has committed."""
        event = cls.objects.create(
            action=action,
            noun=noun,
            actor=by,
            object_id=object_id,
            label=label[:200],
            customer_id=customer_id,
            changes=changes or {},
            request_id=current_request_id(),
        )
        transaction.on_commit(lambda: event_recorded.send(sender=cls, event=event))
        return event


@lru_cache(maxsize=1)
def models_by_noun() -> dict[str, type[models.Model]]:
    """Of all apps, whatever stands above this one: an app gives its records a NOUN."""
    return {model.NOUN: model for model in apps.get_models() if hasattr(model, "NOUN")}
