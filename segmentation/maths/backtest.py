"""How good a forecast was: predicted against actual, customer by customer and in total, and beside forecasts that need no model.

`predicted` and `actual` have shape (n,), one entry per customer, in one unit (orders, or margin) over one period.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats, Ints, tally
from segmentation.maths.concentration import TOP_SHARE

DECILES = 10
NOTABLE = 0.01  # relative: a difference that is smaller is a draw
MOST_EXPECTED = 7  # the last row of the table of expected against actual collects the rest


@dataclass(frozen=True)
class Metrics:
    """None where a measure is undefined: no customers, nothing actual, all alike."""

    customers: int
    predicted_total: float
    actual_total: float
    total_error: float | None  # (predicted − actual) ÷ |actual|
    mae: float | None
    rmse: float | None
    spearman: float | None
    gini: float | None  # normalised: 1 for the order of the actual values
    top_20_capture: float | None  # actual value of the predicted top 20 % ÷ that of the actual top 20 %


@dataclass(frozen=True)
class Calibration:
    """Groups of customers by rising forecast, shape (k,), k <= the groups asked for; customers of equal forecasts are in one group."""

    customers: Ints
    predicted: Floats  # mean
    actual: Floats  # mean
    lift: Floats  # mean actual ÷ mean actual of all; NaN where that is not positive


@dataclass(frozen=True)
class ExpectedActual:
    """Mean forecast by the number that really came (Fader, Hardie & Lee 2005): 0, 1, 2 …, the last row and more. NaN in an empty row."""

    actual: Ints
    customers: Ints
    predicted: Floats
    mean_actual: Floats


@dataclass(frozen=True)
class Verdict:
    """Per measure 'model', 'baseline' or 'draw' (also where it is undefined for one of them)."""

    better: dict[str, str]
    use_baseline: bool


def metrics(predicted: Floats, actual: Floats) -> Metrics:
    """All measures at once. ValueError for shapes that differ and values that are not finite."""
    _check(predicted, actual)
    count, error = len(actual), predicted - actual
    total, wanted = float(predicted.sum()), float(actual.sum())
    return Metrics(
        customers=count,
        predicted_total=total,
        actual_total=wanted,
        total_error=(total - wanted) / abs(wanted) if wanted else None,
        mae=float(np.abs(error).mean()) if count else None,
        rmse=float(np.sqrt((error**2).mean())) if count else None,
        spearman=spearman(predicted, actual),
        gini=normalised_gini(predicted, actual),
        top_20_capture=top_capture(predicted, actual),
    )


def spearman(predicted: Floats, actual: Floats) -> float | None:
    """Correlation of ranks, ties at their mean rank; None where one side is all alike."""
    if len(actual) < 2:
        return None
    first, second = mean_ranks(predicted), mean_ranks(actual)
    first, second = first - first.mean(), second - second.mean()
    scale = math.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return float((first * second).sum()) / scale if scale else None


def normalised_gini(predicted: Floats, actual: Floats) -> float | None:
    """Area between the diagonal and the curve of actual value by falling forecast, ÷ the same by falling actual value.

    Customers of equal forecasts share their actual value evenly, so that the order of the rows does not matter. None where the
    actual total is not positive or all are alike (Wang, Liu & Miao 2019).
    """
    total = float(actual.sum())
    if len(actual) < 2 or total <= 0:
        return None
    best = _ordered_area(actual, actual)
    return _ordered_area(predicted, actual) / best if best > 1e-12 * total else None


def top_capture(predicted: Floats, actual: Floats, share: float = TOP_SHARE) -> float | None:
    """Actual value of those forecast to be the top `share` ÷ that of the real top; None where the latter is not positive.

    Customers with the forecast at the edge count with the share of them that fits, each alike.
    """
    count = math.ceil(share * len(actual) - 1e-9)
    if not count:
        return None
    best = float(np.sort(actual)[::-1][:count].sum())
    if best <= 0:
        return None
    edge = np.partition(predicted, len(predicted) - count)[len(predicted) - count]
    above, at = predicted > edge, predicted == edge
    room = (count - int(above.sum())) / int(at.sum())
    return (float(actual[above].sum()) + room * float(actual[at].sum())) / best


def calibration(predicted: Floats, actual: Floats, groups: int = DECILES) -> Calibration:
    """Deciles of the forecast: does what was forecast come? A tie across a border belongs to the group of its lowest rank."""
    _check(predicted, actual)
    if not len(actual):
        none = np.empty(0)
        return Calibration(np.empty(0, np.int64), none, none, none)
    ordered = np.sort(predicted)
    group = np.searchsorted(ordered, predicted) * groups // len(ordered)
    customers = np.bincount(group, minlength=groups)
    some = customers > 0
    sums = [np.bincount(group, weights=value, minlength=groups)[some] / customers[some] for value in (predicted, actual)]
    mean = float(actual.mean())
    lift = sums[1] / mean if mean > 0 else np.full(len(sums[1]), math.nan)
    return Calibration(customers[some], sums[0], sums[1], lift)


def expected_against_actual(predicted: Floats, actual: Floats, most: int = MOST_EXPECTED) -> ExpectedActual:
    """For counts of orders: whole numbers >= 0 in `actual`, else ValueError."""
    _check(predicted, actual)
    if (actual < 0).any() or (actual != np.floor(actual)).any():
        raise ValueError("the table needs counts of orders")
    row = np.minimum(actual, most).astype(np.int64)
    customers = np.bincount(row, minlength=most + 1)
    means = [_means(row, value, customers) for value in (predicted, actual)]
    return ExpectedActual(np.arange(most + 1), customers, means[0], means[1])


def interval_coverage(low: Floats, high: Floats, actual: Floats) -> float | None:
    """Share of the customers whose actual value lies in their interval, ends included; None without customers."""
    _check(low, actual)
    _check(high, actual)
    if (low > high).any():
        raise ValueError("an interval ends before it begins")
    return float(((low <= actual) & (actual <= high)).mean()) if len(actual) else None


def last_period_repeated(last: Floats) -> Floats:
    """Baseline: each customer brings again what the last period of the same length brought."""
    return last.copy()


def mean_times_retention(earlier: Floats, last: Floats) -> Floats:
    """Baseline: every customer who was active last brings the mean of the active ones × the share that stayed from the period before.

    Others bring 0. Without anybody active before, retention is taken as 1, since nothing was seen of it.
    """
    was_active, is_active = earlier > 0, last > 0
    if not is_active.any():
        return np.zeros(len(last))
    retention = float((was_active & is_active).sum() / was_active.sum()) if was_active.any() else 1.0
    return np.where(is_active, float(last[is_active].mean()) * retention, 0.0)


def rank_by_margin(past: Floats, expected_total: float) -> Floats:
    """Baseline: the naive rank by past margin, scaled to a total; those who brought nothing or cost money get 0.

    Without any positive margin the total is spread evenly.
    """
    positive = np.maximum(past, 0.0)
    total = float(positive.sum())
    return positive * (expected_total / total) if total > 0 else np.full(len(past), expected_total / max(len(past), 1))


def verdict(model: Metrics, baseline: Metrics) -> Verdict:
    """Who was better, measure by measure, and whether the engine should go by the baseline.

    A difference of less than 1 % of the larger figure is a draw. The engine uses the baseline where that is better at RMSE and not
    worse at MAE and in the total, or better at more of the six measures than the model: a model has to earn its place, but is not
    given up for ranking alone, at which counting is hard to beat.
    """
    better = {name: _better(name, getattr(model, name), getattr(baseline, name)) for name in MEASURES}
    errors = [better[name] for name in ("rmse", "mae", "total_error")]
    is_closer = errors[0] == "baseline" and "model" not in errors
    wins = list(better.values())
    return Verdict(better, is_closer or wins.count("baseline") > wins.count("model"))


MEASURES = tuple(field.name for field in fields(Metrics) if field.name not in ("customers", "predicted_total", "actual_total"))
_SMALLER_IS_BETTER = frozenset({"total_error", "mae", "rmse"})


def mean_ranks(value: Floats) -> Floats:
    """Ranks from 0, equal values at the mean of theirs."""
    ordered = np.sort(value)
    below, up_to = (np.searchsorted(ordered, value, side=side) for side in ("left", "right"))
    return (below + up_to - 1).astype(np.float64) / 2


def _better(name: str, model: float | None, baseline: float | None) -> str:
    if model is None or baseline is None:
        return "draw"
    if name in _SMALLER_IS_BETTER:
        model, baseline = -abs(model), -abs(baseline)
    if abs(model - baseline) <= NOTABLE * max(abs(model), abs(baseline)):
        return "draw"
    return "model" if model > baseline else "baseline"


def _ordered_area(by: Floats, actual: Floats) -> float:
    """Σ of the cumulative actual value over rising rank of `by`, less the diagonal's; equal `by` at their mean rank."""
    ranks = mean_ranks(by)
    return float(((ranks - ranks.mean()) * actual).sum()) / len(actual)


def _means(row: NDArray[np.int64], value: Floats, customers: Ints) -> Floats:
    sums = tally(row, value, len(customers))
    means: Floats = np.divide(sums, customers, out=np.full(len(customers), math.nan), where=customers > 0)
    return means


def _check(predicted: Floats, actual: Floats) -> None:
    if predicted.shape != actual.shape or actual.ndim != 1:
        raise ValueError("forecasts and actual values must be arrays of one length")
    if not np.isfinite(predicted).all() or not np.isfinite(actual).all():
        raise ValueError("a value is not a finite number")
