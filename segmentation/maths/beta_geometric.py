"""What BG/NBD and MBG/NBD share: Poisson orders at gamma rates, and a beta chance to be gone after each order.

The models differ in one point: whether a customer can be gone right after the first order (MBG) or not (BG). With `shift` 1 or 0
for that, m = b + x - 1 + shift, and

    L(x, t_x, T) = Γ(r+x)/Γ(r) · B(a, m+1)/B(a, b) · α^r/(α+T)^(r+x) · (1 + a/m ((α+T)/(α+t_x))^(r+x))

where the last factor is left out if no dropout is possible (BG, x = 0). In logarithms it is log(1 + e^u), which never overflows.
Sources: Fader, Hardie & Lee (2005), Marketing Science 24(2); Batislam, Denizel & Filiztekin (2007), IJRM 24(3).

Given that a customer is alive at T, rate ~ Gamma(r+x, α+T) and chance ~ Beta(a, b+x+shift), independently. What is to come follows
from that by a Gauss rule over the chance p: E[X(t)|p] = (1 - (1 + pt/(α+T))^-(r+x)) / p. The textbook's 2F1 formulas
are the same integral, but read 0/0 at a = 1 and lose digits for long ages and large counts.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from scipy.special import betainc, betaln, digamma, gammaln

from segmentation.maths.arrays import Floats, tally, weighted_sum
from segmentation.maths.fitting import Fit, Optimum, Prior, Sample, describe, maximise
from segmentation.maths.interpolation import interpolated
from segmentation.maths.lives import Lives
from segmentation.maths.priors import GEOMETRIC, small_company_prior
from segmentation.maths.purchases import Purchases, Rows, discount_factors
from segmentation.maths.quadrature import beta_nodes, nodes_for

NAMES = ("r", "alpha", "a", "b")
SAMPLE_ABOVE = 20_000  # rows
SAMPLE_STEP, SAMPLE_ROWS = 8, 20_000


class GeometricLikelihood:
    """The log-likelihood of collapsed rows in log r, log alpha, log a, log b; times divided by `scale`."""

    def __init__(self, rows: Rows, shift: int, scale: float = 1.0, weight: Floats | None = None) -> None:
        weight = rows.weight if weight is None else weight
        self.shift, self.times = shift, rows.times / scale
        self.x = np.arange(int(rows.frequency.max(initial=0)) + 1, dtype=np.float64)
        self.counts = tally(rows.frequency, weight, len(self.x))
        self.total = float(self.counts.sum())
        # (r + x) log(alpha + T) needs only, per T, how many customers and how many orders there are.
        self.at_age = tally(rows.age_at, weight, len(self.times))
        self.orders_at_age = tally(rows.age_at, weight * rows.frequency, len(self.times))
        chosen = slice(None) if shift else rows.frequency > 0
        self.frequency, self.weight = rows.frequency[chosen], weight[chosen]
        self.age_at, self.recency_at = rows.age_at[chosen], rows.recency_at[chosen]

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(theta)
        n, counts, m = self.total, self.counts, b + self.x + self.shift
        log_time = np.log(alpha + self.times)
        value = counts @ (gammaln(r + self.x) - gammaln(r) + gammaln(m) - gammaln(a + m) + gammaln(a + b) - gammaln(b))
        value += n * r * theta[1] - r * weighted_sum(self.at_age, log_time) - weighted_sum(self.orders_at_age, log_time)
        by_total = digamma(a + b) - digamma(a + m)
        slope = np.array(
            [
                counts @ (digamma(r + self.x) - digamma(r)) + n * theta[1] - weighted_sum(self.at_age, log_time),
                n * r / alpha - weighted_sum(r * self.at_age + self.orders_at_age, 1 / (alpha + self.times)),
                counts @ by_total,
                counts @ (by_total + digamma(m) - digamma(b)),
            ]
        )
        dropout, dropout_slope = self._dropout(r, alpha, a, b, log_time)
        return float(value + dropout), (slope + dropout_slope) * np.exp(theta)

    def _dropout(self, r: float, alpha: float, a: float, b: float, log_time: Floats) -> tuple[float, Floats]:
        """Σ w log(1 + e^u), the chance that the customer was gone after the last order, and its slope."""
        m = np.maximum(b + self.x - 1 + self.shift, 1e-300)  # m at x = 0 is not used by BG
        gap = log_time[self.age_at] - log_time[self.recency_at]
        power = r + self.frequency
        u = (np.log(a) - np.log(m))[self.frequency] + power * gap
        small = np.exp(-np.abs(u))
        gone = np.where(u > 0, 1.0, small) / (1 + small)  # probability of being gone
        gone *= self.weight
        value = weighted_sum(self.weight, np.maximum(u, 0.0) + np.log1p(small))
        inverse = 1 / (alpha + self.times)
        pushed = gone * power
        by_alpha = weighted_sum(pushed, inverse[self.age_at] - inverse[self.recency_at])
        by_x = tally(self.frequency, gone, len(self.x))
        return value, np.array([weighted_sum(gone, gap), by_alpha, by_x.sum() / a, -(by_x / m).sum()])


@dataclass(frozen=True)
class BetaGeometric:
    """The parameters of one of the two models, and what they say of customers.

    `alpha` and all times are in the unit of the Purchases that the parameters were fitted on; `t` is a float or broadcasts to (n,).
    """

    r: float
    alpha: float
    a: float
    b: float

    name: ClassVar[str]
    shift: ClassVar[int]
    times: ClassVar[tuple[int, ...]] = (1,)  # which parameters carry the unit of time

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) and value > 0 for value in astuple(self)):
            raise ValueError("parameters must be positive and finite")

    @classmethod
    def likelihood(cls, rows: Rows, scale: float = 1.0, weight: Floats | None = None) -> GeometricLikelihood:
        return GeometricLikelihood(rows, cls.shift, scale, weight)

    @classmethod
    def log_likelihood(cls, purchases: Purchases, params: BetaGeometric) -> float:
        return cls.likelihood(purchases.rows)(np.log(astuple(params)))[0]

    @classmethod
    def default_prior(cls, purchases: Purchases) -> Prior | None:
        r = 1.0 if len(purchases) >= 100 else 1.2
        alpha = r * (float(purchases.age.sum()) or 1.0) / (purchases.repeats + 1.0)
        return small_company_prior(len(purchases), GEOMETRIC, (alpha,), (0, 3, 1, 2))

    @classmethod
    def fit(cls, purchases: Purchases, *, prior: Prior | None = None) -> Fit:
        """Maximum likelihood, or the posterior's mode with `prior` (see `default_prior`). Never raises for want of data: see `status`."""
        started = time.perf_counter()
        if not len(purchases):
            raise ValueError("no customers to fit")
        scale = float(purchases.age.mean()) or 1.0
        rows = purchases.rows
        some = rows.every(max(SAMPLE_STEP, len(rows.weight) // SAMPLE_ROWS))
        rough = Sample(cls.likelihood(some, scale), rows.customers / some.customers) if len(rows.weight) > SAMPLE_ABOVE else None
        scaled = None if prior is None else Prior(prior.name, _scaled(prior.centre, scale), prior.sd, prior.is_reference)
        start = np.log([1.0, (float(purchases.age.sum()) / scale + 1) / (purchases.repeats + 1), 0.7, 3.0])
        optimum = maximise(cls.likelihood(rows, scale), np.clip(start, -8, 8), prior=scaled, rough=rough)
        return describe(
            cls.name,
            NAMES,
            optimum,
            scales=(1.0, scale, 1.0, 1.0),
            constant=-purchases.repeats * float(np.log(scale)),
            customers=len(purchases),
            started=started,
            unit_days=purchases.unit_days,
            prior=prior,
            runaway=_runaway(purchases, optimum, prior),
            notes=_notes(purchases),
        )

    def probability_alive(self, purchases: Purchases) -> Floats:
        """P(still a customer at T), shape (n,). For BG/NBD it is 1 without a repeat, by the model's assumption."""
        x, power = purchases.frequency, self.r + purchases.frequency
        m = np.maximum(self.b + x - 1 + self.shift, 1e-300)
        u = np.log(self.a / m) + power * np.log((self.alpha + purchases.age) / (self.alpha + purchases.recency))
        alive = np.exp(-np.logaddexp(0.0, u))
        return np.asarray(alive if self.shift else np.where(x > 0, alive, 1.0), dtype=np.float64)

    def probability_no_order(self, t: float | Floats, purchases: Purchases) -> Floats:
        """P(no order in the next t): gone already, or alive and silent. The risk to act on, unlike 1 - P(alive)."""
        alive = self.probability_alive(purchases)
        waits = np.exp(-(self.r + purchases.frequency) * np.log1p(np.asarray(t) / (self.alpha + purchases.age)))
        return np.asarray(1 - alive * (1 - waits), dtype=np.float64)

    def time_to_next_order(self, purchases: Purchases, quantile: float = 0.5) -> Floats:
        """When the next order has come with this probability, from T on; infinity where it probably never comes."""
        alive = self.probability_alive(purchases)
        silent = np.maximum(1 - quantile / alive, 1e-300)  # P(no order yet | alive) at the time sought
        waits = np.minimum(-np.log(silent) / (self.r + purchases.frequency), 700.0)
        return np.asarray(np.where(alive > quantile, (self.alpha + purchases.age) * np.expm1(waits), np.inf), dtype=np.float64)

    def expected_purchases(self, t: float | Floats, purchases: Purchases) -> Floats:
        """Orders to expect in the next t from what is known of each customer, shape (n,). FHL (2005), eq. (10)."""
        times, (x, age) = np.asarray(t, dtype=np.float64), (purchases.frequency, purchases.age)
        if times.size == 1:
            return self.probability_alive(purchases) * self._by_age(x, age, times.reshape(1), np.ones(1))
        return self.probability_alive(purchases) * self._if_alive(x, age, np.broadcast_to(times, age.shape)[:, None], np.ones(1))

    def discounted_purchases(self, purchases: Purchases, periods: int, rate: float) -> Floats:
        """Σ (1 + rate)^-(i-½) × orders expected in period i = 1 … periods after T, `rate` per period. FH (2015), eq. (3.13).

        Neither the first order nor any up to T is in it.
        """
        return self.probability_alive(purchases) * self.discounted_if_alive(purchases.frequency, purchases.age, periods, rate)

    def discounted_if_alive(self, frequency: Floats, age: Floats, periods: int, rate: float) -> Floats:
        """The same for customers known to be alive at T."""
        factors = discount_factors(periods, rate)
        steps = factors - np.append(factors[1:], 0.0)  # Σ f_i (E_i - E_(i-1)) = Σ (f_i - f_(i+1)) E_i
        return self._by_age(frequency, age, np.arange(1.0, periods + 1), steps)

    def expected_from_start(self, t: float | Floats) -> Floats:
        """E[X(t)]: repeat orders of a customer of whom only the first order is known, t after it."""
        times = np.atleast_1d(np.asarray(t, dtype=np.float64))
        stays = self.b / (self.a + self.b) if self.shift else 1.0
        p, weight = beta_nodes(self.a, self.b + self.shift, nodes_for(self.alpha / max(float(times.max()), 1e-12)))
        return stays * (-np.expm1(-self.r * np.log1p(p * times[:, None] / self.alpha)) / p @ weight)

    def pmf(self, t: float, n: int | Floats) -> Floats:
        """P(X(t) = n): the share of new customers with n repeat orders t after their first. FHL (2005), eq. (8)."""
        n = np.atleast_1d(np.asarray(n, dtype=np.float64))
        share = t / (self.alpha + t)
        poisson = gammaln(self.r + n) - gammaln(self.r) - gammaln(n + 1) + self.r * np.log1p(-share) + n * np.log(share)
        still_there = np.exp(betaln(self.a, self.b + n + self.shift) - betaln(self.a, self.b) + poisson)
        m = np.maximum(self.b + n - 1 + self.shift, 1e-300)
        reached = np.where(n > 0, betainc(np.maximum(n, 1), self.r, share), 1.0)  # P(a customer who never leaves has n or more)
        left = np.exp(betaln(self.a + 1, m) - betaln(self.a, self.b)) * reached
        return np.asarray(still_there + (left if self.shift else np.where(n > 0, left, 0.0)), dtype=np.float64)

    def simulate(self, rng: np.random.Generator, age: Floats, unit_days: float = 7.0) -> Purchases:
        """Customers whose first order was `age` ago, as the model has them: one history for each."""
        rate = rng.gamma(self.r, 1 / self.alpha, len(age))
        chance = rng.beta(self.a, self.b, len(age))
        lives = Lives(rate * (1 - chance), rate * chance, last_order_ends=True)
        gone = rng.random(len(age)) < chance if self.shift else np.zeros(len(age), dtype=bool)
        return lives.history(rng, age, gone, unit_days)

    def lives(self, rng: np.random.Generator, frequency: Floats, age: Floats) -> Lives:
        """One draw of what a customer with this past, alive at T, is like. Shape of `frequency`."""
        rate = rng.gamma(self.r + frequency) / (self.alpha + age)
        chance = rng.beta(self.a, self.b + frequency + self.shift)
        return Lives(rate * (1 - chance), rate * chance, last_order_ends=True)

    def _by_age(self, frequency: Floats, age: Floats, times: Floats, steps: Floats) -> Floats:
        """`_if_alive` at the same `times` (steps,) for all: of each frequency a curve over log(α+T).

        A curve has its singularities where 1 + pt/(α+T) is 0, an imaginary part of π; at half of that it is below its real values.
        """
        result = np.zeros(len(frequency))
        order = np.argsort(frequency, kind="stable")
        bounds = np.append(np.flatnonzero(np.diff(frequency[order], prepend=-1.0)), len(order))
        for first, last in pairwise(bounds):
            chosen = order[first:last]
            x = float(frequency[chosen[0]])

            def curve(log_time: Floats, x: float = x) -> Floats:
                shape = (len(log_time), len(times))
                return self._if_alive(np.full(len(log_time), x), np.exp(log_time) - self.alpha, np.broadcast_to(times, shape), steps)

            result[chosen] = interpolated(curve, np.log(self.alpha + age[chosen]), strip=np.pi / 2)
        return result

    def _if_alive(self, frequency: Floats, age: Floats, times: Floats, steps: Floats) -> Floats:
        """Σ_j steps_j E[orders up to times_j | alive], shape (n,); `times` has shape (n, steps). One Gauss rule per frequency."""
        result = np.zeros(len(frequency))
        nearest = (self.alpha + age) / np.maximum(times.max(axis=1, initial=0.0), 1e-12)
        band = np.floor(np.log2(np.clip(nearest, 1e-6, 16.0)))  # young customers need more nodes than old ones
        order = np.lexsort((band, frequency))
        is_new = (np.diff(frequency[order], prepend=-1.0) != 0) | (np.diff(band[order], prepend=-99.0) != 0)
        bounds = np.append(np.flatnonzero(is_new), len(order))
        for first, last in pairwise(bounds):
            chosen = order[first:last]
            x = float(frequency[chosen[0]])
            p, weight = beta_nodes(self.a, self.b + x + self.shift, nodes_for(2.0 ** float(band[chosen[0]])))
            p = np.maximum(p, 1e-300)
            growth = p / (self.alpha + age[chosen, None])
            bought = np.zeros(growth.shape)
            for j, step in enumerate(steps):
                bought -= step * np.expm1(-(self.r + x) * np.log1p(growth * times[chosen, j, None]))
            result[chosen] = np.einsum("ij,j->i", bought, weight / p)
        return result


def _scaled(centre: tuple[float, ...], scale: float) -> tuple[float, ...]:
    return (centre[0], centre[1] / scale, *centre[2:])


def _runaway(purchases: Purchases, optimum: Optimum, prior: Prior | None) -> str | None:
    """The status where parameters ran off along a ridge of the likelihood; None where they did not."""
    if prior is not None:
        return None
    if purchases.repeats == 0:
        return "no_repeats"
    if len(purchases) < 2:
        return "few_rows"
    r, alpha, a, b = np.exp(optimum.theta)
    if a / (a + b) < 1e-3:
        return "no_dropout_seen"
    if a > 1e3 and b > 1e3:
        return "same_dropout_for_all"
    if r > 1e3 and alpha > 1e3:
        return "same_rate_for_all"
    return None


def _notes(purchases: Purchases) -> tuple[str, ...]:
    notes = []
    if purchases.repeats == 0:
        notes.append("nobody ordered twice, so how often customers order is not known from these data")
    if not purchases.age.any():
        notes.append("every customer is new today")
    return tuple(notes)
