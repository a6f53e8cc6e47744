"""Rows of files about facts: products, orders with their lines, contracts, assets, opportunities, contact points."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from customers.imports.cleaning import Row
from customers.imports.copying import update_from
from customers.imports.fields import CUSTOMER, KEY
from customers.imports.problems import Severity
from customers.imports.writing import Change, Context, EventLog, Plan, Sheet, Writer, attname, default_of, ids_for
from customers.maths.names import match_key
from customers.models import Asset, ContactPoint, Contract, Counter, Opportunity, Order, OrderLine, Product
from customers.models.contract import contract_number
from customers.models.order import ZERO, order_number
from users.models import Event

LINE = "line."
RUNS = {"starts_on", "ends_on", "cancelled_on"}  # what says when a contract runs


class FactWriter(Writer):
    """A record found again by (source, key), or by one of its own unique fields."""

    model: ClassVar[type[Any]]

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        found = self._find(rows, lock=lock)
        visible = self._visible_ids([current["id"] for current in found.values()])
        plan = Plan()
        for row in rows:
            current = found.get(row.key)
            if current is not None and current["id"] not in visible:
                row.say("not_visible")
            elif self._is_in_order(row, current or {}):
                self._sort_in(plan, row, current)
        return plan

    def write(self, plan: Plan) -> None:
        events = EventLog(self.context)
        self._write_changes(plan.changes, events)
        self._write_creates(plan.creates, events)
        events.write()

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # Fields with a dot in their name speak of what hangs on the record, such as an order's lines.
        self.column_of = {name: attname(self.model, name) for name in context.fields if name != KEY and "." not in name}

    def values_of(self, row: Row) -> dict[str, Any]:
        """What the row says, by column of the record."""
        return {column: row.values[name] for name, column in self.column_of.items() if name in row.values}

    def derived(self, values: dict[str, Any]) -> dict[str, Any]:
        """Columns that follow from others."""
        return {}

    def _sort_in(self, plan: Plan, row: Row, current: dict[str, Any] | None) -> None:
        if current is None:
            plan.creates.append(row)
            return
        changes = {name: [current[name], value] for name, value in self.values_of(row).items() if current[name] != value}
        (plan.changes if changes else plan.unchanged).append(Change(row, current, changes))

    def _find(self, rows: list[Row], *, lock: bool) -> dict[str, dict[str, Any]]:
        """The records that the rows speak of, by the rows' keys."""
        columns = {*self.column_of.values(), *(name for pair in self.model.IN_ORDER for name in pair)}
        kept = self.model.objects.select_for_update().order_by("pk") if lock else self.model.objects.all()
        kept = kept.values("id", "version", "source_key", *columns, *self._always_read())
        found = {one["source_key"]: one for one in kept.filter(source=self.context.source, source_key__in=[row.key for row in rows])}
        if self.context.match_by != KEY:
            name = self.context.match_by
            missing = {row.values[name]: row.key for row in rows if row.key not in found and name in row.values}
            found |= {missing[one[name]]: one for one in kept.filter(**{f"{name}__in": list(missing)})}
        return found

    def _always_read(self) -> tuple[str, ...]:
        return ("customer_id",)

    def _visible_ids(self, ids: list[int]) -> set[int]:
        by = self.context.by
        return set(self.model.objects.visible_to(by).filter(pk__in=ids).values_list("pk", flat=True)) if by and ids else set(ids)

    def _is_in_order(self, row: Row, current: dict[str, Any]) -> bool:
        for first, second in getattr(self.model, "IN_ORDER", ()):  # a contact point is no record
            before, after = (row.values.get(name, current.get(name)) for name in (first, second))
            if before and after and after < before:
                row.say_of(second, "not_in_order", str(after), other=str(before))
        return not row.is_rejected

    def _write_changes(self, changes: list[Change], events: EventLog) -> None:
        columns = list(self.column_of.values())
        rows = []
        for change in changes:
            own = {name: pair for name, pair in change.changes.items() if name in columns}
            if not own:
                continue
            now = change.current | {name: after for name, (_before, after) in own.items()}
            derived = self.derived(now)
            rows.append((change.current["id"], *(now[name] for name in columns), *derived.values()))
            self._note(events, Event.Action.CHANGED, change.current["id"], now, own)
        derived_columns = self.derived(dict.fromkeys(columns, "")) if rows else {}
        update_from(self.model, [*columns, *derived_columns], rows)

    def _write_creates(self, rows: list[Row], events: EventLog) -> list[int]:
        if not rows:
            return []
        columns = list(self.column_of.values())
        defaults = {name: default_of(self.model, name) for name in columns}
        next_id = ids_for(self.model, len(rows))
        made = [(next_id(), row, defaults | self.values_of(row)) for row in rows]
        filled = [(pk, row, values | self.derived(values) | self.settled(row)) for pk, row, values in made]
        names = list(filled[0][2])
        sheet = Sheet(self.model, "id", "source_id", "source_key", *names)
        sheet.rows = [(pk, self.context.source.pk, row.key, *(values[name] for name in names)) for pk, row, values in filled]
        self._number(sheet)
        sheet.write()
        for pk, row, values in filled:
            said = {name: [None, values[name]] for name in self.values_of(row)}
            self._note(events, Event.Action.CREATED, pk, values, said)
        return [pk for pk, _row, _values in filled]

    def settled(self, row: Row) -> dict[str, Any]:
        """Columns of a new record that no field of the file sets."""
        return {}

    def _number(self, sheet: Sheet) -> None:
        """Numbers come last, since whoever else creates waits until we commit."""
        if hasattr(self.model, "COUNTER"):
            first = Counter.take(self.model.COUNTER, len(sheet.rows))
            sheet.columns = (*sheet.columns, "number")
            sheet.rows = [(*row, self.number(first + place)) for place, row in enumerate(sheet.rows)]

    def number(self, count: int) -> str:
        raise NotImplementedError

    def _note(self, events: EventLog, action: str, pk: int, values: dict[str, Any], changes: dict[str, list[Any]]) -> None:
        label = str(
            values.get("title") or values.get("name") or values.get("serial") or values.get("subject") or values.get("source_key", "")
        )
        customer_id = values.get("customer_id")
        events.add(action, noun=self.model.NOUN, object_id=pk, label=label, customer_id=customer_id, changes=changes)


