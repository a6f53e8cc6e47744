"""Rows of files about customers and contacts: each is kept as received, and what survives of it becomes the golden record.

A value survives where its source is trusted at least as much as the source of the value that stands there; what people
entered themselves stands above every file. See docs/imports.md, "Which value survives".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import F, Model, QuerySet
from django.utils import timezone

from customers.imports.cleaning import Row
from customers.imports.copying import update_from
from customers.imports.fields import CUSTOM
from customers.imports.problems import Severity
from customers.imports.writing import Change, Context, EventLog, Plan, Sheet, Writer, attname, default_of, ids_for
from customers.maths.contact_keys import method_key
from customers.models import Address, ContactMethod, CrossReference, SourceRecord
from users.models import Event

METHOD, ADDRESS = "method.", "address."


@dataclass(frozen=True)
class Method:
    """A phone, mail or WeChat id that a row names."""

    kind: str
    value: str
    normalised: str
    is_valid: bool


class GoldenWriter(Writer):
    """Source records, cross-references, provenance, methods and addresses: the same for customers and contacts."""

    model: ClassVar[type[Any]]
    noun: ClassVar[str]
    derived_columns: ClassVar[tuple[str, ...]]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        names = [name for name in context.fields if name in self.model.SOURCED and name != "parent"]
        self._column_of = {name: attname(self.model, name) for name in names}
        self.columns = list(self._column_of.values())
        self.has_custom = any(name.startswith(CUSTOM) for name in context.fields)

    # ── What is there ───────────────────────────────────────────────────────────────────────────────────────────────

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        tied = self.tied_ids(rows)
        tied |= self._matched_ids([row for row in rows if row.key not in tied])
        found = self._read({pk for pk in tied.values() if pk > 0}, lock=lock)
        trust = self.trust_of({record for one in found.values() for record in one["provenance"].values()})
        plan = Plan()
        for row in rows:
            pk = tied.get(row.key)
            if pk is None:
                plan.creates.append(row)
            elif pk in found:
                plan.changes.append(Change(row, found[pk], self._surviving(row, found[pk], trust)))
            elif not row.is_rejected:  # one that fits several records has been told so
                row.say("not_visible")
        self._read_companions(plan)
        plan.unchanged = [change for change in plan.changes if not self._says_anything(change)]
        plan.changes = [change for change in plan.changes if self._says_anything(change)]
        return plan

    def values_of(self, row: Row) -> dict[str, Any]:
        """What the row says of the record's own columns; an administrator's fields come as one column."""
        values = {column: row.values[name] for name, column in self._column_of.items() if name in row.values}
        if self.has_custom:
            values["custom"] = {name.removeprefix(CUSTOM): row.values[name] for name in row.values if name.startswith(CUSTOM)}
        return values

    def visible(self) -> QuerySet[Any]:
        by = self.context.by
        found: QuerySet[Any] = self.model.objects.visible_to(by) if by else self.model.objects.filter(deleted_at=None)
        return found

    def tied_ids(self, rows: list[Row]) -> dict[str, int]:
        ties = CrossReference.objects.filter(
            system=self.context.source, noun=self.noun, key__in=[row.key for row in rows if row.key], until=None
        )
        return dict(ties.values_list("key", f"{self.noun}_id"))

    def _matched_ids(self, rows: list[Row]) -> dict[str, int]:
        """Records that a field other than the key identifies, by the keys of the rows; those that several fit say so."""
        return {}

    def _read(self, ids: set[int], *, lock: bool) -> dict[int, dict[str, Any]]:
        kept = self.visible().filter(pk__in=ids)
        if lock:
            kept = kept.select_for_update(of=("self",)).order_by("pk")
        names = {"id", "version", "provenance", "deleted_at", *self.columns, *self.always_read()}
        return {one["id"]: one for one in kept.values(*names)}

    def always_read(self) -> tuple[str, ...]:
        return ()

    def trust_of(self, records: set[int]) -> dict[int, int]:
        return dict(SourceRecord.objects.filter(pk__in=records).values_list("pk", "system__trust"))

    def _surviving(self, row: Row, current: dict[str, Any], trust: dict[int, int]) -> dict[str, list[Any]]:
        """The columns that the row changes, leaving out those whose value comes from a source trusted more."""
        changes: dict[str, list[Any]] = {}
        for column, value in self.values_of(row).items():
            name = column.removesuffix("_id")
            if trust.get(current["provenance"].get(name, 0), 0) > self.context.source.trust:
                continue
            after = {**current["custom"], **value} if column == "custom" else value
            if after != current[column]:
                changes[column] = [current[column], after]
        return changes

    # ── Methods and addresses ───────────────────────────────────────────────────────────────────────────────────────

    def read_methods(self, rows: Iterable[Row]) -> None:
        """Work out how to reach whom each row speaks of. Numbers that cannot be dialled are kept as written, and said."""
        names = [name for name in self.context.fields if name.startswith(METHOD)]
        for row in rows:
            region = str(row.values.get("country") or settings.DEFAULT_PHONE_REGION)
            for name in names:
                if name in row.values:
                    kind, value = name.removeprefix(METHOD), row.values[name]
                    method = Method(kind, value, *method_key(kind, value, region))
                    row.methods.append(method)
                    if not method.is_valid and kind != ContactMethod.Kind.MAIL:
                        row.say_of(name, "bad_phone", value, severity=Severity.WARNING)

    def address_of(self, row: Row) -> dict[str, str]:
        parts = {name.removeprefix(ADDRESS): value for name, value in row.values.items() if name.startswith(ADDRESS)}
        if parts:
            parts |= {name: row.values[name] for name in ("region", "country") if name in row.values}
        return parts

    def _read_companions(self, plan: Plan) -> None:
        """What hangs on the records that are there: their methods and the address that this source gave."""
        ids = [change.current["id"] for change in plan.changes]
        methods: dict[int, set[tuple[str, str]]] = defaultdict(set)
        owner = f"{self.noun}_id"
        for pk, kind, key in ContactMethod.objects.filter(**{f"{owner}__in": ids}).values_list(owner, "kind", "normalised"):
            methods[pk].add((kind, key))
        addresses = {
            one[owner]: one for one in Address.objects.filter(**{f"{owner}__in": ids}, source_record__system=self.context.source).values()
        }
        for change in plan.changes:
            pk = change.current["id"]
            change.current["new_methods"] = [m for m in change.row.methods if (m.kind, m.normalised) not in methods[pk]]
            change.current["address"] = addresses.get(pk)

    def _says_anything(self, change: Change) -> bool:
        return bool(change.changes or change.current["new_methods"] or self._address_changes(change))

    def _address_changes(self, change: Change) -> dict[str, list[Any]]:
        kept = change.current["address"] or {}
        return {name: [kept.get(name), value] for name, value in self.address_of(change.row).items() if kept.get(name) != value}

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, plan: Plan) -> None:
        events = EventLog(self.context)
        known = [*plan.changes, *plan.unchanged]
        records = self._keep_as_received([*(change.row for change in known), *plan.creates])
        self._tie([(change.row, change.current["id"]) for change in known])
        self._write_changes(plan.changes, records, events)
        self._write_creates(plan.creates, records, events)
        events.write()

    def _keep_as_received(self, rows: list[Row]) -> dict[int, int]:
        """The source record of each row: the last version where it says the same, else a new one. {row number: id}"""
        last = SourceRecord.objects.filter(system=self.context.source, noun=self.noun, key__in=[row.key for row in rows])
        versions = {one["key"]: one for one in last.order_by("key", "-version").distinct("key").values("id", "key", "version", "payload")}
        same = {row.number: versions[row.key]["id"] for row in rows if row.key in versions and versions[row.key]["payload"] == row.cells}
        new = [row for row in rows if row.number not in same]
        sheet = Sheet(SourceRecord, "id", "system_id", "noun", "key", "version", "payload", "import_run_id")
        next_id = ids_for(SourceRecord, len(new))
        for row in new:
            version = versions[row.key]["version"] + 1 if row.key in versions else 1
            same[row.number] = pk = next_id()
            sheet.rows.append((pk, self.context.source.pk, self.noun, row.key, version, row.cells, self.context.run.pk))
        sheet.write()
        return same

    def _tie(self, pairs: Iterable[tuple[Row, int]]) -> None:
        """Cross-references for keys that this source has not used yet."""
        pairs = [(row, pk) for row, pk in pairs if row.key]
        tied = self.tied_ids([row for row, _pk in pairs])
        sheet = Sheet(CrossReference, "system_id", "noun", "key", f"{self.noun}_id")
        sheet.rows = [(self.context.source.pk, self.noun, row.key, pk) for row, pk in pairs if row.key not in tied]
        sheet.write()

    def _write_changes(self, changes: list[Change], records: dict[int, int], events: EventLog) -> None:
        columns = [*self.columns, *(["custom"] if self.has_custom else []), *self.derived_columns, "provenance"]
        rows, methods = [], []
        for change in changes:
            record, pk = records[change.row.number], change.current["id"]
            now = change.current | {name: after for name, (_before, after) in change.changes.items()}
            now["provenance"] = change.current["provenance"] | dict.fromkeys(self._sourced(change.changes), record)
            now |= self.derived(now)
            if change.changes:
                rows.append((pk, *(now[name] for name in columns)))
                self.note(events, Event.Action.CHANGED, pk, now, change.changes)
            methods += [(pk, method, record) for method in change.current["new_methods"]]
            self._write_address(change, record, events)
        update_from(self.model, columns, rows)
        self._write_methods(methods, events)

    def _write_creates(self, rows: list[Row], records: dict[int, int], events: EventLog) -> None:
        if not rows:
            return
        columns = [*self.columns, *(["custom"] if self.has_custom else [])]
        defaults = {name: default_of(self.model, name) for name in columns}
        next_id = ids_for(self.model, len(rows))
        made = [(next_id(), row, defaults | self.values_of(row)) for row in rows]
        self._tie([(row, pk) for pk, row, _values in made])
        self._write_methods([(pk, method, records[row.number]) for pk, row, _values in made for method in row.methods], None)
        self._write_new_addresses([(pk, self.address_of(row), records[row.number]) for pk, row, _values in made])
        self.write_new_companions([(pk, row) for pk, row, _values in made])
        for row, values in self.completed(made):
            values["provenance"] = dict.fromkeys(self._sourced(self.values_of(row)), records[row.number])
        sheet = Sheet(self.model, "id", *made[0][2])
        sheet.rows = [(pk, *values.values()) for pk, _row, values in made]
        sheet.write()
        for pk, row, values in made:
            self.note(events, Event.Action.CREATED, pk, values, {"source_record": [None, records[row.number]]}, row)

    def completed(self, made: list[tuple[int, Row, dict[str, Any]]]) -> Iterable[tuple[Row, dict[str, Any]]]:
        """Add what no field of the file sets to the values of new records (all get the same columns, in the same order)."""
        raise NotImplementedError

    def derived(self, values: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def note(
        self, events: EventLog, action: str, pk: int, values: dict[str, Any], changes: dict[str, list[Any]], row: Row | None = None
    ) -> None:
        raise NotImplementedError

    def write_new_companions(self, made: list[tuple[int, Row]]) -> None:
        """Rows that come with new records of this kind only."""

    def _sourced(self, columns: Iterable[str]) -> list[str]:
        return [name for column in columns if (name := column.removesuffix("_id")) in self.model.SOURCED]

    def _write_methods(self, methods: list[tuple[int, Method, int]], events: EventLog | None) -> None:
        """Methods of new records come and go with them; those that join a record have events of their own."""
        owner = f"{self.noun}_id"
        sheet = Sheet(ContactMethod, "id", owner, "kind", "value", "normalised", "is_valid", "source_record_id")
        next_id = ids_for(ContactMethod, len(methods))
        seen = set()
        for pk, method, record in methods:
            if (pk, method.kind, method.normalised) in seen:
                continue
            seen.add((pk, method.kind, method.normalised))
            sheet.rows.append((own := next_id(), pk, method.kind, method.value, method.normalised, method.is_valid, record))
            if events:
                said = {"kind": method.kind, "value": method.value, "normalised": method.normalised}
                self._note_companion(events, ContactMethod, own, method.value, pk, {name: [None, value] for name, value in said.items()})
        sheet.write()

    def _write_address(self, change: Change, record: int, events: EventLog) -> None:
        changed = self._address_changes(change)
        if not changed:
            return
        kept = change.current["address"]
        values = {name: after for name, (_before, after) in changed.items()}
        if kept:
            Address.objects.filter(pk=kept["id"]).update(**values, version=F("version") + 1, updated_at=timezone.now())
            self._note_companion(events, Address, kept["id"], "", change.current["id"], changed, Event.Action.CHANGED)
        else:
            made = Address.objects.create(**{f"{self.noun}_id": change.current["id"]}, source_record_id=record, **values)
            self._note_companion(events, Address, made.pk, str(made), change.current["id"], changed)

    def _write_new_addresses(self, addresses: list[tuple[int, dict[str, str], int]]) -> None:
        parts = ("street", "postcode", "city", "region", "country")
        sheet = Sheet(Address, f"{self.noun}_id", *parts, "source_record_id")
        sheet.rows = [(pk, *(address.get(part, "") for part in parts), record) for pk, address, record in addresses if address]
        sheet.write()

    def _note_companion(
        self, events: EventLog, model: type[Model], pk: int, label: str, owner: int, changes: Any, action: str = Event.Action.CREATED
    ) -> None:
        noun = model.NOUN  # type: ignore[attr-defined]
        if action == Event.Action.CREATED:
            changes = {self.noun: [None, owner], **changes}  # whose it was, once it is gone
        events.add(action, noun=noun, object_id=pk, label=label, customer_id=self.customer_for_history(owner), changes=changes)

    def customer_for_history(self, owner: int) -> int | None:
        return owner
