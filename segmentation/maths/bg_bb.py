"""BG/BB: at each of a number of chances (yearly budget rounds) an alive customer orders or not. Fader, Hardie & Shang (2010).

Marketing Science 29(6). The chance p to order is Beta(alpha, beta), the chance theta to be gone before the next round
Beta(gamma, delta). x rounds with an order, the last in round t_x, of n:

    L = Σ over the last round lived through, k = t_x … n, of  P(orders so | k) P(end right after k)      (no end where k = n)

All figures to come are finite sums of ratios of beta functions, so nothing is 0/0 at gamma = 1.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, digamma, hyp2f1

from segmentation.maths.arrays import Floats, Ints, tally
from segmentation.maths.fitting import Fit, Prior, describe, maximise
from segmentation.maths.priors import BUDGET_ROUNDS, small_company_prior

NAMES = ("alpha", "beta", "gamma", "delta")


@dataclass(frozen=True)
class Rounds:
    """Customers by their budget rounds: x rounds with an order, the last of them round `recency` (0: none), of `periods`; int64 (n,).

    `weight` says how many customers share a row. The round in which the customer was won counts as round 0. ValueError where
    x <= recency <= periods does not hold, or only one of x and recency is 0.
    """

    frequency: Ints
    recency: Ints
    periods: Ints
    weight: Floats

    def __post_init__(self) -> None:
        for name in ("frequency", "recency", "periods"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.int64))
        object.__setattr__(self, "weight", np.ascontiguousarray(self.weight, dtype=np.float64))
        x, t_x, n = self.frequency, self.recency, self.periods
        if not x.shape == t_x.shape == n.shape == self.weight.shape or x.ndim != 1:
            raise ValueError("frequency, recency, periods and weight must be vectors of one length")
        wrong = ~((x >= 0) & (x <= t_x) & (t_x <= n) & ((x == 0) == (t_x == 0)) & (self.weight >= 0))
        if wrong.any():
            raise ValueError(f"row {int(np.argmax(wrong))}: needs 0 <= frequency <= recency <= periods")

    def __len__(self) -> int:
        return len(self.frequency)

    @property
    def customers(self) -> int:
        return int(self.weight.sum())

    def collapsed(self) -> Rounds:
        unique, place = np.unique(np.stack([self.frequency, self.recency, self.periods]), axis=1, return_inverse=True)
        return Rounds(unique[0], unique[1], unique[2], tally(place.reshape(-1), self.weight, unique.shape[1]))


class RoundsLikelihood:
    """The log-likelihood in log alpha, log beta, log gamma, log delta. One term per row and possible last round, in one flat vector."""

    def __init__(self, rounds: Rounds) -> None:
        self.weight = rounds.weight
        lengths = rounds.periods - rounds.recency + 1
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64)
        self.row = np.repeat(np.arange(len(rounds)), lengths)
        self.x = rounds.frequency[self.row].astype(np.float64)
        self.last = (np.arange(len(self.row)) - self.starts[self.row] + rounds.recency[self.row]).astype(np.float64)
        self.ended = (self.last < rounds.periods[self.row]).astype(np.float64)

    def terms(self, alpha: float, beta: float, gamma: float, delta: float) -> Floats:
        orders = betaln(alpha + self.x, beta + self.last - self.x) - betaln(alpha, beta)
        return np.asarray(orders + betaln(gamma + self.ended, delta + self.last) - betaln(gamma, delta), dtype=np.float64)

    def logs(self, terms: Floats) -> Floats:
        """log Σ e^term per row."""
        highest = np.maximum.reduceat(terms, self.starts)
        return np.asarray(highest + np.log(np.add.reduceat(np.exp(terms - highest[self.row]), self.starts)), dtype=np.float64)

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]:
        alpha, beta, gamma, delta = np.exp(theta)
        terms = self.terms(alpha, beta, gamma, delta)
        logs = self.logs(terms)
        share = self.weight[self.row] * np.exp(terms - logs[self.row])
        rounds, lived = digamma(alpha + beta + self.last) - digamma(alpha + beta), digamma(gamma + delta + self.last + self.ended)
        lived -= digamma(gamma + delta)
        slope = [
            share @ (digamma(alpha + self.x) - digamma(alpha) - rounds),
            share @ (digamma(beta + self.last - self.x) - digamma(beta) - rounds),
            share @ (digamma(gamma + self.ended) - digamma(gamma) - lived),
            share @ (digamma(delta + self.last) - digamma(delta) - lived),
        ]
        return float(self.weight @ logs), np.array(slope) * np.exp(theta)


@dataclass(frozen=True)
class BgBb:
    """The parameters, and what they say of customers. One unit of time is one round."""

    alpha: float
    beta: float
    gamma: float
    delta: float

    name: ClassVar[str] = "bgbb"

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) and value > 0 for value in astuple(self)):
            raise ValueError("parameters must be positive and finite")

    @classmethod
    def likelihood(cls, rounds: Rounds) -> RoundsLikelihood:
        return RoundsLikelihood(rounds)

    @classmethod
    def log_likelihood(cls, rounds: Rounds, params: Self) -> float:
        return cls.likelihood(rounds)(np.log(astuple(params)))[0]

    @classmethod
    def default_prior(cls, rounds: Rounds) -> Prior | None:
        return small_company_prior(rounds.customers, BUDGET_ROUNDS, (), (0, 1, 2, 3))

    @classmethod
    def fit(cls, rounds: Rounds, *, prior: Prior | None = None) -> Fit:
        """Maximum likelihood, or the posterior's mode with `prior`. Never raises for want of data: see `status`."""
        started = time.perf_counter()
        if not rounds.customers:
            raise ValueError("no customers to fit")
        optimum = maximise(cls.likelihood(rounds.collapsed()), np.log([1.0, 1.0, 0.7, 2.0]), prior=prior)
        alpha, beta, gamma, delta = np.exp(optimum.theta)
        runaway = None
        if prior is None:
            if not rounds.frequency.any():
                runaway = "no_repeats"
            elif rounds.customers < 2:
                runaway = "few_rows"
            elif gamma / (gamma + delta) < 1e-3:
                runaway = "no_dropout_seen"
            elif gamma > 1e3 and delta > 1e3:
                runaway = "same_dropout_for_all"
            elif alpha > 1e3 and beta > 1e3:
                runaway = "same_rate_for_all"
        return describe(
            cls.name,
            NAMES,
            optimum,
            scales=(1.0,) * 4,
            constant=0.0,
            customers=rounds.customers,
            started=started,
            prior=prior,
            runaway=runaway,
        )

    def probability_alive(self, rounds: Rounds) -> Floats:
        """P(alive for round n + 1), shape (n,): not gone after the last round seen."""
        return self._lived(rounds) * self._stays(rounds.periods, 1)

    def expected_purchases(self, periods: int, rounds: Rounds) -> Floats:
        """Orders expected in the next `periods` rounds, shape (n,)."""
        return self.discounted_purchases(rounds, periods, 0.0)

    def discounted_purchases(self, rounds: Rounds, periods: int, rate: float) -> Floats:
        """Σ (1 + rate)^-i × chance of an order in round n + i, i = 1 … periods: a round's order comes at the round, not before."""
        if periods < 0:
            raise ValueError("a horizon is not negative")
        lasting = np.zeros(len(rounds))
        for i in range(1, periods + 1):
            lasting += (1 + rate) ** -i * self._stays(rounds.periods, i)
        return self._lived(rounds) * self._orders(rounds) * lasting

    def discounted_lifetime_purchases(self, rounds: Rounds, rate: float) -> Floats:
        """DERT: the same without horizon (FHS 2010, eq. 14). `rate` per round; ValueError unless above 0."""
        if rate <= 0:
            raise ValueError("a value without horizon needs a positive discount rate")
        n = rounds.periods.astype(np.float64)
        series = hyp2f1(1.0, self.delta + n + 1, self.gamma + self.delta + n + 1, 1 / (1 + rate))
        return np.asarray(self.probability_alive(rounds) * self._orders(rounds) * series / (1 + rate), dtype=np.float64)

    def probability_no_order(self, periods: int, rounds: Rounds) -> Floats:
        """P(no order in the next `periods` rounds)."""
        n, x = rounds.periods.astype(np.float64), rounds.frequency
        silent = 1 - self._stays(n, 1)
        for i in range(1, periods + 1):  # gone after exactly i silent rounds; or alive all through
            still = self._stays(n, i) - (self._stays(n, i + 1) if i < periods else 0.0)
            silent = silent + still * np.exp(betaln(self.alpha + x, self.beta + n - x + i) - betaln(self.alpha + x, self.beta + n - x))
        lived = self._lived(rounds)
        return np.asarray(1 - lived * (1 - silent), dtype=np.float64)

    def rounds_to_next_order(self, rounds: Rounds, quantile: float = 0.5, longest: int = 200) -> Floats:
        """In which round from now the next order has come with this probability; infinity where not in `longest` rounds."""
        found = np.full(len(rounds), np.inf)
        for i in range(longest, 0, -1):
            found[self.probability_no_order(i, rounds) <= 1 - quantile] = i
        return found

    def simulate(self, rng: np.random.Generator, periods: Ints) -> Rounds:
        """Customers won `periods` rounds ago, as the model has them: one history for each."""
        p, theta = rng.beta(self.alpha, self.beta, len(periods)), rng.beta(self.gamma, self.delta, len(periods))
        lived = np.minimum(rng.geometric(np.maximum(theta, 1e-12)) - 1, periods)
        x, t_x = np.zeros(len(periods), dtype=np.int64), np.zeros(len(periods), dtype=np.int64)
        for i in range(1, int(periods.max(initial=0)) + 1):
            orders = (i <= lived) & (rng.random(len(periods)) < p)
            x, t_x = x + orders, np.where(orders, i, t_x)
        return Rounds(x, t_x, periods, np.ones(len(periods)))

    def _lived(self, rounds: Rounds) -> Floats:
        """P(lived through round n | history)."""
        likelihood = RoundsLikelihood(rounds)
        terms = likelihood.terms(*astuple(self))
        ends = likelihood.starts + rounds.periods - rounds.recency
        return np.asarray(np.exp(terms[ends] - likelihood.logs(terms)), dtype=np.float64)

    def _stays(self, periods: Ints | Floats, more: int) -> Floats:
        """P(alive for round n + more | lived through round n)."""
        return np.asarray(
            np.exp(betaln(self.gamma, self.delta + periods + more) - betaln(self.gamma, self.delta + periods)), dtype=np.float64
        )

    def _orders(self, rounds: Rounds) -> Floats:
        """E(p) of a customer who lived through round n."""
        return np.asarray((self.alpha + rounds.frequency) / (self.alpha + self.beta + rounds.periods), dtype=np.float64)
