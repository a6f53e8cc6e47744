"""The two golden records that files can bring: customers, and contacts with their place at a customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F
from django.utils import timezone

from customers.imports.cleaning import Row
from customers.imports.fields import CUSTOMER, KEY, REPORTS_TO
from customers.imports.golden import GoldenWriter
from customers.imports.problems import Severity
from customers.imports.writing import Change, Context, EventLog, Plan, Sheet, attname, default_of, ids_for
from customers.maths.names import match_key
from customers.models import Contact, ContactMethod, Counter, Customer, Position, Suppression
from customers.models.contact import contact_search_columns
from customers.models.customer import NAMES, customer_number, search_columns
from users.access import Permission, allowed
from users.models import Event, Team

POSITION = "position."


class CustomerWriter(GoldenWriter):
    model = Customer
    noun = "customer"
    derived_columns = ("search_text", "sort_key", "match_key")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._team_of: dict[int, int] = {}
        self._home_team = context.by.team_id if context.by else Team.objects.filter(parent=None).values_list("pk", flat=True)[0]
        self._may_assign = context.by is None or allowed(context.by, Permission.CUSTOMER_ASSIGN)
        if "owner" in context.fields:
            self.columns.append("owner_id")

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        for row in rows:
            self._refuse_assignment(row)
        plan = super().plan([row for row in rows if not row.is_rejected], lock=lock)
        self._warn_of_duplicates(plan.creates)
        return plan

    def values_of(self, row: Row) -> dict[str, Any]:
        values = super().values_of(row)
        if "owner" in row.values:
            values["owner_id"] = row.values["owner"]
        return values

    def always_read(self) -> tuple[str, ...]:
        return ("number", "credit_code", "custom", "owner_id", *NAMES)

    def derived(self, values: dict[str, Any]) -> dict[str, Any]:
        names = [values.get(name, "") for name in NAMES]
        columns = search_columns(number=values["number"], credit_code=values.get("credit_code", ""), names=names)
        return dict(zip(self.derived_columns, columns, strict=True))

    def completed(self, made: list[tuple[int, Row, dict[str, Any]]]) -> Iterable[tuple[Row, dict[str, Any]]]:
        """Team and number; numbers come last, since whoever else creates customers waits until we commit."""
        teams = self._teams({values.get("owner_id") for _pk, _row, values in made})
        first = Counter.take(Customer.COUNTER, len(made))
        for place, (_pk, row, values) in enumerate(made):
            values["team_id"] = teams.get(values.get("owner_id"), self._home_team)
            values["number"] = customer_number(first + place)
            values |= self.derived(values)
            values["provenance"] = {}
            yield row, values

    def note(
        self, events: EventLog, action: str, pk: int, values: dict[str, Any], changes: dict[str, list[Any]], row: Row | None = None
    ) -> None:
        label = f"{values['number']} {values.get('short_name') or values['legal_name']}"
        events.add(action, noun="customer", object_id=pk, label=label, customer_id=pk, changes=changes)

    def _matched_ids(self, rows: list[Row]) -> dict[str, int]:
        name = self.context.match_by
        if name == KEY or not rows:
            return {}
        column, key_of = ("match_key", lambda text: match_key(text)[:200]) if name == "legal_name" else (name, str)
        keys = {row.key: key_of(row.values[name]) for row in rows if name in row.values}
        found: dict[str, int] = {}
        for key, pk in self.visible().filter(**{f"{column}__in": set(keys.values())}).values_list(column, "pk"):
            found[key] = -1 if key in found else pk
        for row in rows:
            if found.get(keys.get(row.key, "")) == -1:
                row.say_of(name, "customer_unclear", str(row.values[name]))
        return {key: found[value] for key, value in keys.items() if value in found}

    def _refuse_assignment(self, row: Row) -> None:
        by, owner = self.context.by, row.values.get("owner")
        if owner and by and owner != by.pk and not self._may_assign:
            row.say_of("owner", "may_not_assign", str(owner))

    def _warn_of_duplicates(self, rows: list[Row]) -> None:
        """A new customer whose name or credit code another one has; the file's word is taken, and a person is told."""
        keys = {match_key(row.values["legal_name"])[:200] for row in rows}
        codes = {row.values["credit_code"] for row in rows if "credit_code" in row.values}
        by_key = dict(self.visible().filter(match_key__in=keys).values_list("match_key", "number"))
        by_code = dict(self.visible().filter(credit_code__in=codes).values_list("credit_code", "number")) if codes else {}
        for row in rows:
            key, code = match_key(row.values["legal_name"])[:200], row.values.get("credit_code")
            other = by_key.get(key) or by_code.get(code or "")
            if other:
                row.say_of("legal_name", "possible_duplicate", row.values["legal_name"], severity=Severity.WARNING, other=other)
            by_key[key] = other or row.values["legal_name"]

    def _teams(self, owners: set[int | None]) -> dict[int | None, int]:
        from users.models import User

        return dict(User.objects.filter(pk__in=owners - {None}).values_list("pk", "team_id"))


