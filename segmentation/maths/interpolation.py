"""A smooth function at very many points, from its values at a few."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

from segmentation.maths.arrays import Floats

_PRECISION = 30.0  # e^-30: what is left out is beyond the 13th digit


def interpolated(f: Callable[[Floats], Floats], points: Floats, *, strip: float) -> Floats:
    """f(points), shape (n,), by Chebyshev's polynomial where its nodes are fewer than the points, else f itself.

    `f` must be analytic, and bounded by the size of its real values, where the imaginary part is below `strip`. The error then
    falls as e^(-nodes · asinh(2 · strip / length)). Trefethen, Approximation Theory and Approximation Practice, theorem 8.2.
    """
    middle, half = float(points.max() + points.min()) / 2, float(points.max() - points.min()) / 2
    if half < 1e-12:
        return np.full(len(points), f(points[:1])[0])
    nodes = int(_PRECISION / np.arcsinh(strip / half)) + 4
    if nodes >= len(points):
        return f(points)
    polynomial = chebyshev.Chebyshev.interpolate(lambda at: f(middle + half * at), nodes - 1)
    return np.asarray(polynomial((points - middle) / half), dtype=np.float64)
