"""What every editable record shares: a version against lost updates, and a history that no change escapes."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from users.formats import format_day, format_moment

if TYPE_CHECKING:
    from users.models.event import Changes
    from users.models.user import User


class StaleVersion(Exception):
    """The record was changed by somebody else since the caller read it. `current` is the record as it is now."""

    def __init__(self, current: Record) -> None:
        super().__init__(f"{current._meta.verbose_name} {current.pk} is at version {current.version}")
        self.current = current


@cache
def _labels_of(field: models.Field[Any, Any], language: str | None) -> dict[Any, str]:
    with override(language):
        return {value: str(label) for value, label in field.flatchoices}


class Labelled(models.Model):
    """A model whose get_FIELD_display costs one look-up: Django's own translates and hashes all the field's choices each time."""

    class Meta:
        abstract = True

    def _get_FIELD_display(self, field: models.Field[Any, Any]) -> Any:  # noqa: N802 (Django's name)
        value = getattr(self, field.attname)
        return _labels_of(field, get_language()).get(value, value)


class Record(Labelled):
    """An editable row: `add` makes it, `change` edits it, and both write their `Event` in the same transaction."""

    NOUN: ClassVar[str]
    UNRECORDED: ClassVar[frozenset[str]] = frozenset()  # fields whose values the history must not quote
    IN_ORDER: ClassVar[tuple[tuple[str, str], ...]] = ()  # pairs of days or moments of which the second is not before the first

    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)
    updated_at = models.DateTimeField(default=timezone.now, db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Rules that look beyond one field. ValidationError names the field that has to change."""
        for first, second in self.IN_ORDER:
            before, after = self.plain(first), self.plain(second)
            if before is not None and after is not None and after < before:
                raise ValidationError({second: _("Lies before %(other)s.") % {"other": self._named(first, before)}})

    def _named(self, name: str, value: Any) -> str:
        shown = format_moment(value) if isinstance(value, datetime) else format_day(value)
        return f"“{capfirst(self._meta.get_field(name).verbose_name)}” ({shown})"  # type: ignore[union-attr]  # these are columns

    @classmethod
    @transaction.atomic
    def add(cls, *, by: User | None, **values: Any) -> Self:
        """Create the row and record it. Domain rules that fail raise ValidationError naming the field."""
        return cls._added(by, values)

    @classmethod
    def _added(cls, by: User | None, values: dict[str, Any]) -> Self:
        """`add` within the caller's transaction: a block of its own would cost two statements more."""
        row = cls(**values)
        row.clean()
        row.save(force_insert=True)
        row.record("created", by=by, changes={name: [None, row.plain(name)] for name in values if name not in cls.UNRECORDED})
        return row

    @transaction.atomic
    def change(self, *, by: User | None, expected_version: int | None = None, **values: Any) -> Changes:
        """Set the given fields and record what really changed; returns {field: [before, after]}.

        Locks the row first, so of several editors holding the same version one wins and the others get StaleVersion.
        Nothing changed means nothing written: no new version and no event.
        """
        locked = type(self)._base_manager.select_for_update().get(pk=self.pk)
        if expected_version is not None and locked.version != expected_version:
            raise StaleVersion(locked)
        before = {name: locked.plain(name) for name in values}
        for name, value in values.items():
            setattr(locked, name, value)
        changes = {name: [before[name], after] for name in values if (after := locked.plain(name)) != before[name]}
        if changes:
            locked.clean()
            locked._save_change(list(changes))
            locked.record("changed", by=by, changes={name: pair for name, pair in changes.items() if name not in self.UNRECORDED})
        self.__dict__.update(locked.__dict__)
        return changes

    @transaction.atomic
    def remove(self, *, by: User | None, expected_version: int | None = None) -> None:
        """Delete the row for good; its history stays. For small things that hang on others, such as an address."""
        locked = type(self)._base_manager.select_for_update().get(pk=self.pk)
        if expected_version is not None and locked.version != expected_version:
            raise StaleVersion(locked)
        locked.record("discarded", by=by)
        locked.delete()

    def _save_change(self, names: list[str]) -> None:
        self.version += 1
        self.updated_at = timezone.now()
        self.save(update_fields=[*names, *self.derived_from(names), "version", "updated_at"])

    def derived_from(self, names: list[str]) -> list[str]:
        """Stored columns that `save` works out from the named fields, so that a change writes them too."""
        return []

    def plain(self, name: str) -> Any:
        """A field's value as the history quotes it: a plain value, a foreign key as its id."""
        try:
            field = self._meta.get_field(name)
        except FieldDoesNotExist:
            return getattr(self, name)
        if not isinstance(field, models.Field):
            return getattr(self, name)
        value = getattr(self, field.attname)
        return field.clean(value, self) if _is_untyped(field, value) else value

    def record(self, action: str, *, by: User | None, changes: Changes | None = None) -> None:
        """Write an Event about this row."""
        from users.models.event import Event  # the event knows the user model, which is itself a Record

        Event.record(
            action, noun=self.NOUN, by=by, object_id=self.pk, label=str(self), customer_id=self.history_customer_id, changes=changes
        )

    @property
    def history_customer_id(self) -> int | None:
        """The customer on whose history this row's changes show, if any."""
        return getattr(self, "customer_id", None)


def _is_untyped(field: models.Field[Any, Any], value: Any) -> bool:
    """Text where the field holds a number, date or the like: compare by meaning, so '5' set over 5 is no change."""
    return isinstance(value, str) and value != "" and isinstance(field, models.DecimalField | models.IntegerField | models.DateField)
