"""Columns of numbers as bytes and back: how one stage of a run hands a range of customers to the next.

The format is numpy's own (NEP 1), one array after the other behind a line of names; nothing in it is executed when read.
"""

from __future__ import annotations

import io
import json
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Columns: TypeAlias = dict[str, npt.NDArray[Any]]


def pack(columns: Columns) -> bytes:
    stream = io.BytesIO()
    stream.write(json.dumps(list(columns)).encode() + b"\n")
    for values in columns.values():
        np.lib.format.write_array(stream, np.ascontiguousarray(values), allow_pickle=False)
    return stream.getvalue()


def unpack(packed: bytes | memoryview, only: tuple[str, ...] = ()) -> Columns:
    """The columns, or those named in `only`; the arrays are writable copies."""
    stream = io.BytesIO(packed)
    names = json.loads(stream.readline())
    found = {name: np.lib.format.read_array(stream, allow_pickle=False) for name in names}
    return {name: found[name] for name in only} if only else found