class ProductWriter(FactWriter):
    model = Product

    def derived(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"match_key": match_key(values["name"])} if "name" in values else {}

    def settled(self, row: Row) -> dict[str, Any]:
        # A file without product codes: the name stands in, since orders in other files name the product by it.
        return {} if "code" in self.context.fields else {"code": row.values["name"][:60]}

    def _always_read(self) -> tuple[str, ...]:
        return ()


class ContractWriter(FactWriter):
    model = Contract

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        plan = super().plan(rows, lock=lock)
        self._refuse_overlaps({change.current["id"]: change for change in plan.changes if change.changes.keys() & RUNS})
        plan.changes = [change for change in plan.changes if not change.row.is_rejected]
        return plan

    def number(self, count: int) -> str:
        return contract_number(count)

    def _refuse_overlaps(self, changes: dict[int, Change]) -> None:
        """A contract and the one that renews it do not run on the same day."""
        touched = Contract.objects.filter(Q(pk__in=changes) | Q(renews__in=changes), renews__isnull=False)
        for renewal in touched.select_related("renews"):
            former = renewal.renews
            assert former is not None  # as asked for
            for contract in (former, renewal):
                for name, (_before, after) in changes[contract.pk].changes.items() if contract.pk in changes else ():
                    setattr(contract, name, after)
            if former.runs_into(renewal):
                moved, name, other = (renewal, "starts_on", former) if renewal.pk in changes else (former, "ends_on", renewal)
                changes[moved.pk].row.say_of(name, "overlaps", str(getattr(moved, name)), other=other.number)


class AssetWriter(FactWriter):
    model = Asset


class OpportunityWriter(FactWriter):
    """One without a customer comes in all the same: the to-do list shows it until somebody finds the customer."""

    model = Opportunity
    waits_for_customer = False
    unknown_customer = Severity.WARNING

    def is_to_do(self, row: Row) -> bool:
        return not row.is_rejected and CUSTOMER not in row.values


class ContactPointWriter(FactWriter):
    """History is not rewritten: a row that is there already stays, and a different one is said."""

    model = ContactPoint

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        latest = timezone.now() + timedelta(minutes=5)
        for row in rows:
            if row.values["at"] > latest:
                row.say_of("at", "clock_ahead", row.values["at"].isoformat())
        plan = super().plan([row for row in rows if not row.is_rejected], lock=False)
        for change in plan.changes:
            change.row.say("already_logged", severity=Severity.WARNING)
        plan.skipped, plan.changes = [change.row for change in plan.changes], []
        return plan

    def values_of(self, row: Row) -> dict[str, Any]:
        values = super().values_of(row)
        values.setdefault("channel", _CHANNEL_OF_KIND.get(values.get("kind", ""), ContactPoint.Channel.SYSTEM))
        return values

    def settled(self, row: Row) -> dict[str, Any]:
        created_by = {"created_by_id": self.context.by.pk if self.context.by else None}
        return created_by if "channel" in self.context.fields else created_by | {"channel": self.values_of(row)["channel"]}

    def _find(self, rows: list[Row], *, lock: bool) -> dict[str, dict[str, Any]]:
        columns = set(self.column_of.values())
        kept = ContactPoint.objects.filter(source=self.context.source, source_key__in=[row.key for row in rows])
        return {one["source_key"]: one for one in kept.values("id", "source_key", "customer_id", "channel", *columns)}


