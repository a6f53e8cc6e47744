"""Many rows into a table by COPY, and many changes by COPY into a side table and one UPDATE.

The names of tables and columns in these statements come from models, never from a file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_encoder = DjangoJSONEncoder(ensure_ascii=False, separators=(",", ":"))
_plain_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def copy_in(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows of Python values into the table; None is NULL, a list an array, a dict JSON."""
    text = "\n".join("\t".join([_WRITERS[type(value)](value) for value in row]) for row in rows)
    if not text:
        return
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', io.StringIO(text + "\n"))


def update_from(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Set columns of many rows, each given as (id, value of the first column, …); version and updated_at move along."""
    if not rows:
        return
    table = model._meta.db_table
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(f'side."{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE TEMP TABLE side_table ON COMMIT DROP AS SELECT id, {names} FROM "{table}" WITH NO DATA')  # noqa: S608
        copy_in("side_table", ("id", *columns), rows)
        cursor.execute(
            f'UPDATE "{table}" AS kept SET ({names}, version, updated_at) = ROW({values}, kept.version + 1, now())'  # noqa: S608
            " FROM side_table AS side WHERE kept.id = side.id"
        )
        cursor.execute("DROP TABLE side_table")


def reserve_ids(model: type[models.Model], count: int) -> list[int]:
    """Take ids for rows that are written by COPY, so that rows can name each other before they are there."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [f'"{model._meta.db_table}"', count])
        return [row[0] for row in cursor.fetchall()]


def as_json(value: Any) -> str:
    return _encoder.encode(value)


def _text(value: str) -> str:
    return value.translate(_ESCAPES) if "\\" in value or not value.isprintable() else value


def _json(value: dict[str, Any]) -> str:
    try:
        text = _plain_json(value)
    except TypeError:  # a day, an amount
        text = _encoder.encode(value)
    return _text(text)


def _array(value: list[Any]) -> str:
    items = ",".join('"' + str(item).replace("\\", "\\\\").replace('"', '\\"') + '"' for item in value)
    return _text("{" + items + "}")


class _Writers(dict[type, Any]):
    """The function that writes values of a type; of a subclass, such as a choice, the one of its base."""

    def __missing__(self, kind: type) -> Any:
        base_writer = next(write for base, write in tuple(self.items()) if issubclass(kind, base))
        self[kind] = (lambda value: base_writer(str(value))) if issubclass(kind, str) else base_writer
        return self[kind]


_WRITERS = _Writers(
    {
        type(None): lambda _value: "\\N",
        str: _text,
        int: str,
        float: repr,
        bool: lambda value: "t" if value else "f",
        Decimal: str,
        date: date.isoformat,
        datetime: datetime.isoformat,
        dict: _json,
        list: _array,
    }
)
