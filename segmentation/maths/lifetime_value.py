"""Lifetime value by its formulas: what is discounted, when, and which part is which. Every figure can be checked by hand.

CLV = Σ π_i / (1 + d)^i over i = 1 … n periods, π_i = p_i · (revenue_i × margin rate) − retention cost_i. Contract, order, growth and
referral parts are shown apart and each counted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from segmentation.maths.arrays import Floats, Ints

NEVER = -1  # months to payback where the margin of the horizon does not bring the cost back


class Timing(Enum):
    """Three questions that are all called lifetime value; with margin m, retention r and discount d per period. F&H (2012), note 024."""

    UNACQUIRED = "as yet unacquired"  # the first margin comes at once and for certain: m (1 + d) / (1 + d − r)
    PAID = "already paid this period"  # the next margin comes in a period, if the customer stays: m r / (1 + d − r)
    END = "end of period"  # the first margin comes at the end of this period for certain: m / (1 + d − r)


def rate_per_period(annual: ArrayLike, periods_per_year: float) -> Floats:
    """The rate per period that compounds to the yearly one: (1 + d)^(1/k) − 1, never d / k. `annual` above −1, k above 0."""
    rate = np.asarray(annual, dtype=float)
    if np.any(~np.isfinite(rate) | (rate <= -1)) or not periods_per_year > 0:
        raise ValueError("a yearly rate is above -1, and a year has more than 0 periods")
    return np.asarray(np.expm1(np.log1p(rate) / periods_per_year))


def present_value(margins: ArrayLike, discount: float) -> Floats:
    """Σ π_i / (1 + d)^i of margins at the ends of periods 1 … n, shape (…, n) → (…)."""
    pi = np.asarray(margins, dtype=float)
    if discount <= -1:
        raise ValueError("a discount rate is above -1")
    return np.asarray(np.sum(pi / (1 + discount) ** np.arange(1, pi.shape[-1] + 1), axis=-1))


def constant_retention_value(
    margin: ArrayLike, retention: ArrayLike, discount: float, timing: Timing, *, growth: float = 0.0, periods: int | None = None
) -> Floats:
    """Value of m per period while a customer stays with constant chance r; arrays broadcast. Without end, or the first `periods` payments.

    Growth g of the margin replaces d by (d − g) / (1 + g): under PAID and END the first payment to come has grown once already.
    ValueError where the sum without end does not exist (r (1 + g) >= 1 + d).
    """
    m, r = np.asarray(margin, dtype=float), np.asarray(retention, dtype=float)
    if np.any((r < 0) | (r > 1)):
        raise ValueError("a retention rate lies between 0 and 1")
    if discount <= -1 or growth <= -1:
        raise ValueError("discount and growth rates are above -1")
    d = (discount - growth) / (1 + growth)
    each = r / (1 + d)
    first = {Timing.UNACQUIRED: np.ones_like(r), Timing.PAID: each, Timing.END: np.full_like(r, 1 / (1 + d))}[timing]
    if periods is None:
        if np.any(each >= 1):
            raise ValueError("without an end, retention times growth must stay below 1 plus the discount rate")
        return np.asarray(m * first / (1 - each))
    near = np.abs(1 - each) < 1e-12
    sums = np.where(near, float(periods), (1 - each**periods) / np.where(near, 1.0, 1 - each))
    return np.asarray(m * first * sums)


@dataclass(frozen=True, eq=False)
class SimpleValue:
    """The auditable sum, row by row, shape (n,) each: value = base + growth − retention cost − acquisition cost."""

    timing: Timing
    discount: float  # per period
    periods: Ints  # when, in periods from now: 0 … or 1 …
    survival: Floats
    margin: Floats  # revenue × margin rate if the customer is there
    retention_cost: Floats
    expected: Floats  # π_i
    present: Floats  # π_i / (1 + d)^i
    base: float
    growth: float
    retention: float
    acquisition: float

    @property
    def value(self) -> float:
        return self.base + self.growth - self.retention - self.acquisition


def simple_value(
    *,
    revenue: float,
    margin_rate: float,
    retention: float,
    discount: float,
    periods: int,
    timing: Timing = Timing.PAID,
    retention_cost: float = 0.0,
    growth: float = 0.0,
    acquisition_cost: float = 0.0,
) -> SimpleValue:
    """One customer by the simple formula, all amounts and rates per period, over `periods` payments.

    The retention cost is spent every period in which the customer is asked to stay, whether it stays or not. `acquisition_cost` is
    subtracted only where the customer is not won yet (UNACQUIRED). The growth part is what growth of the revenue adds.
    """
    if not 0 <= retention <= 1 or discount <= -1 or growth <= -1 or periods < 0:
        raise ValueError("retention lies between 0 and 1, rates are above -1, periods are not negative")
    count = np.arange(periods)
    start = 0 if timing is Timing.UNACQUIRED else 1
    when = count + start
    survival = retention ** (count + (1 if timing is Timing.PAID else 0)).astype(float)
    factor = (1.0 + discount) ** -when.astype(float)
    flat = np.full(periods, revenue * margin_rate)
    margin = flat * (1 + growth) ** when
    cost = np.full(periods, float(retention_cost))
    expected = survival * margin - cost
    base = float(np.sum(survival * flat * factor))
    return SimpleValue(
        timing=timing,
        discount=discount,
        periods=when,
        survival=survival,
        margin=margin,
        retention_cost=cost,
        expected=expected,
        present=expected * factor,
        base=base,
        growth=float(np.sum(survival * margin * factor)) - base,
        retention=float(np.sum(cost * factor)),
        acquisition=acquisition_cost if timing is Timing.UNACQUIRED else 0.0,
    )


@dataclass(frozen=True, eq=False)
class ValueParts:
    """The parts of each customer's lifetime value, shape (n,), all discounted to now over the same horizon."""

    contract: Floats  # margin of running contracts, from the contract models
    order: Floats  # margin of orders to come, from the transaction models
    growth: Floats  # cross-sell potential beyond those two
    referral: Floats  # `referral_value`
    retention_cost: Floats  # >= 0, subtracted
    acquisition_cost: Floats  # >= 0, subtracted; 0 for who is a customer already

    @property
    def own(self) -> Floats:
        """What the customer itself brings, without whom it brings."""
        return self.contract + self.order + self.growth - self.retention_cost - self.acquisition_cost

    @property
    def total(self) -> Floats:
        return self.own + self.referral


