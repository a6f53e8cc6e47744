"""Columns of numbers as bytes and back: how one stage of a run hands a range of customers to the next.

A line of JSON names each column with its type and length; their bytes follow, one column after the other.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Columns: TypeAlias = dict[str, npt.NDArray[Any]]


def pack(columns: Columns) -> bytes:
    arrays = {name: np.ascontiguousarray(values) for name, values in columns.items()}
    head = [(name, array.dtype.str, len(array)) for name, array in arrays.items()]
    return b"".join([json.dumps(head).encode(), b"\n", *(array.data for array in arrays.values())])


def unpack(packed: bytes | memoryview, only: tuple[str, ...] = ()) -> Columns:
    """The columns, or those named in `only`, in that order; the arrays are writable copies."""
    packed = memoryview(packed)
    end = bytes(packed[:HEAD]).index(b"\n")
    found, at = {}, end + 1
    for name, kind, length in json.loads(bytes(packed[:end])):
        dtype = np.dtype(kind)
        if not only or name in only:
            found[name] = np.frombuffer(packed, dtype, length, at).copy()
        at += dtype.itemsize * length
    return {name: found[name] for name in only} if only else found


HEAD = 1 << 16  # bytes within which the line of names ends
