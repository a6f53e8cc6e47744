"""A run's rows, a chunk per transaction: rows, their problems and the run's place in the file commit together or not at all.

So a run that is killed goes on after the last chunk that committed, and ends with the same rows as an undisturbed one.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.db import DataError, IntegrityError, connection, transaction

from customers.imports.cleaning import Cleaner, Row
from customers.imports.copying import copy_in, reserve_ids
from customers.imports.customers_and_contacts import ContactWriter, CustomerWriter
from customers.imports.facts import (
    AssetWriter,
    ContactPointWriter,
    ContractWriter,
    OpportunityWriter,
    OrderWriter,
    ProductWriter,
)
from customers.imports.fields import KEY, fields_of
from customers.imports.golden import GoldenWriter
from customers.imports.problems import Severity
from customers.imports.reading import Form, rows
from customers.imports.references import References
from customers.imports.writing import Context, Plan, Writer
from customers.models import ImportProblem, ImportRun

ROWS_PER_CHUNK = 2_000
SOURCE_LOCK = 0x696D70  # with the source's id: one chunk of a source at a time, or two runs would create the same key

WRITERS: dict[str, type[Writer]] = {
    ImportRun.Kind.CUSTOMERS: CustomerWriter,
    ImportRun.Kind.CONTACTS: ContactWriter,
    ImportRun.Kind.PRODUCTS: ProductWriter,
    ImportRun.Kind.ORDERS: OrderWriter,
    ImportRun.Kind.CONTRACTS: ContractWriter,
    ImportRun.Kind.ASSETS: AssetWriter,
    ImportRun.Kind.CONTACT_POINTS: ContactPointWriter,
    ImportRun.Kind.OPPORTUNITIES: OpportunityWriter,
}
OUTCOMES = ("created", "updated", "unchanged", "skipped", "rejected", "to_do", "duplicates")

Tell = Callable[[int], None]  # told of the rows done; may raise to stop between two chunks


class Superseded(Exception):
    """Another worker has gone on with this run."""


class Engine:
    """Takes one run through its file."""

    def __init__(self, run: ImportRun, columns: list[str]) -> None:
        fields = fields_of(run.kind)
        named = [fields[name] for name in run.mapping.values() if name in fields]
        writer = WRITERS[run.kind]
        references = References(by=run.by, source=run.source, fields=named, unknown_customer=writer.unknown_customer)
        self.run = run
        self.context = Context(run, run.source, run.by, references, run.options["match_by"], [one.name for one in named])
        self.cleaner = Cleaner(
            kind=run.kind,
            columns=columns,
            mapping=run.mapping,
            options=run.options.get("columns", {}),
            hints=run.source.hints,
            zone=self.context.zone,
        )
        self.writer = writer(self.context)

    def check(self, tell: Tell) -> Counter[str]:
        """Go through the whole file without writing a record: counts and problems are what a run would give now."""
        counts: Counter[str] = Counter()
        seen: set[int] = set()  # of keys met, so that a second row of a new record counts as an update
        done = 0
        for chunk in self.chunks(0):
            with transaction.atomic():
                plan = self.writer.plan(self._ready(chunk), lock=False)
                counts += self._count(chunk, plan, seen)
                self.write_problems(chunk)
            done += len(chunk)
            tell(done)
        return counts

    def work(self, tell: Tell) -> None:
        """Write the rows that are still to be written."""
        done = self.run.rows_done
        for chunk in self.chunks(done):
            self._work_chunk(chunk, done)
            done += len(chunk)
            tell(done)

    def chunks(self, skip: int) -> Iterator[list[Row]]:
        with self.run.file.open("rb") as file:
            numbered = rows(file, Form(**self.run.inspection["form"]), skip=skip)
            while block := list(itertools.islice(numbered, ROWS_PER_CHUNK)):
                yield [self._read(number, cells) for number, cells in block]

    def _read(self, number: int, cells: list[str]) -> Row:
        row = self.cleaner.read(number, cells)
        row.key = self._key_of(row)
        if not row.key and not row.is_rejected:
            row.say("missing", self.cleaner.column_of.get(self.context.match_by, ""))
        return row

    def _key_of(self, row: Row) -> str:
        """The row's key in its source: its key column, or else the cell that identifies it."""
        name = KEY if KEY in row.values else self.context.match_by
        column = self.cleaner.column_of.get(name, "")
        return str(row.values.get(KEY) or row.cells.get(column, "").strip())[:200]

    def _ready(self, chunk: list[Row]) -> list[Row]:
        """The rows that can become records, with ids in place of names."""
        self.context.references.resolve([row for row in chunk if not row.is_rejected])
        if isinstance(self.writer, GoldenWriter):
            self.writer.read_methods(row for row in chunk if not row.is_rejected)
        return [row for row in chunk if not row.is_rejected and not self._waits(row)]

    def _waits(self, row: Row) -> bool:
        return self.writer.waits_for_customer and any(problem.severity == Severity.TO_DO for problem in row.problems)

    def _work_chunk(self, chunk: list[Row], done: int) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [SOURCE_LOCK, self.context.source.pk])
            run = ImportRun.objects.select_for_update().only("rows_done", "state", "counts").get(pk=self.run.pk)
            if run.rows_done != done or run.state != ImportRun.State.RUNNING:
                raise Superseded
            counts: Counter[str] = Counter()
            for batch in self._without_repeats(self._ready(chunk)):
                counts += self._write(batch)
            counts += self._count_left_out(chunk)
            self.write_problems(chunk)
            run.rows_done, run.counts = done + len(chunk), dict(Counter(run.counts) + counts)
            run.save(update_fields=["rows_done", "counts"])

    def _without_repeats(self, ready: list[Row]) -> Iterator[list[Row]]:
        """Rows that speak of the same record in turn: all first mentions, all second ones, and so on."""
        turn: Counter[str] = Counter()
        turns: dict[int, list[Row]] = {}
        for row in ready:
            turns.setdefault(turn[row.key], []).append(row)
            turn[row.key] += 1
        yield from turns.values()

    def _write(self, batch: list[Row]) -> Counter[str]:
        """Write the batch; where the database refuses it, halve it until the refused rows are found."""
        said = [len(row.problems) for row in batch]
        try:
            with transaction.atomic():
                plan = self.writer.plan([row for row in batch if not row.is_rejected], lock=True)
                self.writer.write(plan)
                return self._count_plan(plan)
        except (IntegrityError, DataError) as error:
            for row, count in zip(batch, said, strict=True):
                del row.problems[count:]  # what the attempt found out is found out again
            if len(batch) == 1:
                batch[0].say("refused", reason=_reason(error, self.writer))
                return Counter()
        middle = len(batch) // 2
        return self._write(batch[:middle]) + self._write(batch[middle:])

    def _count_plan(self, plan: Plan) -> Counter[str]:
        return Counter(created=len(plan.creates), updated=len(plan.changes), unchanged=len(plan.unchanged), skipped=len(plan.skipped))

    def _count_left_out(self, chunk: list[Row]) -> Counter[str]:
        counts = Counter(rejected=sum(row.is_rejected for row in chunk))
        counts["to_do"] = sum(self.writer.is_to_do(row) for row in chunk)
        counts["duplicates"] = sum(any(problem.code == "possible_duplicate" for problem in row.problems) for row in chunk)
        return counts

    def _count(self, chunk: list[Row], plan: Plan, seen: set[int]) -> Counter[str]:
        again = 0
        for row in plan.creates:
            again += hash(row.key) in seen
            seen.add(hash(row.key))
        counts = self._count_plan(plan) + self._count_left_out(chunk)
        return counts + Counter(updated=again) - Counter(created=again)

    def write_problems(self, chunk: list[Row]) -> None:
        names = ("id", "run_id", "row_number", "column", "value", "code", "parameters", "severity", "row")
        found = [(row, problem) for row in chunk for problem in row.problems]
        ids = reserve_ids(ImportProblem, len(found))
        copy_in(
            ImportProblem._meta.db_table,
            names,
            [
                (pk, self.run.pk, row.number, p.column[:200], p.value, p.code, p.parameters, str(p.severity), _without_nul(row.cells))
                for pk, (row, p) in zip(ids, found, strict=True)
            ],
        )


def _without_nul(cells: dict[str, str]) -> dict[str, str]:
    """JSON in PostgreSQL cannot hold NUL; the sign for it can."""
    return (
        {name: cell.replace("\x00", "\N{SYMBOL FOR NULL}") for name, cell in cells.items()} if "\x00" in "".join(cells.values()) else cells
    )


def _reason(error: Exception, writer: Writer) -> str:
    """What the broken rule says of itself, else its name."""
    constraint: Any = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    model = getattr(writer, "model", None)
    for rule in model._meta.constraints if model else ():
        if rule.name == constraint:
            return str(rule.get_violation_error_message())
    return str(constraint or type(error).__name__)
