"""Facts from PostgreSQL as columns of numbers, one row per customer or per fact; and columns into a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection

from segmentation.engine.copying import Block, Column, read_query, read_whole, together, write_block
from segmentation.engine.packing import Columns
from segmentation.maths.arrays import Ints

ROWS_AT_ONCE = 20_000  # per COPY into the database: bounds memory


def read(query: str, values: Mapping[str, Any], kinds: Mapping[str, str]) -> Columns:
    """The columns of a query by name; `kinds` says of each, in the query's order, whether it is int8, int4, date or float8."""
    columns = [Column(name, name, kind) for name, kind in kinds.items()]
    blocks: list[Block] = []
    with connection.cursor() as cursor:
        read_query(cursor, query, columns, blocks.append, params=values)
    return together(blocks, columns)


def read_facts(query: str, values: Mapping[str, Any], kinds: Mapping[str, str]) -> Columns:
    """The same in no order, for less: for the many rows of facts."""
    with connection.cursor() as cursor:
        return read_whole(cursor, query, [Column(name, name, kind) for name, kind in kinds.items()], params=values)


def write_rows(table: str, kinds: Mapping[str, str], columns: Columns, json: tuple[str, Sequence[bytes]] | None = None) -> None:
    """The columns that `kinds` names, and one of JSON texts, as rows of a table."""
    count = len(next(iter(columns.values())))
    with connection.cursor() as cursor:
        for start in range(0, count, ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            block = {name: columns[name][some] for name in kinds}
            write_block(cursor, table, kinds, block, (json[0], json[1][some]) if json else None)


def align(customers: Ints, found: Columns) -> Columns:
    """The rows of `found`, keyed by its column "customer", in the order of `customers` (sorted); zeros where there is none."""
    key = found["customer"]
    at = np.searchsorted(customers, key)
    known = np.flatnonzero(customers[np.minimum(at, len(customers) - 1)] == key) if len(customers) else at[:0]
    aligned: Columns = {}
    for name, column in found.items():
        if name != "customer":
            aligned[name] = np.zeros(len(customers), dtype=column.dtype)
            aligned[name][at[known]] = column[known]
    return aligned
