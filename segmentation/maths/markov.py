"""How customers move between tiers: the migration matrix of two or more runs, what it says of later ones, and whether it holds still.

Source: Pfeifer & Carraway (2000), Modeling customer relationships as Markov chains, J. Interactive Marketing 14(2); the test of
stationarity after Anderson & Goodman (1957).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from segmentation.maths.arrays import Flags, Floats, Ints

NEW, LOST = "new", "lost"
ABSENT = -1  # code of a customer who was not there (before: new; after: lost)
THIN = 5  # counts below are shown as such
SMOOTHING = 0.5  # Dirichlet prior per cell, Jeffreys'


@dataclass(frozen=True, eq=False)
class Migration:
    """`counts` and `probabilities` from states (rows) to states (columns), shape (k + 2, k + 2): the tiers, then new, then lost.

    Nobody moves to new. Lost stays lost unless the customers lost before were part of the input and some came back.
    """

    states: tuple[str, ...]
    counts: Ints
    probabilities: Floats

    @property
    def thin(self) -> Flags:
        """Cells that fewer than THIN customers stand behind."""
        return self.counts < THIN

    @property
    def living(self) -> Floats:
        """The part between tiers and lost, shape (k + 1, k + 1): what steps and values are computed with."""
        keep = [i for i, state in enumerate(self.states) if state != NEW]
        return self.probabilities[np.ix_(keep, keep)]


@dataclass(frozen=True)
class Stationarity:
    """Chi-squared test that the matrices of several steps are one. `is_reliable` is False where expected counts are thin."""

    statistic: float
    degrees: int
    p_value: float
    is_reliable: bool


def migration(before: ArrayLike, after: ArrayLike, tiers: Sequence[str], *, smoothing: float = SMOOTHING) -> Migration:
    """Moves of customers between two runs: tier codes 0 … k − 1 of each, shape (n,), k for one lost earlier, ABSENT for one not there.

    Rows are smoothed by `smoothing` customers per cell that can be reached. A row that nobody stands behind is the prior alone
    (even chances); that of lost is then "stays lost".
    """
    k = len(tiers)
    start, end = _codes(before, k), _codes(after, k)
    if start.shape != end.shape or start.ndim != 1:
        raise ValueError("before and after must have one and the same length")
    if smoothing < 0:
        raise ValueError("smoothing is not negative")
    row = np.where(start == ABSENT, k, np.where(start == k, k + 1, start))
    column = np.where((end == ABSENT) | (end == k), k + 1, end)
    seen = ~((start == ABSENT) & (column == k + 1))  # never there: no move
    counts = np.bincount(row[seen] * (k + 2) + column[seen], minlength=(k + 2) ** 2).reshape(k + 2, k + 2).astype(np.int64)
    return Migration((*tiers, NEW, LOST), counts, _smoothed(counts, k, smoothing))


def _codes(values: ArrayLike, k: int) -> Ints:
    codes = np.asarray(values, dtype=np.int64)
    if np.any((codes < ABSENT) | (codes > k)):
        raise ValueError(f"codes are {ABSENT} (not there), 0 to {k - 1} (tiers) or {k} (lost)")
    return codes


def _smoothed(counts: Ints, k: int, smoothing: float) -> Floats:
    reachable = np.ones(counts.shape)
    reachable[:, k] = 0.0  # nobody becomes new
    reachable[k, k + 1] = 0.0  # who is new is there
    if not counts[k + 1].any():
        reachable[k + 1, :-1] = 0.0
    weights = counts + smoothing * reachable
    empty = weights.sum(axis=1) <= 0
    weights[empty] = reachable[empty]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def after_steps(probabilities: ArrayLike, steps: int) -> Floats:
    """Chances to be in each state `steps` runs later, P^steps."""
    if steps < 0:
        raise ValueError("steps are not negative")
    return np.linalg.matrix_power(_stochastic(probabilities), steps)


def value_by_state(probabilities: ArrayLike, reward: ArrayLike, discount: float) -> Floats:
    """V = (I − P / (1 + d))^−1 R: expected discounted reward of a customer by its state now, without end, shape (k,).

    `reward` is the margin of one step in each state, counted at its beginning, so the current step's is part of V. `discount` > 0 per step.
    """
    matrix, gain = _stochastic(probabilities), np.asarray(reward, dtype=float)
    if gain.shape != matrix.shape[:1] or discount <= 0:
        raise ValueError("a reward per state and a discount rate above 0 are needed")
    return np.asarray(np.linalg.solve(np.eye(len(gain)) - matrix / (1 + discount), gain))


def value_over(probabilities: ArrayLike, reward: ArrayLike, discount: float, steps: int) -> Floats:
    """The same over the first `steps` steps only, the current one included."""
    matrix, gain = _stochastic(probabilities), np.asarray(reward, dtype=float)
    value = np.zeros_like(gain)
    for _ in range(steps):
        value = gain + matrix @ value / (1 + discount)
    return value


def _stochastic(probabilities: ArrayLike) -> Floats:
    matrix = np.asarray(probabilities, dtype=float)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or np.any(matrix < 0) or np.any(np.abs(matrix.sum(axis=1) - 1) > 1e-9):
        raise ValueError("a transition matrix is square, not negative, and its rows add up to 1")
    return matrix


def stationarity(counts: ArrayLike) -> Stationarity:
    """Whether moves of several steps, counts of shape (steps, k, k), come from one matrix. Rows and cells that never occur are left out.

    Σ n_i(t) (p_ij(t) − p_ij)² / p_ij, chi-squared with Σ_i (steps with anybody in i − 1) (states reached from i − 1) degrees.
    """
    moves = np.asarray(counts, dtype=float)
    if moves.ndim != 3 or moves.shape[1] != moves.shape[2] or np.any(moves < 0):
        raise ValueError("counts have the shape (steps, states, states) and are not negative")
    pooled = moves.sum(axis=0)
    row = pooled.sum(axis=1, keepdims=True)
    share = np.divide(pooled, row, out=np.zeros_like(pooled), where=row > 0)
    expected = moves.sum(axis=2, keepdims=True) * share
    real = expected > 0
    statistic = float(np.sum((moves[real] - expected[real]) ** 2 / expected[real]))
    steps, reached = (moves.sum(axis=2) > 0).sum(axis=0), (pooled > 0).sum(axis=1)
    degrees = int(np.sum(np.maximum(steps - 1, 0) * np.maximum(reached - 1, 0)))
    p_value = float(chi2.sf(statistic, degrees)) if degrees else 1.0
    return Stationarity(statistic, degrees, p_value, bool(degrees) and not np.any(expected[real] < THIN))
