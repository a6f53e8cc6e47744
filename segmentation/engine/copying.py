"""Rows out of PostgreSQL into numpy arrays by binary COPY, in blocks of bounded size; and arrays into a table.

Two ways to read. `read_query` takes any query and reads one message per row. `read_table` lets the server string the values of each column
together, for some pages of the table at a time: the CPU time of both sides is then two thirds of the other's, and one block is
three long values instead of a hundred thousand short messages.

Columns must hold no NULL (`coalesce` it in the expression): a column of fixed width has no room for "nothing". The expressions and
names in these statements come from code, never from what somebody typed; values go through `params`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Block: TypeAlias = dict[str, NDArray[Any]]
Params: TypeAlias = Sequence[Any] | Mapping[str, Any]

PAGES = 1024  # per block of read_table: 8 MB of the table
BLOCK_BYTES = 4 << 20  # of messages that read_query gathers before it makes arrays of them
EPOCH = 10_957  # days from 1970-01-01, where ours begin, to 2000-01-01, where PostgreSQL's do
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER = len(_SIGNATURE) + 8  # with the flags and the length of an extension, both zero
_COUNT, _LENGTH = ">i2", ">i4"
_TRAILER = -1
# Type → how COPY writes it, and what numpy makes of it. A date is days.
_KINDS = {"int8": (">i8", np.int64), "int4": (">i4", np.int32), "date": (">i4", np.int32), "float8": (">f8", np.float64)}
_SENDERS = {"int8": "int8send", "int4": "int4send", "date": "date_send", "float8": "float8send"}


class Cursor(Protocol):
    """psycopg2's cursor, or Django's around it."""

    def execute(self, sql: str, params: Params, /) -> Any: ...
    def fetchone(self) -> Any: ...
    @property
    def mogrify(self) -> Callable[..., bytes]: ...
    @property
    def copy_expert(self) -> Callable[..., None]: ...


@dataclass(frozen=True)
class Column:
    """One array to be read: its name, the SQL expression of its values, and their type: int8, int4, date or float8.

    A date comes as int32 days since 1970-01-01, as numpy's datetime64[D] counts. Amounts in numeric are quickest and exact as
    `(amount * 100)::int8`.
    """

    name: str
    expression: str
    kind: str

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"a column of type {self.kind} has no reader: {', '.join(_KINDS)}")

    @property
    def cast(self) -> str:
        return f"({self.expression})::{self.kind}"

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Values as sent → values of this machine's byte order, contiguous."""
        native = np.ascontiguousarray(values).astype(_KINDS[self.kind][1])
        if self.kind != "date":
            return native
        if len(native) and (native.min() == np.iinfo(np.int32).min or native.max() > np.iinfo(np.int32).max - EPOCH):
            raise ValueError(f"a date of {self.name} is infinite or past what days can count")
        native += EPOCH
        return native


def read_table(
    cursor: Cursor, table: str, columns: Sequence[Column], *, where: str = "TRUE", params: Params = (), pages: int = PAGES
) -> Iterator[Block]:
    """Blocks of arrays, by name, of the rows of `table` that satisfy `where`; in the order in which the rows lie on disk.

    Several statements are run: the rows are those of one moment only in a transaction of REPEATABLE READ. ValueError for a NULL.
    The names in `where` and the expressions are the table's columns; a join belongs into `read_query`.
    """
    cursor.execute("SELECT pg_relation_size(%s::regclass) / current_setting('block_size')::int8", [table])
    last = cursor.fetchone()[0]
    strings = ", ".join(f"string_agg({_SENDERS[column.kind]}({column.cast}), NULL)" for column in columns)
    for page in range(0, last + 1, pages):
        end = f" AND ctid < '({page + pages},0)'::tid" if page + pages <= last else ""  # rows of now on pages of later: the last block's
        query = f"SELECT count(*), {strings} FROM {table} WHERE ctid >= '({page},0)'::tid{end} AND ({where})"
        if block := _strung_block(_copied(cursor, query, params), columns):
            yield block


def read_query(cursor: Cursor, query: str, columns: Sequence[Column], take: Callable[[Block], None], *, params: Params = ()) -> int:
    """Hand blocks of arrays to `take`, of the rows of `query` in its order; how many rows there were.

    The expressions of the columns speak of what the query selects. What `take` raises ends the reading. ValueError for a NULL.
    """
    selected = ", ".join(column.cast for column in columns)
    rows = _Rows(columns, take)
    _copy(cursor, f"SELECT {selected} FROM ({query}) AS rows", params, rows)
    return rows.finish()


def together(blocks: Sequence[Block], columns: Sequence[Column]) -> Block:
    """All blocks as one."""
    return {column.name: np.concatenate([_empty(column), *(block[column.name] for block in blocks)]) for column in columns}


def read_whole(cursor: Cursor, query: str, columns: Sequence[Column], *, params: Params = ()) -> Block:
    """All rows of `query` as one block, in no order: strung together by the server as `read_table` has it. ValueError for a NULL.

    For up to a hundred million rows: a column is one value of PostgreSQL, which ends at a gigabyte.
    """
    strings = ", ".join(f"string_agg({_SENDERS[column.kind]}({column.cast}), NULL)" for column in columns)
    message = _copied(cursor, f"SELECT count(*), {strings} FROM ({query}) AS rows", params)
    return _strung_block(message, columns) or {column.name: _empty(column) for column in columns}


