"""The customer tree, once all customers of a file are there: a parent may stand below its subsidiaries."""

from __future__ import annotations

import itertools
from typing import Any

from django.db import connection, transaction

from customers.imports.chunks import ROWS_PER_CHUNK, Engine, Tell
from customers.imports.cleaning import Row
from customers.imports.copying import update_from
from customers.imports.golden import GoldenWriter
from customers.imports.problems import Severity
from customers.imports.references import UNCLEAR
from customers.imports.tree import Tree
from customers.imports.writing import EventLog
from customers.models import Customer, ImportProblem, SourceRecord
from customers.models.customer import TREE_LOCK
from users.models import Event

CODES = ("circle", "parent_unknown", "parent_unclear")


def tie_parents(engine: Engine, tell: Tell) -> None:
    """Set the parent of each customer whose row names one. Safe to run again: it only writes what differs."""
    if "parent" not in engine.context.fields:
        return
    ImportProblem.objects.filter(run=engine.run, code__in=CODES).delete()
    named = (row for chunk in engine.chunks(0) for row in chunk if "parent" in row.values and not row.is_rejected)
    while block := list(itertools.islice(named, ROWS_PER_CHUNK)):
        with transaction.atomic():
            _tie(engine, block)
        tell(engine.run.rows_done)


def _tie(engine: Engine, rows: list[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TREE_LOCK])
    engine.context.references.look_up({row.values["parent"] for row in rows})
    for row in rows:
        row.problems.clear()  # said when the customers were written
    moves = _moves(engine, rows)
    _write(engine, moves)
    engine.write_problems(rows)


def _moves(engine: Engine, rows: list[Row]) -> list[tuple[Row, dict[str, Any], int]]:
    """(row, customer, new parent) of each customer that gets another parent; the others say why not."""
    writer = engine.writer
    assert isinstance(writer, GoldenWriter)
    tied = writer.tied_ids(rows)
    customers = {one["id"]: one for one in writer.visible().filter(pk__in=tied.values()).values("id", "parent_id", "provenance", "number")}
    trust = writer.trust_of({one["provenance"].get("parent", 0) for one in customers.values()})
    tree = Tree(_parents_of)
    tree.learn(set(customers))
    moves = {}  # by customer: of several rows about one the last counts
    for row in rows:
        parent, customer = engine.context.references.customer_of(row.values["parent"]), customers.get(tied.get(row.key, 0))
        column = engine.cleaner.column_of["parent"]
        if parent <= 0:
            row.say(f"parent_{'unclear' if parent == UNCLEAR else 'unknown'}", column, row.values["parent"], severity=Severity.TO_DO)
        elif customer is None or trust.get(customer["provenance"].get("parent", 0), 0) > engine.context.source.trust:
            continue
        elif tree.above(customer["id"]) != parent:
            if tree.move(customer["id"], parent):
                moves[customer["id"]] = row, customer, parent
            else:
                row.say("circle", column, row.values["parent"], severity=Severity.TO_DO)
    return [move for move in moves.values() if move[1]["parent_id"] != move[2]]


def _parents_of(ids: set[int]) -> dict[int, int | None]:
    return dict(Customer.objects.filter(pk__in=ids).values_list("pk", "parent_id"))


def _write(engine: Engine, moves: list[tuple[Row, dict[str, Any], int]]) -> None:
    source = engine.context.source
    records = SourceRecord.objects.filter(system=source, noun="customer", key__in=[row.key for row, _customer, _parent in moves])
    record_of = dict(records.order_by("key", "-version").distinct("key").values_list("key", "pk"))
    events = EventLog(engine.context)
    rows = []
    for row, customer, parent in moves:
        pk, changes = customer["id"], {"parent": [customer["parent_id"], parent]}
        rows.append((pk, parent, customer["provenance"] | {"parent": record_of[row.key]}))
        events.add(Event.Action.CHANGED, noun="customer", object_id=pk, label=customer["number"], customer_id=pk, changes=changes)
    update_from(Customer, ["parent_id", "provenance"], rows)
    events.write()
