"""Columns on their way into COPY: rows of thousands at a time, as text, with no object per row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import StringIO
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from django.db import connection, models

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Days: TypeAlias = npt.NDArray[np.datetime64]
Texts: TypeAlias = Iterable[str]

NULL = r"\N"
# What a text must not contain, as it is written without escaping; the words of the generator never do.
SPECIAL = frozenset("\t\n\r\\")


_written: ContextVar[Counter[str] | None] = ContextVar("_written", default=None)


@contextmanager
def counted(written: Counter[str]) -> Iterator[None]:
    """Count the rows by table that are copied inside."""
    token = _written.set(written)
    try:
        yield
    finally:
        _written.reset(token)


def copy_rows(model: type[models.Model], **columns: Texts | str) -> int:
    """Write rows given column by column; a single text stands for all rows. Returns the number of rows."""
    fields = [model._meta.get_field(name) for name in columns]
    names = ", ".join(connection.ops.quote_name(str(getattr(field, "column", None))) for field in fields)
    return copy_into(model._meta.db_table, names, list(columns.values()))


def copy_into(table: str, names: str, columns: list[Texts | str]) -> int:
    series = [repeat(column) if isinstance(column, str) else column for column in columns]
    lines = list(map("\t".join, zip(*series, strict=False)))  # the repeated ones never end
    if not lines:
        return 0
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN", StringIO("\n".join(lines)))
    written = _written.get()
    if written is not None:
        written[table] += len(lines)
    return len(lines)


def new_ids(model: type[models.Model], count: int) -> Ints:
    """Ids for `count` rows, drawn from the table's own sequence, so that other writers are not in the way."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(nextval(pg_get_serial_sequence(%s, 'id'))) FROM generate_series(1, %s)", [model._meta.db_table, count]
        )
        return np.array(cursor.fetchone()[0] or [], dtype=np.int64)


def texts(values: npt.NDArray[Any]) -> list[str]:
    """Whole numbers, days or times as PostgreSQL reads them."""
    if values.dtype.kind == "M":
        moments: list[str] = np.datetime_as_string(values).tolist()
        return moments
    return list(map(str, values.tolist()))


def flags(values: Bools) -> list[str]:
    letters: list[str] = np.where(values, "t", "f").tolist()
    return letters


def money(cents: Ints) -> list[str]:
    return [f"{amount // 100}.{amount % 100:02d}" for amount in cents.tolist()]


def where(condition: Bools, values: list[str], otherwise: str = NULL) -> list[str]:
    return [value if held else otherwise for held, value in zip(condition.tolist(), values, strict=True)]


def pick(words: npt.NDArray[Any], places: Ints) -> list[str]:
    chosen: list[str] = words[places].tolist()
    return chosen