def write_block(
    cursor: Cursor, table: str, kinds: Mapping[str, str], block: Block, json: tuple[str, Sequence[bytes]] | None = None
) -> None:
    """Copy arrays of one length into a table, each into the column of its name; `kinds` says of which type each is.

    A row is of fixed width, so that numpy writes all of them in one piece; a column of JSON texts may follow, by name. Days are
    integers here: PostgreSQL has no date in it.
    """
    layout: list[tuple[str, str]] = [("fields", _COUNT)]
    for name, kind in kinds.items():
        layout += [(f"{name}_length", _LENGTH), (name, _KINDS[kind][0])]
    if json:
        layout += [("json_length", _LENGTH), ("json_version", ">i1")]
    rows = np.empty(len(next(iter(block.values()))), dtype=layout)
    rows["fields"] = len(kinds) + bool(json)
    for name in kinds:
        rows[f"{name}_length"] = rows.dtype[name].itemsize
        rows[name] = block[name]
    sent: list[bytes | memoryview] = [rows.view(np.uint8).data]
    names = list(kinds)
    if json:
        names.append(json[0])
        rows["json_length"], rows["json_version"] = [1 + len(text) for text in json[1]], 1
        width, whole = rows.itemsize, sent.pop()
        for at, text in enumerate(json[1]):
            sent += (whole[at * width : (at + 1) * width], text)
    _copy_in(cursor, f"{table} ({', '.join(names)})", sent)


def copied_value(cursor: Cursor, query: str, params: Params = ()) -> memoryview:
    """The one bytea that a query finds."""
    message = memoryview(_copied(cursor, query, params))
    start = _after_header(message) + 2  # after the count of fields
    length = int.from_bytes(message[start : start + 4], "big")
    return message[start + 4 : start + 4 + length]


def write_value(cursor: Cursor, table: str, value: bytes) -> None:
    """Copy a row of one bytea into a table."""
    _copy_in(cursor, table, [(1).to_bytes(2, "big"), len(value).to_bytes(4, "big"), value])


def _copy_in(cursor: Cursor, target: str, sent: Sequence[bytes | memoryview]) -> None:
    end = _TRAILER.to_bytes(2, "big", signed=True)
    cursor.copy_expert(f"COPY {target} FROM STDIN (FORMAT binary)", io.BytesIO(b"".join((_SIGNATURE, bytes(8), *sent, end))))


class _Rows:
    """What COPY writes into: messages are gathered up to a bound, and turned into arrays."""

    def __init__(self, columns: Sequence[Column], take: Callable[[Block], None]) -> None:
        self._columns, self._take, self.count = columns, take, 0
        layout: list[tuple[str, str]] = [("fields", _COUNT)]
        for place, column in enumerate(columns):
            layout += [(f"length{place}", _LENGTH), (f"value{place}", _KINDS[column.kind][0])]
        self._layout = np.dtype(layout)
        self._messages: list[bytes] = []
        self._most = max(1, BLOCK_BYTES // self._layout.itemsize)
        self._is_begun = False

    def write(self, message: bytes) -> None:
        if len(self._messages) >= self._most:  # before the append: the trailer, which comes last, must be left for the end
            self._flush()
        self._messages.append(message)

    def finish(self) -> int:
        self._flush(is_end=True)
        return self.count

    def _flush(self, *, is_end: bool = False) -> None:
        gathered = b"".join(self._messages)
        self._messages = []
        begin = 0
        if not self._is_begun:
            begin, self._is_begun = _after_header(gathered), True
        end = len(gathered) - 2 if is_end else len(gathered)
        if is_end and np.frombuffer(gathered[end:], _COUNT)[0] != _TRAILER:
            raise ValueError("COPY ended in the middle of a row")
        if (end - begin) % self._layout.itemsize:
            raise ValueError("a row is not of the width of its columns: there is a NULL")
        rows = np.frombuffer(gathered, self._layout, (end - begin) // self._layout.itemsize, begin)
        if not len(rows):
            return
        for place, column in enumerate(self._columns):
            if (rows[f"length{place}"] != rows.dtype[f"value{place}"].itemsize).any():
                raise ValueError(f"{column.name} holds a NULL")
        self.count += len(rows)
        self._take({column.name: column.array(rows[f"value{place}"]) for place, column in enumerate(self._columns)})


class _Whole:
    """What COPY of a single row writes into."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.write = self.messages.append


def _copied(cursor: Cursor, query: str, params: Params) -> bytes:
    whole = _Whole()
    _copy(cursor, query, params, whole)
    return b"".join(whole.messages)


def _copy(cursor: Cursor, query: str, params: Params, target: object) -> None:
    filled = cursor.mogrify(query, params).decode() if params else query
    cursor.copy_expert(f"COPY ({filled}) TO STDOUT (FORMAT binary)", target)


def _strung_block(message: bytes, columns: Sequence[Column]) -> Block | None:
    """The one row of a count and a string of values per column; None where no row was found."""
    place = _after_header(message) + 2  # after the count of fields
    values: list[memoryview] = []
    for _ in range(1 + len(columns)):
        length = int.from_bytes(message[place : place + 4], "big", signed=True)
        values.append(memoryview(message)[place + 4 : place + 4 + max(length, 0)])
        place += 4 + max(length, 0)
    count = int.from_bytes(values[0], "big")
    if not count:
        return None
    block: Block = {}
    for column, sent in zip(columns, values[1:], strict=True):
        array = np.frombuffer(sent, _KINDS[column.kind][0])
        if len(array) != count:
            raise ValueError(f"{column.name} holds a NULL")
        block[column.name] = column.array(array)
    return block


def _after_header(message: bytes | memoryview) -> int:
    if message[:_HEADER] != _SIGNATURE + bytes(8):
        raise ValueError("this is not PostgreSQL's binary COPY")
    return _HEADER


def _empty(column: Column) -> NDArray[Any]:
    return np.empty(0, _KINDS[column.kind][1])
