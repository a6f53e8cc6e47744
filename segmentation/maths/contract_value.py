"""What running contracts will still bring: margin of the paid-up term for certain, then of each further term as far as it is renewed.

Time is counted in payment periods (usually months) from now. A contract pays at the periods 1, 2 … of its horizon. The first
`left` payments belong to the running term and come for certain; then it faces a renewal every `term` payments, the next one being
its (passed + 1)-th. A contract ends once: its value is a discrete variable whose distribution is known exactly, so means,
variances and quantiles are computed and not simulated (what it passed is in them: S(n + m) / S(n) is the mean over the posterior of its
own chance, for the sBG a beta(alpha, beta + n)); only the parameters are drawn (`draws`), to carry their uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.renewal_forecast import drawn_log_survival, log_survival
from segmentation.maths.renewals import LONGEST_AGE, RenewalFit

LEVELS = (0.80, 0.95)
DRAWS = 200
LONGEST_HORIZON = 1_200  # payment periods: a hundred years of months
MOST_SUMMED = 1_000_000  # payments: reached at a discount rate near 0.00005 per period
_TAIL = 1e-12  # of a payment, where an endless sum is cut off


@dataclass(frozen=True, eq=False)
class Contracts:
    """Running contracts, each array of shape (n,)."""

    passed: Ints  # renewals passed, >= 0
    left: Ints  # payments of the running term still to come, >= 0; 0 means that the renewal is next
    term: Ints  # payments per term, >= 1
    margin: Floats  # per payment, may be negative

    @classmethod
    def of(cls, passed: ArrayLike, left: ArrayLike, term: ArrayLike, margin: ArrayLike) -> Contracts:
        """Checked: ValueError for lengths that differ, fractions of payments, and numbers outside the ranges above."""
        counts = [np.atleast_1d(np.asarray(values, dtype=float)) for values in (passed, left, term)]
        money = np.atleast_1d(np.asarray(margin, dtype=float))
        if any(one.shape != money.shape or one.ndim != 1 for one in counts):
            raise ValueError("passed, left, term and margin must have one and the same length")
        for one, lowest, highest in zip(counts, (0, 0, 1), (LONGEST_AGE, LONGEST_HORIZON, LONGEST_HORIZON), strict=True):
            if np.any(~np.isfinite(one) | (one != np.floor(one)) | (one < lowest) | (one > highest)):
                raise ValueError(f"renewals and payments are whole numbers, here from {lowest} to {highest}")
        if not np.all(np.isfinite(money)):
            raise ValueError("margin must be a number")
        renewals, remaining, length = (one.astype(np.int64) for one in counts)
        return cls(renewals, remaining, length, money)


@dataclass(frozen=True, eq=False)
class ContractValue:
    """Discounted margin within the horizon, shape (n,) each. `intervals[level]` is (low, high): what the contract itself will bring.

    `mean` uses the fitted parameters. The intervals and `deviation` count both the contract's own fate and the parameters' uncertainty.
    An interval is one of a discrete variable: it covers at least its level.
    """

    mean: Floats
    deviation: Floats
    intervals: dict[float, tuple[Floats, Floats]]


@dataclass(frozen=True)
class TotalValue:
    """Discounted margin of all the contracts together, with intervals by level."""

    mean: float
    deviation: float
    intervals: dict[float, tuple[float, float]]


def expected_value(
    fit: RenewalFit, contracts: Contracts, *, horizon: int, discount: float, growth: float = 0.0, in_advance: bool = False
) -> Floats:
    """Expected discounted margin of each contract over the next `horizon` payments, shape (n,).

    `discount` and `growth` of the margin are per payment period (`lifetime_value.rate_per_period` converts yearly ones). Payments
    come at the end of a period, or at its start with `in_advance`. Payment j counts margin · (1 + growth)^j.
    """
    kinds, back = _kinds(contracts, horizon)
    paid = _worth_by_end(kinds, horizon, _factors(horizon, discount, growth, in_advance))
    chance = _chances(log_survival(fit, _longest(kinds, horizon)), kinds)
    return np.asarray(contracts.margin * np.sum(np.diff(paid, axis=1, prepend=0.0) * chance, axis=1)[back])


def value_of(
    fit: RenewalFit,
    contracts: Contracts,
    *,
    horizon: int,
    discount: float,
    growth: float = 0.0,
    in_advance: bool = False,
    draws: int = DRAWS,
) -> ContractValue:
    """`expected_value` with intervals of each contract. Exact given the parameters, which are drawn `draws` times; deterministic."""
    mean = expected_value(fit, contracts, horizon=horizon, discount=discount, growth=growth, in_advance=in_advance)
    kinds, back = _kinds(contracts, horizon)
    paid = _worth_by_end(kinds, horizon, _factors(horizon, discount, growth, in_advance))
    # Mixing the draws' survival is mixing their distributions: a chance is linear in them.
    chance = np.zeros_like(paid)
    for log_curve in drawn_log_survival(fit, _longest(kinds, horizon), draws):
        chance += _chances(log_curve, kinds) / draws
    ends = -np.diff(chance, axis=1, append=0.0)
    first = np.sum(ends * paid, axis=1)
    spread = np.sqrt(np.maximum(np.sum(ends * paid**2, axis=1) - first**2, 0.0))
    below = np.cumsum(ends, axis=1)
    intervals = {}
    for level in LEVELS:
        low, high = (contracts.margin * _quantile(paid, below, q)[back] for q in ((1 - level) / 2, (1 + level) / 2))
        intervals[level] = np.minimum(low, high), np.maximum(low, high)  # a loss turns them round
    return ContractValue(mean, np.abs(contracts.margin) * spread[back], intervals)


def total_value(
    fit: RenewalFit,
    contracts: Contracts,
    *,
    horizon: int,
    discount: float,
    growth: float = 0.0,
    in_advance: bool = False,
    draws: int = DRAWS,
) -> TotalValue:
    """All contracts together. Given the parameters they end independently; the parameters move them all at once."""
    mean = expected_value(fit, contracts, horizon=horizon, discount=discount, growth=growth, in_advance=in_advance).sum()
    totals = draw_totals(fit, contracts, horizon=horizon, discount=discount, growth=growth, in_advance=in_advance, draws=draws)
    tails = {level: np.quantile(totals, [(1 - level) / 2, (1 + level) / 2]).tolist() for level in LEVELS}
    return TotalValue(float(mean), float(totals.std()), {level: (low, high) for level, (low, high) in tails.items()})


def draw_totals(
    fit: RenewalFit,
    contracts: Contracts,
    *,
    horizon: int,
    discount: float,
    growth: float = 0.0,
    in_advance: bool = False,
    draws: int = DRAWS,
    fates: int = 25,
) -> Floats:
    """Sums over all contracts, shape (draws · fates,): for each draw of the parameters a normal sum of the independent contracts.

    Mean and variance of the sum are exact; that it is normal is the central limit theorem, coarse below some 30 contracts. `fates`
    even quantiles of that normal stand for random numbers.
    """
    kinds, back = _kinds(contracts, horizon)
    paid = _worth_by_end(kinds, horizon, _factors(horizon, discount, growth, in_advance))
    margin = np.bincount(back, contracts.margin, len(kinds[0]))
    square = np.bincount(back, contracts.margin**2, len(kinds[0]))
    centre, spread = np.zeros(draws), np.zeros(draws)
    for k, log_curve in enumerate(drawn_log_survival(fit, _longest(kinds, horizon), draws)):
        ends = -np.diff(_chances(log_curve, kinds), axis=1, append=0.0)
        first = np.sum(ends * paid, axis=1)
        variance = np.maximum(np.sum(ends * paid**2, axis=1) - first**2, 0.0)
        centre[k], spread[k] = np.sum(first * margin), np.sqrt(np.sum(variance * square))
    normal = ndtri((np.arange(fates) + 0.5) / fates)
    return np.asarray(np.ravel(centre[:, None] + spread[:, None] * normal))


def discounted_lifetime(fit: RenewalFit, discount: float, periods: int | None = None) -> float:
    """DEL of either model: expected discounted payments of a new contract, the first one now included; over `periods`, or without end.

    One payment per renewal period; `discount` per period, > 0 where there is no end.
    """
    return discounted_residual_lifetime(fit, discount, renewal=0, periods=periods)


def discounted_residual_lifetime(fit: RenewalFit, discount: float, *, renewal: int, periods: int | None = None) -> float:
    """DERL of either model: payments from the `renewal`-th renewal on, that one included, seen just before it; `periods` of them, or all.

    `renewal` 0 is a new contract, whose first payment is certain.
    """
    if discount <= -1 or (periods is None and discount <= 0):
        raise ValueError("without an end the discount rate must be above 0")
    count = periods if periods is not None else int(np.ceil(np.log(_TAIL * discount / (1 + discount)) / -np.log1p(discount)))
    if renewal < 0 or not 0 <= count <= MOST_SUMMED:
        raise ValueError(f"a sum over 0 to {MOST_SUMMED:,} payments from a renewal on is computed, not more")
    start = max(renewal - 1, 0)
    logs = log_survival(fit, max(renewal + count - 1, 0))
    return float(np.sum(np.exp(logs[renewal : renewal + count] - logs[start]) * (1 + discount) ** -np.arange(count, dtype=float)))


Kinds = tuple[Ints, Ints, Ints]  # passed, left, term


def _kinds(contracts: Contracts, horizon: int) -> tuple[Kinds, Ints]:
    """The different kinds of contracts, and which kind each is: a hundred thousand contracts are a few thousand kinds."""
    if not 0 <= horizon <= LONGEST_HORIZON:
        raise ValueError(f"the horizon is 0 to {LONGEST_HORIZON} payments")
    base = LONGEST_HORIZON + 1
    left = np.minimum(contracts.left, horizon)
    key = (contracts.passed * base + left) * base + contracts.term
    unique, back = np.unique(key, return_inverse=True)
    return (unique // base**2, unique // base % base, unique % base), back


def _factors(horizon: int, discount: float, growth: float, in_advance: bool) -> Floats:
    """Discounted worth of the first j payments of 1, for j = 0 … horizon."""
    if discount <= -1 or growth <= -1:
        raise ValueError("discount and growth rates are above -1")
    each = ((1 + growth) / (1 + discount)) ** np.arange(1, horizon + 1)
    return np.concatenate([[0.0], np.cumsum(each * (1 + discount if in_advance else 1.0))])


def _worth_by_end(kinds: Kinds, horizon: int, factors: Floats) -> Floats:
    """Worth of a payment of 1 for a contract that passes m more renewals, m = 0 …, shape (kinds, most renewals + 1)."""
    _passed, left, term = kinds
    payments = left[:, None] + np.arange(_most(kinds, horizon) + 1) * term[:, None]
    return factors[np.minimum(payments, horizon)]


def _chances(log_curve: Floats, kinds: Kinds) -> Floats:
    """Chance to pass at least m more renewals, m = 0 …, shape (kinds, most renewals + 1); `log_curve` is ln S(0), ln S(1) …"""
    passed = kinds[0]
    ahead = np.arange(len(log_curve) - int(passed.max(initial=0)))
    return np.asarray(np.exp(log_curve[passed[:, None] + ahead] - log_curve[passed, None]))


def _longest(kinds: Kinds, horizon: int) -> int:
    return int(kinds[0].max(initial=0)) + _most(kinds, horizon)


def _most(kinds: Kinds, horizon: int) -> int:
    _passed, left, term = kinds
    return int(np.max(-(-(horizon - left) // term), initial=0))


def _quantile(worth: Floats, below: Floats, q: float) -> Floats:
    """The smallest worth that is not exceeded with a chance of at least q; `worth` rises along each row."""
    place = np.argmax(below >= q - 1e-9, axis=1)
    return np.asarray(np.take_along_axis(worth, place[:, None], axis=1)[:, 0])