_CHANNEL_OF_KIND = {
    ContactPoint.Kind.CALL: ContactPoint.Channel.PHONE,
    ContactPoint.Kind.VISIT: ContactPoint.Channel.IN_PERSON,
    ContactPoint.Kind.MEETING: ContactPoint.Channel.IN_PERSON,
    ContactPoint.Kind.MAIL: ContactPoint.Channel.MAIL,
    ContactPoint.Kind.MESSAGE: ContactPoint.Channel.WECHAT,
}


class OrderWriter(FactWriter):
    """An order and one of its lines per row: rows with the same key and different line numbers are lines of one order."""

    model = Order

    def number(self, count: int) -> str:
        return order_number(count)

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        plan = super().plan(rows, lock=lock)
        known = [*plan.changes, *plan.unchanged]
        lines = self._lines_of([change.current["id"] for change in known])
        plan.unchanged = []
        for change in known:
            line = lines.get((change.current["id"], change.row.values.get(f"{LINE}position", 1)))
            change.current["line"] = line
            change.changes |= self._line_changes(change.row, line)
            if change not in plan.changes:
                (plan.changes if change.changes else plan.unchanged).append(change)
        return plan

    def write(self, plan: Plan) -> None:
        events = EventLog(self.context)
        self._write_changes(plan.changes, events)
        new_lines = [(change.current["id"], change.row) for change in plan.changes if change.current["line"] is None]
        self._change_lines([change for change in plan.changes if change.current["line"] is not None], events)
        orders = self._write_creates(plan.creates, events)
        self._write_lines([*new_lines, *zip(orders, plan.creates, strict=True)], events, with_events=len(new_lines))
        self._retotal({change.current["id"] for change in plan.changes} | set(orders))
        events.write()

    def _lines_of(self, orders: list[int]) -> dict[tuple[int, int], dict[str, Any]]:
        lines = OrderLine.objects.filter(order__in=orders).values("id", "order_id", "position", *self._line_columns())
        return {(line["order_id"], line["position"]): line for line in lines}

    def _line_columns(self) -> list[str]:
        names = [name.removeprefix(LINE) for name in self.context.fields if name.startswith(LINE)]
        return [attname(OrderLine, name) for name in names if name != "position"]

    def _line_values(self, row: Row) -> dict[str, Any]:
        said = {name.removeprefix(LINE): value for name, value in row.values.items() if name.startswith(LINE)}
        return {attname(OrderLine, name): value for name, value in said.items()}

    def _line_changes(self, row: Row, line: dict[str, Any] | None) -> dict[str, list[Any]]:
        if line is None:
            return {f"{LINE}position": [None, row.values.get(f"{LINE}position", 1)]}
        return {f"{LINE}{name}": [line[name], value] for name, value in self._line_values(row).items() if line[name] != value}

    def _change_lines(self, changes: list[Change], events: EventLog) -> None:
        for change in changes:
            own = {name.removeprefix(LINE): pair for name, pair in change.changes.items() if name.startswith(LINE)}
            if own:
                line = change.current["line"]
                OrderLine.objects.filter(pk=line["id"]).update(**{name: after for name, (_before, after) in own.items()})
                self._note_line(events, Event.Action.CHANGED, line["id"], change.current["customer_id"], own)

    def _write_lines(self, lines: Iterable[tuple[int, Row]], events: EventLog, *, with_events: int) -> None:
        """The lines of new orders come and go with their order; one that joins an order has an event of its own."""
        lines = list(lines)
        columns = ["position", *self._line_columns()]
        defaults = {name: default_of(OrderLine, name) for name in columns}
        next_id = ids_for(OrderLine, len(lines))
        sheet = Sheet(OrderLine, "id", "order_id", *columns)
        for place, (order_id, row) in enumerate(lines):
            values = defaults | self._line_values(row)
            sheet.rows.append((pk := next_id(), order_id, *(values[name] for name in columns)))
            if place < with_events:
                self._note_line(events, Event.Action.CREATED, pk, row.values["customer"], {name: [None, values[name]] for name in columns})
        sheet.write()

    def _note_line(self, events: EventLog, action: str, pk: int, customer_id: int, changes: dict[str, list[Any]]) -> None:
        events.add(action, noun="order_line", object_id=pk, label="", customer_id=customer_id, changes=changes)

    def _retotal(self, orders: set[int]) -> None:
        Order.objects.filter(pk__in=orders).update(amount=_sum_of_lines("amount"), cost=_sum_of_lines("cost"))


def _sum_of_lines(name: str) -> Coalesce:
    lines = OrderLine.objects.filter(order=models.OuterRef("pk")).order_by().values("order")
    return Coalesce(models.Subquery(lines.values(sum=models.Sum(name))), ZERO)
