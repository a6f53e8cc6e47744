"""Who reports to whom, once all people of a file are there: a superior may stand below the people who report to them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from django.db import transaction

from customers.imports.chunks import ROWS_PER_CHUNK, Engine, Tell
from customers.imports.cleaning import Row
from customers.imports.copying import update_from
from customers.imports.customers_and_contacts import ContactWriter
from customers.imports.fields import CUSTOMER, REPORTS_TO
from customers.imports.problems import Severity
from customers.imports.references import UNCLEAR, UNKNOWN
from customers.imports.tree import Tree
from customers.imports.writing import EventLog
from customers.maths.names import match_key
from customers.models import Contact, CrossReference, ImportProblem, Position
from users.models import Event

CODES = ("superior_circle", "superior_of_which_customer", "superior_unclear", "superior_unknown")

Place = tuple[int, int]  # (customer, contact): a superior is one at this customer


def tie_superiors(engine: Engine, tell: Tell) -> None:
    """Set the superior in each place whose row names one. Safe to run again: it only writes what differs."""
    if REPORTS_TO not in engine.context.fields:
        return
    ImportProblem.objects.filter(run=engine.run, code__in=CODES).delete()
    named = (row for chunk in engine.chunks(0) for row in chunk if REPORTS_TO in row.values and not row.is_rejected)
    while block := list(itertools.islice(named, ROWS_PER_CHUNK)):
        with transaction.atomic():
            _tie(engine, block)
        tell(engine.run.rows_done)


def _tie(engine: Engine, rows: list[Row]) -> None:
    engine.context.references.look_up({row.values[CUSTOMER] for row in rows if CUSTOMER in row.values})
    for row in rows:
        row.problems.clear()  # said when the people were written
    places = _Places(engine, rows)
    _write(engine, _moves(engine, rows, places))
    engine.write_problems(rows)


def _moves(engine: Engine, rows: list[Row], places: _Places) -> list[tuple[dict[str, Any], int]]:
    """(position, new superior) of each place that gets another one; the other rows say why not."""
    tree = Tree(places.above)
    column = engine.cleaner.column_of[REPORTS_TO]
    moves = {}  # by position: of several rows about one place the last counts
    for row in rows:
        contact = places.contact_of(row)
        if contact is None:
            continue  # the row did not become a person
        place = places.of(row, contact)
        superior = places.superior(row.values[REPORTS_TO], place[0]) if place else UNKNOWN
        if place is None:
            row.say("superior_of_which_customer", column, row.values[REPORTS_TO], severity=Severity.TO_DO)
        elif superior <= 0:
            row.say(f"superior_{'unclear' if superior == UNCLEAR else 'unknown'}", column, row.values[REPORTS_TO], severity=Severity.TO_DO)
        elif not tree.move(place, (place[0], superior)):
            row.say("superior_circle", column, row.values[REPORTS_TO], severity=Severity.TO_DO)
        else:
            moves[place] = superior
    changed = [(places.positions[place], superior) for place, superior in moves.items()]
    return [(position, superior) for position, superior in changed if position["reports_to_id"] != superior]


class _Places:
    """The people at the customers that a block of rows speaks of, locked: who they are, and to whom they report."""

    def __init__(self, engine: Engine, rows: list[Row]) -> None:
        assert isinstance(engine.writer, ContactWriter)
        self._references = engine.context.references
        tied = engine.writer.tied_ids(rows)
        seen = set(engine.writer.visible().filter(pk__in=tied.values()).values_list("pk", flat=True))
        self._contacts = {key: pk for key, pk in tied.items() if pk in seen}
        self._only_place = self._read_only_places()
        named = {self._references.customer_of(row.values[CUSTOMER]) for row in rows if CUSTOMER in row.values}
        self._read_people(named | set(self._only_place.values()))
        self._by_key = self._read_keys(engine, {row.values[REPORTS_TO] for row in rows})

    def contact_of(self, row: Row) -> int | None:
        return self._contacts.get(row.key)

    def of(self, row: Row, contact: int) -> Place | None:
        """Where the contact is, as the row says; else at the one customer that there is."""
        customer = self._references.customer_of(row.values[CUSTOMER]) if CUSTOMER in row.values else self._only_place.get(contact, UNKNOWN)
        return (customer, contact) if (customer, contact) in self.positions else None

    def superior(self, name: str, customer: int) -> int:
        """The person at the customer whom a source key or a name means; UNCLEAR for several, UNKNOWN for none."""
        by_key = self._by_key.get(name)
        if by_key is not None and (customer, by_key) in self.positions:
            return by_key
        bearers = self._bearers[customer, match_key(name)]
        return UNCLEAR if len(bearers) > 1 else next(iter(bearers), UNKNOWN)

    def above(self, places: set[Place]) -> dict[Place, Place | None]:
        superiors = {place: self.positions[place]["reports_to_id"] for place in places if place in self.positions}
        return {place: (place[0], superior) if superior else None for place, superior in superiors.items()}

    def _read_only_places(self) -> dict[int, int]:
        customers: dict[int, set[int]] = defaultdict(set)
        for contact, customer in Position.objects.filter(contact__in=self._contacts.values()).values_list("contact_id", "customer_id"):
            customers[contact].add(customer)
        return {contact: next(iter(several)) for contact, several in customers.items() if len(several) == 1}

    def _read_people(self, customers: set[int]) -> None:
        there = Position.objects.filter(customer__in=customers, contact__deleted_at=None).select_for_update(of=("self",)).order_by("pk")
        names = ("id", "contact_id", "customer_id", "reports_to_id", "contact__name", "contact__other_name")
        self.positions: dict[Place, dict[str, Any]] = {}
        self._bearers: dict[tuple[int, str], set[int]] = defaultdict(set)
        for one in there.values(*names):
            self.positions[one["customer_id"], one["contact_id"]] = one
            for name in filter(None, (one["contact__name"], one["contact__other_name"])):
                self._bearers[one["customer_id"], match_key(name)].add(one["contact_id"])

    def _read_keys(self, engine: Engine, names: set[str]) -> dict[str, int]:
        ties = CrossReference.objects.filter(system=engine.context.source, noun=Contact.SOURCE_NOUN, key__in=names, until=None)
        return {key: pk for key, pk in ties.values_list("key", "contact_id") if pk is not None}


def _write(engine: Engine, moves: list[tuple[dict[str, Any], int]]) -> None:
    events = EventLog(engine.context)
    for position, superior in moves:
        changes = {"reports_to": [position["reports_to_id"], superior]}
        events.add(
            Event.Action.CHANGED, noun=Position.NOUN, object_id=position["id"], label="", customer_id=position["customer_id"],
            changes=changes,
        )  # fmt: skip
    update_from(Position, ["reports_to_id"], [(position["id"], superior) for position, superior in moves])
    events.write()