class ContactWriter(GoldenWriter):
    model = Contact
    noun = "contact"
    derived_columns = ("search_text", "sort_key")
    waits_for_customer = False

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._position_names = [
            name.removeprefix(POSITION) for name in context.fields if name.startswith(POSITION) and name != REPORTS_TO
        ]  # who reports to whom comes when all are there, see `superiors`
        self._customer_of: dict[int, int | None] = {}

    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        self._refuse_the_erased(rows)
        return super().plan([row for row in rows if not row.is_rejected], lock=lock)

    def always_read(self) -> tuple[str, ...]:
        return ("name", "other_name")

    def derived(self, values: dict[str, Any]) -> dict[str, Any]:
        columns = contact_search_columns(names=[values["name"], values.get("other_name", "")])
        return dict(zip(self.derived_columns, columns, strict=True))

    def completed(self, made: list[tuple[int, Row, dict[str, Any]]]) -> Iterable[tuple[Row, dict[str, Any]]]:
        created_by = self.context.by.pk if self.context.by else None
        for _pk, row, values in made:
            values |= self.derived(values)
            values["created_by_id"] = created_by
            values["provenance"] = {}
            yield row, values

    def note(
        self, events: EventLog, action: str, pk: int, values: dict[str, Any], changes: dict[str, list[Any]], row: Row | None = None
    ) -> None:
        customer_id = row.values.get(CUSTOMER) if row else self.customer_for_history(pk)
        events.add(action, noun="contact", object_id=pk, label=values["name"], customer_id=customer_id, changes=changes)

    def customer_for_history(self, owner: int) -> int | None:
        return self._customer_of.get(owner)

    def write_new_companions(self, made: list[tuple[int, Row]]) -> None:
        self._write_positions([(pk, row) for pk, row in made if CUSTOMER in row.values], None)

    def write(self, plan: Plan) -> None:
        super().write(plan)
        events = EventLog(self.context)
        new = [(change.current["id"], change.row) for change in plan.changes if change.current["position"] is None]
        self._write_positions([(pk, row) for pk, row in new if CUSTOMER in row.values], events)
        for change in plan.changes:
            if change.current["position"] and (changed := self._position_changes(change)):
                position = change.current["position"]
                values = {name: after for name, (_before, after) in changed.items()}
                Position.objects.filter(pk=position["id"]).update(**values, version=F("version") + 1, updated_at=timezone.now())
                self._note_companion(events, Position, position["id"], "", change.current["id"], changed, Event.Action.CHANGED)
        events.write()

    def _read_companions(self, plan: Plan) -> None:
        super()._read_companions(plan)
        places = Position.objects.filter(contact__in=[change.current["id"] for change in plan.changes])
        kept = {
            (one["contact_id"], one["customer_id"]): one for one in places.values("id", "contact_id", "customer_id", *self._position_names)
        }
        for change in plan.changes:
            pk, customer_id = change.current["id"], change.row.values.get(CUSTOMER)
            change.current["position"] = kept.get((pk, customer_id)) if customer_id else None
            self._customer_of[pk] = customer_id or next((place[1] for place in kept if place[0] == pk), None)

    def _says_anything(self, change: Change) -> bool:
        is_new_place = CUSTOMER in change.row.values and change.current["position"] is None
        return is_new_place or bool(self._position_changes(change)) or super()._says_anything(change)

    def _position_changes(self, change: Change) -> dict[str, list[Any]]:
        kept = change.current["position"]
        return (
            {name: [kept[name], value] for name, value in self._position_values(change.row).items() if kept[name] != value} if kept else {}
        )

    def _position_values(self, row: Row) -> dict[str, Any]:
        return {name: row.values[f"{POSITION}{name}"] for name in self._position_names if f"{POSITION}{name}" in row.values}

    def _write_positions(self, places: list[tuple[int, Row]], events: EventLog | None) -> None:
        defaults = {name: default_of(Position, name) for name in self._position_names}
        next_id = ids_for(Position, len(places))
        sheet = Sheet(Position, "id", "contact_id", "customer_id", *(attname(Position, name) for name in self._position_names))
        for contact_id, row in places:
            values = defaults | self._position_values(row)
            sheet.rows.append((pk := next_id(), contact_id, row.values[CUSTOMER], *values.values()))
            if events:
                self._note_companion(events, Position, pk, "", contact_id, {"customer": [None, row.values[CUSTOMER]]})
        sheet.write()

    def _matched_ids(self, rows: list[Row]) -> dict[str, int]:
        if self.context.match_by != "method.mail" or not rows:
            return {}
        mails = {method.normalised: row.key for row in rows for method in row.methods if method.kind == "mail"}
        kept = ContactMethod.objects.filter(kind="mail", normalised__in=mails, contact__in=self.visible())
        return {mails[mail]: pk for mail, pk in kept.values_list("normalised", "contact_id")}

    def _refuse_the_erased(self, rows: list[Row]) -> None:
        """Who asked to be erased does not come back by a file, and the refusal does not quote the person."""
        system = self.context.source.code
        keys = {row.number: {method.normalised for method in row.methods} for row in rows}
        for row in rows:
            if row.key:
                keys[row.number].add(Suppression.source_key(system, row.key))
        erased = Suppression.suppressed({key for several in keys.values() for key in several})
        for row in rows:
            if keys[row.number] & erased:
                row.cells = {}
                row.problems.clear()
                row.say("erased")
