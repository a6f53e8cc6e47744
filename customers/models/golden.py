from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction

from customers.models.source import CrossReference, SourceRecord, SourceSystem
from users.models.event import Changes
from users.records import Record

if TYPE_CHECKING:
    from users.models import User


class GoldenRecord(Record):
    """A record whose values come from sources. What people enter here is a source like any other: the steward's.

    `provenance` names for each field the SourceRecord whose value it shows. A person's entry appends a version to the
    steward's record of this row, holding all that people have entered so far, and points the entered fields at it.
    """

    SOURCE_NOUN: ClassVar[str]
    SOURCED: ClassVar[frozenset[str]]  # the fields that sources speak about

    provenance = models.JSONField(default=dict, db_default={}, editable=False)

    class Meta:
        abstract = True

    @classmethod
    @transaction.atomic
    def add(cls, *, by: User | None, **values: Any) -> Self:
        row = cls._added(by, values)
        row._note_entry(by, list(values), is_new=True)
        return row

    @transaction.atomic
    def change(self, *, by: User | None, expected_version: int | None = None, **values: Any) -> Changes:
        changes = super().change(by=by, expected_version=expected_version, **values)
        self._note_entry(by, list(changes))
        return changes

    @classmethod
    @transaction.atomic
    def add_from(cls, system: SourceSystem, key: str, *, by: User | None, payload: dict[str, Any], **values: Any) -> Self:
        """Create the record that a source's key stands for, with that source's values."""
        row = cls._added(by, values)
        CrossReference.objects.create(system=system, noun=cls.SOURCE_NOUN, key=key, **{cls.SOURCE_NOUN: row})
        row._point_at(row._keep_as_received(system, key, payload), values)
        return row

    @transaction.atomic
    def change_from(self, system: SourceSystem, key: str, *, by: User | None, payload: dict[str, Any], **values: Any) -> Changes:
        """Take over what a source says now, except where the value that stands here comes from a source trusted more."""
        record = self._keep_as_received(system, key, payload)
        standing = type(self)._base_manager.select_for_update().get(pk=self.pk).provenance
        trust = dict(SourceRecord.objects.filter(pk__in=standing.values()).values_list("pk", "system__trust"))
        surviving = {name: value for name, value in values.items() if trust.get(standing.get(name, 0), 0) <= system.trust}
        changes = super().change(by=by, **surviving)
        self._point_at(record, changes)
        return changes

    def _keep_as_received(self, system: SourceSystem, key: str, payload: dict[str, Any]) -> SourceRecord:
        """A new version of the source's record; the last one where it says the same."""
        last = SourceRecord.objects.filter(system=system, noun=self.SOURCE_NOUN, key=key).order_by("-version").first()
        if last is not None and last.payload == payload:
            return last
        version = last.version + 1 if last else 1
        return SourceRecord.objects.create(system=system, noun=self.SOURCE_NOUN, key=key, version=version, payload=payload)

    def _point_at(self, record: SourceRecord, names: Iterable[str]) -> None:
        """Say that the named fields show what this record says."""
        if sourced := [name for name in names if name in self.SOURCED]:
            self.provenance = {**self.provenance, **dict.fromkeys(sourced, record.pk)}
            type(self)._base_manager.filter(pk=self.pk).update(provenance=self.provenance)

    def _note_entry(self, by: User | None, names: list[str], *, is_new: bool = False) -> None:
        """Keep what a person entered as a new version of the steward's source record; `by` is None for the system's own acts."""
        entered = {name: self.plain(name) for name in names if name in self.SOURCED}
        if by is None or not entered:
            return
        self._point_at(self._append_steward_version(entered, is_new=is_new), entered)

    def _append_steward_version(self, entered: dict[str, Any], *, is_new: bool) -> SourceRecord:
        steward, key = SourceSystem.steward(), str(self.pk)
        earlier = SourceRecord.objects.filter(system=steward, noun=self.SOURCE_NOUN, key=key)
        last = None if is_new else earlier.order_by("-version").first()
        if last is None:
            CrossReference.objects.create(system=steward, noun=self.SOURCE_NOUN, key=key, **{self.SOURCE_NOUN: self})
        return SourceRecord.objects.create(
            system=steward,
            noun=self.SOURCE_NOUN,
            key=key,
            version=last.version + 1 if last else 1,
            payload={**(last.payload if last else {}), **entered},
        )
