"""Arrays for the properties of the maths."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats

Lines = tuple[NDArray[np.int32], NDArray[np.int32], Floats]

CUSTOMERS = 6
# Whole numbers, few of them: ties, zeros and negatives are common, and sums are exact.
whole_values = st.lists(st.integers(-20, 60).map(float), max_size=40).map(lambda values: np.array(values, np.float64))
whole_profits = whole_values.filter(lambda values: len(values) > 0)
not_negative = st.lists(st.integers(0, 60).map(float), min_size=1, max_size=40).map(lambda values: np.array(values, np.float64))

_line = st.tuples(st.integers(0, CUSTOMERS - 1), st.integers(-3, 12), st.integers(-50, 50))
lines = st.lists(_line, max_size=60).map(
    lambda rows: (
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.array([row[2] for row in rows], np.float64),
    )
)
