"""The product-limit estimate of survival, with no model behind it: the curve that every contract model must lie on.

Source: Kaplan & Meier (1958); variance after Greenwood, interval on the scale log(−log S), which keeps it inside 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from segmentation.maths.arrays import Flags, Floats


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Steps at each time when somebody was lost or left observation, first of all 0; arrays of one length.

    `low` and `high` hold the interval of `level`. Before the first loss it has no width, since the method has no variance there; where
    nobody is left it is that of the step before, down to 0. Never NaN.
    """

    times: Floats
    at_risk: Floats
    lost: Floats
    survival: Floats
    low: Floats
    high: Floats
    level: float

    def at(self, times: ArrayLike) -> Floats:
        """S at any times >= 0; after the last observation the last value stands, which promises more than was seen."""
        return np.asarray(self.survival[np.maximum(np.searchsorted(self.times, np.asarray(times, dtype=float), side="right") - 1, 0)])


@dataclass(frozen=True)
class Agreement:
    """How a model's survival lies on the curve: the largest distance, where, and the times at which it leaves the interval."""

    largest_gap: float
    at: int
    outside: tuple[int, ...]

    @property
    def holds(self) -> bool:
        return not self.outside


def kaplan_meier(
    durations: ArrayLike,
    lost: ArrayLike,
    weights: ArrayLike | None = None,
    entered: ArrayLike | None = None,
    *,
    level: float = 0.95,
) -> SurvivalCurve:
    """S(t) of durations, shape (n,), in any unit; `lost` is False where observation ended first. Order does not matter.

    `weights` stand for several equal rows; `entered` is when a row came under observation (left truncation), before its duration.
    Losses come before the censoring of the same time. ValueError for negative or unknown numbers and lengths that differ.
    """
    duration, is_lost, weight, start = _checked(durations, lost, weights, entered)
    if not 0 < level < 1:
        raise ValueError("the level of an interval lies between 0 and 1")
    times, place = np.unique(np.concatenate([[0.0], duration]), return_inverse=True)
    index = place[1:]
    losses = np.bincount(index[is_lost], weight[is_lost], len(times)).astype(float)
    leaving = np.bincount(index, weight, len(times))
    # At risk at a time: who entered before it (at 0: at once) and has not left before it.
    entering = np.bincount(np.searchsorted(times, start, side="right") * (start > 0), weight, len(times) + 1)[: len(times)]
    at_risk = np.maximum(np.cumsum(entering) - (np.cumsum(leaving) - leaving), 0.0).astype(float)
    share = np.divide(losses, at_risk, out=np.zeros_like(losses), where=at_risk > 0)
    survival = np.cumprod(np.clip(1.0 - share, 0.0, 1.0))
    low, high = _interval(losses, at_risk, survival, level)
    return SurvivalCurve(times, at_risk, losses, survival, low, high, level)


def agreement(curve: SurvivalCurve, model: Floats) -> Agreement:
    """A curve of whole periods against a model's S(0), S(1) …, at the times where the interval has a width and the model reaches."""
    told = (curve.times < len(model)) & (curve.high > curve.low)
    times = curve.times[told].astype(np.int64)
    if not len(times):
        return Agreement(0.0, 0, ())
    gaps = np.abs(model[times] - curve.survival[told])
    is_out = (model[times] < curve.low[told]) | (model[times] > curve.high[told])
    worst = int(np.argmax(gaps))
    return Agreement(float(gaps[worst]), int(times[worst]), tuple(times[is_out].tolist()))


def _checked(
    durations: ArrayLike, lost: ArrayLike, weights: ArrayLike | None, entered: ArrayLike | None
) -> tuple[Floats, Flags, Floats, Floats]:
    duration, is_lost = np.asarray(durations, dtype=float), np.asarray(lost, dtype=bool)
    weight = np.ones(duration.shape) if weights is None else np.asarray(weights, dtype=float)
    start = np.zeros(duration.shape) if entered is None else np.asarray(entered, dtype=float)
    if duration.ndim != 1 or not duration.shape == is_lost.shape == weight.shape == start.shape:
        raise ValueError("durations, lost, weights and entered must have one and the same length")
    for numbers, name in ((duration, "durations"), (weight, "weights"), (start, "entered")):
        if not np.all(np.isfinite(numbers)) or np.any(numbers < 0):
            raise ValueError(f"{name} must be numbers that are not negative")
    if np.any((start >= duration) & (start > 0)):
        raise ValueError("a row must come under observation before its duration ends")
    return duration, is_lost, weight, start


def _interval(losses: Floats, at_risk: Floats, survival: Floats, level: float) -> tuple[Floats, Floats]:
    remaining = at_risk * (at_risk - losses)
    greenwood = np.cumsum(np.divide(losses, remaining, out=np.zeros_like(losses), where=remaining > 0))
    inside = (survival > 0) & (survival < 1)
    log_s = np.log(np.where(inside, survival, 0.5))
    width = ndtri((1 + level) / 2) * np.sqrt(greenwood) / np.abs(log_s)
    low = np.where(inside, np.exp(log_s * np.exp(width)), survival)
    high = np.where(inside, np.exp(log_s * np.exp(-width)), survival)
    gone = survival <= 0
    if gone.any():
        first = int(np.argmax(gone))
        high[first:] = high[first - 1] if first else 1.0
    return low, high
