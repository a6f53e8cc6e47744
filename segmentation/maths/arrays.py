"""Names for the arrays that the maths takes and gives."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


def weighted_sum(weights: Floats, values: Floats) -> float:
    """Σ weights × values without BLAS, whose threads cost more than they bring on vectors of this length."""
    return float(np.einsum("i,i->", weights, values))


def tally(place: Ints, weight: Floats, size: int) -> Floats:
    """Σ weight per place, shape (size,)."""
    return np.asarray(np.bincount(place, weights=weight, minlength=size), dtype=np.float64)
