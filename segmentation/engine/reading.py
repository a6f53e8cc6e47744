"""Facts from PostgreSQL as columns of numbers, one row per customer or per fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.db import connection

from segmentation.engine.copying import Block, Column, read_query, together
from segmentation.engine.packing import Columns
from segmentation.maths.arrays import Ints


def read(query: str, values: Mapping[str, Any], kinds: Mapping[str, str]) -> Columns:
    """The columns of a query by name; `kinds` says of each, in the query's order, whether it is int8, int4, date or float8."""
    columns = [Column(name, name, kind) for name, kind in kinds.items()]
    blocks: list[Block] = []
    with connection.cursor() as cursor:
        read_query(cursor, query, columns, blocks.append, params=values)
    return together(blocks, columns)


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
