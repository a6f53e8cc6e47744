"""Nodes and weights of Gauss's rules, for integrals whose closed forms overflow or cancel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import eigh_tridiagonal

from segmentation.maths.arrays import Floats

FEWEST, MOST = 6, 200
_DIGITS = 32.0  # natural logarithm of the accuracy wanted, 1e-14


@lru_cache(maxsize=8)
def unit_interval(nodes: int) -> tuple[Floats, Floats]:
    """Gauss–Legendre on [0, 1]: nodes and weights, each of shape (nodes,)."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return (points + 1) / 2, weights / 2


@lru_cache(maxsize=4096)
def beta_nodes(a: float, b: float, nodes: int) -> tuple[Floats, Floats]:
    """Nodes p and weights w of shape (nodes,) such that E f(p), p ~ Beta(a, b), is Σ w f(p) for smooth f.

    Golub & Welsch (1969) on the recurrence of Jacobi's polynomials, normalised to a probability: nothing overflows, whatever a and b.
    """
    shift, sums = b - a, a + b - 2  # exponents of (1 - t) and (1 + t) on [-1, 1] are b - 1 and a - 1
    k = np.arange(1, nodes, dtype=np.float64)
    inner = (a - 1) ** 2 - (b - 1) ** 2
    diagonal = np.empty(nodes)
    diagonal[0] = -shift / (sums + 2)
    diagonal[1:] = inner / ((2 * k + sums) * (2 * k + sums + 2))
    squares = np.empty(nodes - 1)
    squares[0] = 4 * a * b / ((sums + 2) ** 2 * (sums + 3))
    m = k[1:]
    squares[1:] = 4 * m * (m + a - 1) * (m + b - 1) * (m + sums) / ((2 * m + sums) ** 2 * (2 * m + sums + 1) * (2 * m + sums - 1))
    points, vectors = eigh_tridiagonal(diagonal, np.sqrt(squares))
    return np.clip((points + 1) / 2, 0.0, 1.0), vectors[0] ** 2


def nodes_for(singularity: float) -> int:
    """How many nodes give about 1e-14 on [0, 1] for a function whose nearest singular point is at -singularity (> 0).

    The error falls as rho^-2n, rho the sum of half axes of the ellipse through that point. Capped at MOST.
    """
    reach = 1 + 2 * max(singularity, 1e-12)
    rho = reach + np.sqrt(reach * reach - 1)
    return int(np.clip(np.ceil(_DIGITS / (2 * np.log(rho))), FEWEST, MOST))
