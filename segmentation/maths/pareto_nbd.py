"""Pareto/NBD: Poisson orders at gamma rates until an unseen end, exponential at gamma rates. Schmittlein, Morrison & Colombo (1987).

With D(τ) = (α+τ)^-(r+x) (β+τ)^-s, the likelihood of (x, t_x, T) is

    Γ(r+x)/Γ(r) · α^r β^s · (D(T) + Q),    Q = ∫ D(τ) s/(β+τ) dτ  from t_x to T    (the end came at τ),

which Fader & Hardie (2005, 'A note on deriving the Pareto/NBD model') write with two 2F1 functions. Their difference overflows and
cancels for counts above a hundred, also after Euler's transformation. The integral does neither: in y = log((m+τ)/(m+t_x)), m the
smaller of α and β, the integrand is log-concave and has no singular point nearer than iπ, so one Gauss–Legendre rule of 32 nodes
gives 12 digits; it is taken relative to its value at t_x and cut where it has fallen to e^-45. The gradient is the mean of the
integrand's logarithmic derivatives under the same rule.
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass
from typing import ClassVar, NamedTuple, Self

import numpy as np
from scipy.special import digamma, exprel, gammaln

from segmentation.maths.arrays import Floats, tally, weighted_sum
from segmentation.maths.fitting import Fit, Optimum, Prior, Sample, describe, maximise
from segmentation.maths.lives import Lives
from segmentation.maths.priors import PARETO, small_company_prior
from segmentation.maths.purchases import Purchases, Rows, discount_factors
from segmentation.maths.quadrature import unit_interval

NAMES = ("r", "alpha", "s", "beta")
NODES = 32
CUT = 45.0
FOREVER = 1e12
CHUNK = 8192  # rows × 32 nodes stay in the cache
SAMPLE_ABOVE, SAMPLE_STEP = 4000, 8  # rows


class Ended(NamedTuple):
    """log(Q / D(T)) and its derivatives in r, alpha, s and beta, each of shape (n,)."""

    odds: Floats
    by_r: Floats
    by_alpha: Floats
    by_s: Floats
    by_beta: Floats


def ended(power: Floats, alpha: Floats, s: float, beta: Floats, start: Floats, stop: Floats) -> Ended:
    """The logarithm of the odds that the end came between `start` and `stop`; -infinity where they are one. `power` is r + x.

    `alpha` and `beta` broadcast to the other arrays of shape (n,).
    """
    arrays = np.broadcast_arrays(power, alpha, beta, start, stop)
    parts = [_ended(*(array[i : i + CHUNK] for array in arrays), s=s) for i in range(0, len(arrays[0]), CHUNK)]
    return Ended(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else Ended(*(np.zeros(0),) * 5)


def _ended(power: Floats, alpha: Floats, beta: Floats, start: Floats, stop: Floats, *, s: float) -> Ended:
    u, weight = unit_interval(NODES)
    least = np.minimum(alpha, beta)
    length = np.log((least + stop) / (least + start))
    # Log-concave: below its tangent at the start, so it has fallen to e^-CUT where the tangent has.
    fall = power * (least + start) / (alpha + start) + (s + 1) * (least + start) / (beta + start) - 1
    cut = np.minimum(length, CUT / np.maximum(fall, 1e-12))
    passed = (least + start)[:, None] * np.expm1(cut[:, None] * u)  # τ - t_x at the nodes
    by_alpha, by_beta = 1 / ((alpha + start)[:, None] + passed), 1 / ((beta + start)[:, None] + passed)
    gone_alpha, gone_beta = np.log1p(passed / (alpha + start)[:, None]), np.log1p(passed / (beta + start)[:, None])
    # log of the integrand in y relative to its value at t_x, dτ = (m + τ) dy
    height = -power[:, None] * gone_alpha - (s + 1) * gone_beta + cut[:, None] * u
    mass = weight * np.exp(height)
    total = mass.sum(axis=1)
    mass /= total[:, None]
    to_alpha, to_beta = np.log((alpha + stop) / (alpha + start)), np.log((beta + stop) / (beta + start))
    with np.errstate(divide="ignore"):  # nothing between start and stop: odds of nothing
        odds = np.log(s * total * cut * (least + start) / (beta + start)) + power * to_alpha + s * to_beta
    mean = "ij,ij->i"
    return Ended(
        odds,
        to_alpha - np.einsum(mean, mass, gone_alpha),
        power * (1 / (alpha + stop) - np.einsum(mean, mass, by_alpha)),
        1 / s + to_beta - np.einsum(mean, mass, gone_beta),
        s / (beta + stop) - (s + 1) * np.einsum(mean, mass, by_beta),
    )


class ParetoLikelihood:
    """The log-likelihood of collapsed rows in log r, log alpha, log s, log beta; times divided by `scale`."""

    def __init__(self, rows: Rows, scale: float = 1.0, weight: Floats | None = None) -> None:
        self.weight = rows.weight if weight is None else weight
        self.times = rows.times / scale
        self.frequency = rows.frequency.astype(np.float64)
        self.recency, self.age = self.times[rows.recency_at], self.times[rows.age_at]
        self.x = np.arange(int(rows.frequency.max(initial=0)) + 1, dtype=np.float64)
        self.counts = tally(rows.frequency, self.weight, len(self.x))
        self.total = float(self.counts.sum())
        self.at_age = tally(rows.age_at, self.weight, len(self.times))
        self.orders_at_age = tally(rows.age_at, self.weight * rows.frequency, len(self.times))

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]:
        r, alpha, s, beta = np.exp(theta)
        n, from_alpha, from_beta = self.total, alpha + self.times, beta + self.times
        orders = r * self.at_age + self.orders_at_age
        value = self.counts @ (gammaln(r + self.x) - gammaln(r)) + n * (r * theta[1] + s * theta[3])
        value -= weighted_sum(orders, np.log(from_alpha)) + s * weighted_sum(self.at_age, np.log(from_beta))
        slope = np.array(
            [
                self.counts @ (digamma(r + self.x) - digamma(r)) + n * theta[1] - weighted_sum(self.at_age, np.log(from_alpha)),
                n * r / alpha - weighted_sum(orders, 1 / from_alpha),
                n * theta[3] - weighted_sum(self.at_age, np.log(from_beta)),
                n * s / beta - s * weighted_sum(self.at_age, 1 / from_beta),
            ]
        )
        odds, *by = ended(r + self.frequency, np.asarray(alpha), s, np.asarray(beta), self.recency, self.age)
        gone = self.weight * np.exp(-np.logaddexp(0.0, -odds))
        value += weighted_sum(self.weight, np.logaddexp(0.0, odds))
        slope += [weighted_sum(gone, part) for part in by]
        return float(value), slope * np.exp(theta)


@dataclass(frozen=True)
class ParetoNbd:
    """The parameters, and what they say of customers. `alpha`, `beta` and all times are in the unit of the Purchases fitted on."""

    r: float
    alpha: float
    s: float
    beta: float

    name: ClassVar[str] = "pareto_nbd"

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) and value > 0 for value in astuple(self)):
            raise ValueError("parameters must be positive and finite")

    @classmethod
    def likelihood(cls, rows: Rows, scale: float = 1.0, weight: Floats | None = None) -> ParetoLikelihood:
        return ParetoLikelihood(rows, scale, weight)

    @classmethod
    def log_likelihood(cls, purchases: Purchases, params: Self) -> float:
        return cls.likelihood(purchases.rows)(np.log(astuple(params)))[0]

    @classmethod
    def default_prior(cls, purchases: Purchases) -> Prior | None:
        r, age = (1.0 if len(purchases) >= 100 else 1.2), float(purchases.age.sum()) or 1.0
        levels = (r * age / (purchases.repeats + 1.0), age / max(len(purchases), 1))
        return small_company_prior(len(purchases), PARETO, levels, (0, 2, 1, 3))

    @classmethod
    def fit(cls, purchases: Purchases, *, prior: Prior | None = None) -> Fit:
        """Maximum likelihood, or the posterior's mode with `prior` (see `default_prior`). Never raises for want of data: see `status`."""
        started = time.perf_counter()
        if not len(purchases):
            raise ValueError("no customers to fit")
        scale = float(purchases.age.mean()) or 1.0
        rows = purchases.rows
        rough = Sample(cls.likelihood(rows.every(SAMPLE_STEP), scale)) if len(rows.weight) > SAMPLE_ABOVE else None
        scaled = None if prior is None else Prior(prior.name, _scaled(prior.centre, scale), prior.sd, prior.is_reference)
        start = np.log([1.0, (float(purchases.age.sum()) / scale + 1) / (purchases.repeats + 1), 0.8, 0.5])
        optimum = maximise(cls.likelihood(rows, scale), np.clip(start, -8, 8), prior=scaled, rough=rough)
        return describe(
            cls.name,
            NAMES,
            optimum,
            scales=(1.0, scale, 1.0, scale),
            constant=-purchases.repeats * float(np.log(scale)),
            customers=len(purchases),
            started=started,
            unit_days=purchases.unit_days,
            prior=prior,
            runaway=_runaway(purchases, optimum, prior),
        )

    def probability_alive(self, purchases: Purchases) -> Floats:
        """P(still a customer at T), shape (n,)."""
        odds = self._odds(purchases.frequency, 0.0, purchases.recency, purchases.age)
        return np.asarray(np.exp(-np.logaddexp(0.0, odds)), dtype=np.float64)

    def probability_no_order(self, t: float | Floats, purchases: Purchases) -> Floats:
        """P(no order in the next t): gone already, or alive and silent. The risk to act on, unlike 1 - P(alive)."""
        alive, power, age = self.probability_alive(purchases), self.r + purchases.frequency, purchases.age
        t = np.minimum(np.broadcast_to(np.asarray(t, dtype=np.float64), age.shape), FOREVER * (self.alpha + self.beta + age))
        lasts = -power * np.log1p(t / (self.alpha + age)) - self.s * np.log1p(t / (self.beta + age))
        silent = np.exp(lasts + np.logaddexp(0.0, self._odds(purchases.frequency, age, np.zeros(len(age)), t)))
        return np.asarray(1 - alive * (1 - np.minimum(silent, 1.0)), dtype=np.float64)

    def time_to_next_order(self, purchases: Purchases, quantile: float = 0.5) -> Floats:
        """When the next order has come with this probability, from T on; infinity where it probably never comes.

        Found by bisection of the logarithm to one part in 10^6; times beyond 10^6 x (alpha + age) count as never.
        """
        low = np.full(len(purchases), -14.0)
        high = np.full(len(purchases), 14.0)
        scale = self.alpha + purchases.age
        never = self.probability_no_order(np.exp(high) * scale, purchases) > 1 - quantile
        for _ in range(25):
            middle = (low + high) / 2
            waits = self.probability_no_order(np.exp(middle) * scale, purchases) > 1 - quantile
            low, high = np.where(waits, middle, low), np.where(waits, high, middle)
        return np.asarray(np.where(never, np.inf, np.exp(high) * scale), dtype=np.float64)

    def expected_purchases(self, t: float | Floats, purchases: Purchases) -> Floats:
        """Orders to expect in the next t from what is known of each customer, shape (n,). The limit is taken at s = 1."""
        return self.probability_alive(purchases) * self._if_alive(purchases.frequency, purchases.age, np.asarray(t, dtype=np.float64))

    def discounted_purchases(self, purchases: Purchases, periods: int, rate: float) -> Floats:
        """Σ (1 + rate)^-(i-½) × orders expected in period i = 1 … periods after T, `rate` per period."""
        return self.probability_alive(purchases) * self.discounted_if_alive(purchases.frequency, purchases.age, periods, rate)

    def discounted_if_alive(self, frequency: Floats, age: Floats, periods: int, rate: float) -> Floats:
        """The same for customers known to be alive at T."""
        factors = discount_factors(periods, rate)
        ages, place = np.unique(age, return_inverse=True)  # per order of (r + x), it depends on T alone
        steps = factors - np.append(factors[1:], 0.0)
        lasting = np.zeros(len(ages))
        for i, step in enumerate(steps, start=1):
            lasting += step * self._lasting(ages, float(i))
        return (self.r + frequency) * (lasting / (self.alpha + ages))[place]

    def discounted_lifetime_purchases(self, purchases: Purchases, annual_rate: float) -> Floats:
        """DERT: expected orders after T without horizon, discounted continuously at log(1 + annual_rate) a year.

        Neither the first order nor any up to T is in it. Fader, Hardie & Lee (2005), 'RFM and CLV', JMR 42(4), eq. (2): Ψ(s, s; δ(β+T))
        there is ∫ e^-δt ((β+T)/(β+T+t))^s dt here. ValueError without a positive rate: the sum may then have no end.
        """
        if annual_rate <= 0:
            raise ValueError("a value without horizon needs a positive discount rate")
        delta = float(np.log1p(annual_rate)) * purchases.unit_days / 365.25
        u, weight = unit_interval(96)
        base = delta * (self.beta + purchases.age)
        # In y = log(1 + t/(β+T)); beyond the cut, e^-δt < e^-45.
        cut = np.log1p(CUT / base)[:, None]
        lasting = np.exp(-base[:, None] * np.expm1(cut * u) - (self.s - 1) * cut * u) @ weight * cut[:, 0]
        rate = (self.r + purchases.frequency) / (self.alpha + purchases.age)
        return np.asarray(self.probability_alive(purchases) * rate * (self.beta + purchases.age) * lasting, dtype=np.float64)

    def expected_from_start(self, t: float | Floats) -> Floats:
        """E[X(t)]: repeat orders of a customer of whom only the first order is known, t after it."""
        t = np.atleast_1d(np.asarray(t, dtype=np.float64))
        return self.r / self.alpha * self._lasting(np.zeros(t.shape), t)

    def simulate(self, rng: np.random.Generator, age: Floats, unit_days: float = 7.0) -> Purchases:
        """Customers whose first order was `age` ago, as the model has them: one history for each."""
        nothing = np.zeros(len(age))
        return self.lives(rng, nothing, nothing).history(rng, age, np.zeros(len(age), dtype=bool), unit_days)

    def lives(self, rng: np.random.Generator, frequency: Floats, age: Floats) -> Lives:
        """One draw of what a customer with this past, alive at T, is like. Shape of `frequency`."""
        rate = rng.gamma(self.r + frequency) / (self.alpha + age)
        return Lives(rate, rng.gamma(self.s, size=frequency.shape) / (self.beta + age), last_order_ends=False)

    def _odds(self, frequency: Floats, passed: float | Floats, start: Floats, stop: Floats) -> Floats:
        """log odds of having ended between; `passed` is the age at which the customer was last known to be alive."""
        passed = np.asarray(passed, dtype=np.float64)
        return ended(self.r + frequency, self.alpha + passed, self.s, self.beta + passed, start, stop).odds

    def _if_alive(self, frequency: Floats, age: Floats, t: Floats) -> Floats:
        return (self.r + frequency) / (self.alpha + age) * self._lasting(age, t)

    def _lasting(self, age: Floats, t: float | Floats) -> Floats:
        """Expected time as a customer within the next t, of one alive at `age`: ∫ ((β+T)/(β+T+τ))^s dτ."""
        grown = np.log1p(np.asarray(t) / (self.beta + age))
        return np.asarray((self.beta + age) * grown * exprel(-(self.s - 1) * grown), dtype=np.float64)


def _scaled(centre: tuple[float, ...], scale: float) -> tuple[float, ...]:
    return (centre[0], centre[1] / scale, centre[2], centre[3] / scale)


def _runaway(purchases: Purchases, optimum: Optimum, prior: Prior | None) -> str | None:
    """The status where parameters ran off along a ridge of the likelihood; None where they did not."""
    if prior is not None:
        return None
    if purchases.repeats == 0:
        return "no_repeats"
    if len(purchases) < 2:
        return "few_rows"
    r, alpha, s, beta = np.exp(optimum.theta)
    if s / beta < 1e-3:  # per mean age
        return "no_dropout_seen"
    if s > 1e3 and beta > 1e3:
        return "same_dropout_for_all"
    if r > 1e3 and alpha > 1e3:
        return "same_rate_for_all"
    return None
