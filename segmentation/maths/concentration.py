"""How concentrated value is: who brings how much of it. Values in, of shape (n,), in any order; NaN and infinity are refused.

Shares are of the positive value where customers who cost money would make a share meaningless; each function says which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats

CHART_POINTS = 200
TOP_SHARE = 0.20
CORE_SHARE = 0.80
ABC_SHARES = (0.80, 0.95)
_ROUNDING = 1e-12  # relative: a sum that misses a share by less has reached it


@dataclass(frozen=True)
class Curve:
    """Points to draw: `customers` and `value` are shares, both from 0; shape (k,), k <= CHART_POINTS after `thinned`."""

    customers: Floats
    value: Floats

    def thinned(self, points: int = CHART_POINTS) -> Curve:
        """At most so many points, evenly spread over the customers, with both ends, the highest and the lowest kept."""
        count = len(self.customers)
        if count <= points:
            return self
        if points < 4:
            raise ValueError("a curve needs room for its ends, its highest and its lowest point")
        spread = np.linspace(0, count - 1, points - 2).round().astype(np.int64)
        kept = np.unique(np.concatenate((spread, [int(self.value.argmax()), int(self.value.argmin())])))
        return Curve(self.customers[kept], self.value[kept])


@dataclass(frozen=True)
class Whale:
    """Cumulative profit, most profitable customer first, as shares of the total profit.

    Where the total is not positive they are shares of the positive profit (`is_of_total` is False). `peak` is the highest share,
    reached after `peak_customers` (a share) of the customers; `erosion` is what is lost again after it.
    """

    curve: Curve
    peak: float
    peak_customers: float
    erosion: float
    is_of_total: bool


@dataclass(frozen=True)
class Concentration:
    """Shares are of the positive value, 0 without any. `gini` is None where it is undefined: nobody, a negative value, only zeros."""

    customers: int
    positive: int  # customers
    negative: int  # customers
    total: float
    positive_total: float
    gini: float | None
    top_20_share: float
    core_customers: int  # smallest number that brings 80 %
    core_share: float  # of all customers
    hhi: float
    top_1_share: float


@dataclass(frozen=True)
class SmallestSet:
    """The smallest number of customers that reaches a share of the positive value, and the value of the last of them (inf: no such set)."""

    count: int
    edge: float


def concentration(value: Floats) -> Concentration:
    """All measures at once."""
    ordered = _descending(value)
    core = _smallest_set(ordered, CORE_SHARE)
    return Concentration(
        customers=len(ordered),
        positive=int((ordered > 0).sum()),
        negative=int((ordered < 0).sum()),
        total=math.fsum(ordered),
        positive_total=math.fsum(ordered[ordered > 0]),
        gini=gini(ordered),
        top_20_share=top_share(ordered, TOP_SHARE),
        core_customers=core.count,
        core_share=core.count / len(ordered) if len(ordered) else 0.0,
        hhi=hhi(ordered),
        top_1_share=_share_of_first(ordered, 1),
    )


def smallest_set(value: Floats, share: float) -> SmallestSet:
    """The smallest set of customers that brings `share` of the positive value. Several customers may stand at its edge with one value."""
    if not 0 < share <= 1:
        raise ValueError("a share lies above 0 and at most at 1")
    return _smallest_set(_descending(value), share)


def lorenz(value: Floats) -> Curve:
    """Smallest first: the share of value that each share of customers brings, from (0, 0) to (1, 1).

    ValueError with a negative value, or where all are zero: there is no such curve then; `whale` has one.
    """
    ordered = _descending(value)[::-1]
    total = ordered.sum()
    if not len(ordered) or ordered[0] < 0 or total <= 0:
        raise ValueError("a Lorenz curve needs values that are not negative, and one that is not zero")
    return Curve(np.linspace(0, 1, len(ordered) + 1), _from_zero(np.cumsum(ordered) / total))


def gini(value: Floats) -> float | None:
    """0 where all are equal, 1 − 1/n where one has all; None where it is undefined: nobody, a negative value, only zeros."""
    ordered = _descending(value)[::-1]
    count = len(ordered)
    if not count or ordered[0] < 0 or ordered[-1] <= 0:
        return None
    scaled = ordered / ordered[-1]  # neither overflow nor underflow of the sums
    ranks = np.arange(1, count + 1)
    return max(0.0, float((2 * ranks - count - 1) @ scaled / (count * scaled.sum())))


def top_share(value: Floats, customers: float = TOP_SHARE) -> float:
    """Share of the positive value that the most valuable `customers` (a share; rounded up to whole ones) bring."""
    ordered = _descending(value)
    return _share_of_first(ordered, math.ceil(customers * len(ordered) - 1e-9))


def hhi(value: Floats) -> float:
    """Herfindahl–Hirschman index of the positive values: 1/n where n are equal, 1 where one has all, 0 without any."""
    positive = value[value > 0]
    if not len(positive):
        return 0.0
    scaled = positive / positive.max()
    return float((scaled**2).sum() / scaled.sum() ** 2)


def whale(profit: Floats) -> Whale:
    """The whale curve of profit, which may be negative; ValueError without customers."""
    ordered = _descending(profit)
    if not len(ordered):
        raise ValueError("a whale curve needs a customer")
    total, positive = float(ordered.sum()), float(ordered[ordered > 0].sum())
    scale = (total if total > 0 else positive) or 1.0
    curve = Curve(np.linspace(0, 1, len(ordered) + 1), _from_zero(np.cumsum(ordered) / scale))
    highest = int(curve.value.argmax())
    peak = float(curve.value[highest])
    return Whale(curve, peak, float(curve.customers[highest]), peak - float(curve.value[-1]), is_of_total=total > 0)


def abc_classes(value: Floats, shares: tuple[float, float] = ABC_SHARES) -> NDArray[np.int8]:
    """1 (A), 2 (B), 3 (C), shape (n,): A is the smallest set reaching 80 % of the positive value, A with B reach 95 %.

    Equal values are in one class, the better one; what brings nothing is C.
    """
    ordered = _descending(value)
    classes = np.full(len(value), 3, np.int8)
    for code, share in ((2, shares[1]), (1, shares[0])):
        classes[value >= _smallest_set(ordered, share).edge] = code
    return classes


def _smallest_set(ordered: Floats, share: float) -> SmallestSet:
    positive = ordered[: np.searchsorted(-ordered, 0.0)]
    if not len(positive):
        return SmallestSet(0, math.inf)
    sums = np.cumsum(positive)
    count = min(int(np.searchsorted(sums, share * sums[-1] * (1 - _ROUNDING))) + 1, len(positive))
    return SmallestSet(count, float(positive[count - 1]))


def _share_of_first(ordered: Floats, count: int) -> float:
    positive = ordered[ordered > 0]
    return float(positive[:count].sum() / positive.sum()) if len(positive) else 0.0


def _descending(value: Floats) -> Floats:
    if not np.isfinite(value).all():
        raise ValueError("a value is not a finite number")
    return np.sort(value.astype(np.float64, copy=False))[::-1]


def _from_zero(sums: Floats) -> Floats:
    return np.concatenate(([0.0], sums))