def retention_cost_value(cost: ArrayLike, survival: ArrayLike, discount: float) -> Floats:
    """Discounted cost of keeping customers: `cost` per period (n,), spent at the end of period i where `survival` (n, periods) is the
    chance to be a customer at its beginning."""
    spent = np.asarray(cost, dtype=float)[:, None] * np.asarray(survival, dtype=float)
    return present_value(spent, discount)


def referral_value(
    referrer: ArrayLike,
    referred: ArrayLike,
    *,
    value: ArrayLike,
    probability: ArrayLike,
    because: ArrayLike,
    avoided_cost: ArrayLike,
    share: ArrayLike,
    periods: ArrayLike,
    discount: float,
    customers: int,
) -> Floats:
    """Value that each of `customers` brings through others, shape (customers,). One row per referral, shape (m,) each:

    share · probability · (because · value + avoided_cost) / (1 + d)^periods, summed by `referrer` (its index, 0 …). `value` is the own
    lifetime value of the referred customer when it starts, `periods` later than the referral; `probability` that it starts; `because`
    the chance that it would not have come anyway; `avoided_cost` of acquisition is saved in either case (Kumar, Petersen & Leone
    2010). `share` attributes one referred customer to several referrers. ValueError where its shares exceed 1: counted once.
    """
    who, whom = np.asarray(referrer, dtype=np.int64), np.asarray(referred, dtype=np.int64)
    parts = [np.asarray(one, dtype=float) for one in (value, probability, because, avoided_cost, share, periods)]
    worth, chance, cause, saved, part, later = parts
    if not all(one.shape == who.shape for one in (whom, *parts)) or who.ndim != 1:
        raise ValueError("the columns of the referrals must have one and the same length")
    if any(np.any((one < 0) | (one > 1)) for one in (chance, cause, part)) or np.any(later < 0) or discount <= -1:
        raise ValueError("chances and shares lie between 0 and 1, periods are not negative, the discount rate is above -1")
    if np.any((who < 0) | (who >= customers)) or np.any(who == whom):
        raise ValueError("a referrer is one of the customers, and nobody refers itself")
    _, place = np.unique(whom, return_inverse=True)
    if len(whom) and np.bincount(place, part).max() > 1 + 1e-9:
        raise ValueError("the shares of one referred customer add up to more than 1")
    amount = part * chance * (cause * worth + saved) / (1 + discount) ** later
    return np.bincount(who, amount, customers).astype(float)


def acquisition_cost(*, visits: float, wins: float, cost_per_visit: float, campaign_cost: float) -> float | None:
    """Cost per customer won = visits per win × cost per visit + campaign cost ÷ wins. None where nobody was won."""
    if min(visits, wins, cost_per_visit, campaign_cost) < 0:
        raise ValueError("visits, wins and costs are not negative")
    return visits / wins * cost_per_visit + campaign_cost / wins if wins else None


def payback_months(margins: ArrayLike, cost: ArrayLike) -> Ints:
    """Months until the cumulative margin first reaches the acquisition cost, shape (n,); 0 without a cost, NEVER where it does not.

    `margins` (n, months) are those of the 1st, 2nd … month, not discounted; `cost` is (n,).
    """
    total = np.cumsum(np.asarray(margins, dtype=float), axis=-1)
    price = np.asarray(cost, dtype=float)
    if total.ndim != 2 or price.shape != total.shape[:1]:
        raise ValueError("margins are (customers, months), cost is (customers,)")
    reached = total >= price[:, None] - 1e-9
    months = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, NEVER) if total.shape[1] else np.full(len(price), NEVER)
    return np.where(price <= 0, 0, months).astype(np.int64)
