"""What a contract model is fitted on, and what a fit tells: renewals faced, passed and failed, counted by age.

A contract of age n has passed n renewals. Its next one is the (n + 1)-th. The likelihood of every model here depends on two
counts per renewal only: how many contracts passed it and how many were lost at it. Contracts that still run are right-censored:
they count for the renewals that they passed, and for nothing later. So cohorts with different starts are pooled by adding counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from segmentation.maths.arrays import Flags, Floats, Ints

LONGEST_AGE = 10_000  # renewals: more is an age in days given as an age in periods


@dataclass(frozen=True, eq=False)
class Renewals:
    """Counts by renewal, shape (periods,): index 0 is the first renewal. Weights may make them fractions."""

    passed: Floats
    lost: Floats
    contracts: float  # all, also those that faced no renewal yet
    faced: float  # those that faced at least one under observation

    @property
    def ages_seen(self) -> int:
        """At how many ages a renewal was faced: the number of separate rates that the data can tell."""
        return int(np.count_nonzero(self.passed + self.lost))

    def scaled(self, factor: float) -> Renewals:
        return Renewals(self.passed * factor, self.lost * factor, self.contracts * factor, self.faced * factor)

    def plus(self, other: Renewals) -> Renewals:
        length = max(len(self.passed), len(other.passed))
        passed, lost = np.zeros(length), np.zeros(length)
        for one in (self, other):
            passed[: len(one.passed)] += one.passed
            lost[: len(one.lost)] += one.lost
        return Renewals(passed, lost, self.contracts + other.contracts, self.faced + other.faced)


@dataclass(frozen=True, eq=False)
class RenewalFit:
    """A fitted contract model.

    `status`: ok; same_rate_for_all (the contracts do not differ: alpha and beta run off together, survival is geometric); at_bound;
    not_converged; and where the data alone decide nothing and the prior does: no_renewals, one_contract, nobody_lost, all_lost,
    few_periods. `method` says what was maximised: ml (the likelihood), map (with the weak prior) or pooled (with prior and a
    reference population). `log_likelihood` is that of the own contracts, without prior and reference. `se` is on the natural scale and
    empty where the data do not tell. `covariance` is that of the log parameters in the order of `params`, always positive definite.
    """

    model: str
    params: dict[str, float]
    log_likelihood: float
    converged: bool
    status: str
    method: str
    se: dict[str, float]
    covariance: Floats
    customers: float  # contracts
    seconds: float
    is_indicative: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def log_params(self) -> Floats:
        return np.asarray(np.log(list(self.params.values())), dtype=float)


def count_renewals(ages: ArrayLike, lost: ArrayLike, weights: ArrayLike | None = None, entered: ArrayLike | None = None) -> Renewals:
    """Renewals of contracts, each of shape (n,); order does not matter.

    `ages` are whole renewals: of a lost contract the one at which it was lost (>= 1), of a running one those that it passed (>= 0).
    `weights` stand for several equal contracts. `entered` is the age at which a contract came under observation, for contracts
    whose lost contemporaries nobody recorded (left truncation). ValueError for ages that are no whole numbers, negative or above
    LONGEST_AGE, for a loss at age 0 or not after `entered`, and for negative weights.
    """
    age, is_lost, weight, start = _checked(ages, lost, weights, entered)
    periods = int(age.max(initial=0))
    last_passed = age - is_lost
    change = np.bincount(start, weight, periods + 1) - np.bincount(last_passed, weight, periods + 1)
    losses = np.bincount(age[is_lost] - 1, weight[is_lost], periods)
    # Sums of fractions leave dust where everything has ended.
    passed = np.maximum(np.cumsum(change)[:periods], 0.0)
    return Renewals(passed, losses.astype(float), float(weight.sum()), float(weight[age > start].sum()))


def _checked(ages: ArrayLike, lost: ArrayLike, weights: ArrayLike | None, entered: ArrayLike | None) -> tuple[Ints, Flags, Floats, Ints]:
    age = _whole(ages, "age")
    is_lost = np.asarray(lost, dtype=bool)
    weight = np.ones(age.shape) if weights is None else np.asarray(weights, dtype=float)
    start = np.zeros_like(age) if entered is None else _whole(entered, "entered")
    if not age.shape == is_lost.shape == weight.shape == start.shape or age.ndim != 1:
        raise ValueError("ages, lost, weights and entered must have one and the same length")
    if not np.all(np.isfinite(weight)) or np.any(weight < 0):
        raise ValueError("weights must be numbers that are not negative")
    if np.any(is_lost & (age <= start)):
        raise ValueError("a contract is lost at its first renewal or later, after it came under observation")
    if np.any(start > age):
        raise ValueError("a contract cannot come under observation after its age")
    return age, is_lost, weight, start


def _whole(values: ArrayLike, name: str) -> Ints:
    numbers = np.asarray(values, dtype=float)
    if not np.all(np.isfinite(numbers)) or np.any(numbers != np.floor(numbers)) or np.any((numbers < 0) | (numbers > LONGEST_AGE)):
        raise ValueError(f"{name} must be a whole number from 0 to {LONGEST_AGE}")
    return numbers.astype(np.int64)


def renewals_from_survivors(survivors: ArrayLike) -> Renewals:
    """Renewals of one cohort from a table: `survivors[t]` contracts were left after t renewals; `survivors[0]` is the cohort.

    ValueError where it is empty, grows, or holds a negative number.
    """
    left = np.asarray(survivors, dtype=float)
    if left.ndim != 1 or not len(left) or not np.all(np.isfinite(left)) or np.any(left < 0):
        raise ValueError("survivors must be a list of numbers that are not negative")
    if np.any(np.diff(left) > 0):
        raise ValueError("survivors cannot grow from one period to the next")
    return Renewals(left[1:].copy(), -np.diff(left), float(left[0]), float(left[0]) if len(left) > 1 else 0.0)
