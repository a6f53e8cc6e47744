"""What every kind of file shares when its rows become records: the context of the run, the plan of a batch, the events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils import timezone

from customers.imports.cleaning import Row
from customers.imports.copying import copy_in, reserve_ids
from customers.imports.problems import Severity
from customers.imports.references import References
from customers.models import ImportRun, SourceSystem
from users.http import current_request_id
from users.models import Event, User
from users.models.event import Changes

EVENT_COLUMNS = (
    "at",
    "action",
    "noun",
    "actor_id",
    "object_id",
    "label",
    "customer_id",
    "changes",
    "request_id",
    "import_run_id",
)


@dataclass
class Context:
    """One run while it works."""

    run: ImportRun
    source: SourceSystem
    by: User | None
    references: References
    match_by: str
    fields: list[str]  # that the mapping names

    @property
    def zone(self) -> Any:
        return self.by.zone if self.by else timezone.get_default_timezone()


@dataclass
class Change:
    """A record that is there already, and what the row changes of it: {column: [before, after]} as Python values."""

    row: Row
    current: dict[str, Any]
    changes: dict[str, list[Any]]


@dataclass
class Plan:
    """What a batch of rows, none of which speak of the same record, will do."""

    creates: list[Row] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    unchanged: list[Change] = field(default_factory=list)
    skipped: list[Row] = field(default_factory=list)


class Writer(ABC):
    """Turns rows of one kind of file into records."""

    waits_for_customer = True  # a row whose customer is unknown waits for a person, since the record cannot be without
    unknown_customer: str = Severity.TO_DO

    def __init__(self, context: Context) -> None:
        self.context = context

    @abstractmethod
    def plan(self, rows: list[Row], *, lock: bool) -> Plan:
        """Find what is there and compare. Only reads; rows that turn out to be wrong say so."""

    @abstractmethod
    def write(self, plan: Plan) -> None:
        """Write the batch, in the caller's transaction."""

    def is_to_do(self, row: Row) -> bool:
        """Whether the row leaves something to a person."""
        return any(problem.severity == Severity.TO_DO for problem in row.problems)


class EventLog:
    """The events of a batch, written by one COPY. Listeners are told of the run as a whole, not of each row."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rows: list[tuple[Any, ...]] = []
        self._at = timezone.now()

    def add(self, action: str, *, noun: str, object_id: int, label: str, customer_id: int | None, changes: Changes) -> None:
        by, run = self._context.by, self._context.run
        actor_id = by.pk if by else None
        self._rows.append((self._at, action, noun, actor_id, object_id, label[:200], customer_id, changes, current_request_id(), run.pk))

    def write(self) -> None:
        copy_in(Event._meta.db_table, EVENT_COLUMNS, self._rows)
        self._rows.clear()


class Sheet:
    """Rows of one table that wait for their COPY. Columns that nobody sets keep the database's defaults."""

    def __init__(self, model: type[models.Model], *columns: str) -> None:
        self.model = model
        self.columns = columns
        self.rows: list[tuple[Any, ...]] = []

    def write(self) -> None:
        copy_in(self.model._meta.db_table, self.columns, self.rows)
        self.rows.clear()


def ids_for(model: type[models.Model], count: int) -> Callable[[], int]:
    return iter(reserve_ids(model, count)).__next__


def default_of(model: type[models.Model], name: str) -> Any:
    """What a record has in this column when the row says nothing."""
    column = model._meta.get_field(name)
    return column.get_default() if isinstance(column, models.Field) else None


def attname(model: type[models.Model], name: str) -> str:
    """The column of a field: owner → owner_id."""
    column = model._meta.get_field(name)
    return column.attname if isinstance(column, models.Field) else name
