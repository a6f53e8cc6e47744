"""Gamma–Gamma: what a customer spends per order, shrunk towards all customers'. Fader, Hardie & Lee (2005); Fader & Hardie note 025.

Orders of a customer are Gamma(p, ν), ν ~ Gamma(q, v) over customers, apart from how often they order. Only customers with a repeat
order and positive spend tell anything. q > 1, or the mean of all customers were infinite: the search runs over log(q - 1).
"""

from __future__ import annotations

import time
from dataclasses import astuple, dataclass, replace
from typing import ClassVar, Self

import numpy as np
from scipy.special import digamma, gammaln

from segmentation.maths.arrays import Floats, tally, weighted_sum
from segmentation.maths.fitting import Fit, Prior, Sample, describe, maximise
from segmentation.maths.priors import SPEND, small_company_prior

NAMES = ("p", "q", "v")
CORRELATED = 0.3
SAMPLE_ABOVE, SAMPLE_STEP = 20_000, 8


class SpendLikelihood:
    """The log-likelihood of (x, mean spend z) in log p, log(q - 1), log v. `weight` is a bootstrap's."""

    def __init__(self, frequency: Floats, spend: Floats, weight: Floats | None = None) -> None:
        self.weight = np.ones(len(frequency)) if weight is None else weight
        self.x, at = np.unique(frequency, return_inverse=True)
        self.at, self.total_spend = at, frequency * spend
        self.frequency = frequency
        self.counts = tally(at, self.weight, len(self.x))
        self.log_spend = weighted_sum(self.weight, np.log(spend))
        self.log_total_by_order = weighted_sum(self.weight * frequency, np.log(self.total_spend))

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]:
        p, above_one, v = np.exp(theta)
        q, n, x, counts = 1 + above_one, float(self.counts.sum()), self.x, self.counts
        logs = np.log(v + self.total_spend)
        inverse = 1 / (v + self.total_spend)
        by_x = tally(self.at, self.weight * logs, len(x))
        inverse_by_x = tally(self.at, self.weight * inverse, len(x))
        value = counts @ (gammaln(p * x + q) - gammaln(p * x) - gammaln(q)) + n * q * theta[2]
        value += p * self.log_total_by_order - self.log_spend - (p * x + q) @ by_x
        both = digamma(p * x + q)
        slope = [
            counts @ (x * (both - digamma(p * x))) + self.log_total_by_order - x @ by_x,
            counts @ (both - digamma(q)) + n * theta[2] - by_x.sum(),
            n * q / v - (p * x + q) @ inverse_by_x,
        ]
        return float(value), np.array(slope) * np.array([p, above_one, v])


@dataclass(frozen=True)
class GammaGamma:
    """The parameters, and what they say of customers. `v` and all amounts are in the currency of the spend that was fitted."""

    p: float
    q: float
    v: float

    name: ClassVar[str] = "gamma_gamma"

    def __post_init__(self) -> None:
        if not all(np.isfinite(value) and value > 0 for value in astuple(self)) or self.q <= 1:
            raise ValueError("parameters must be positive and finite, q above 1")

    @property
    def mean_spend(self) -> float:
        """Expected spend per order of a customer of whom nothing is known."""
        return self.p * self.v / (self.q - 1)

    @classmethod
    def log_likelihood(cls, frequency: Floats, spend: Floats, params: Self) -> float:
        p, q, v = astuple(params)
        return SpendLikelihood(frequency, spend)(np.log([p, q - 1, v]))[0]

    @classmethod
    def default_prior(cls, frequency: Floats, spend: Floats) -> Prior | None:
        """In p, q - 1 and v; counts customers who tell something."""
        told = (frequency > 0) & (spend > 0)
        number = int(np.count_nonzero(told))
        p, above_one = SPEND.reference if number < 100 else SPEND.weak
        mean = float(spend[told].mean()) if number else 1.0
        return small_company_prior(number, SPEND, (mean * above_one / p,), (0, 1, 2))

    @classmethod
    def fit(cls, frequency: Floats, spend: Floats, *, prior: Prior | None = None) -> Fit:
        """Arrays of shape (n,) of all customers; those without repeat or positive spend are passed over.

        `prior` is centred on p, q - 1 and v. `notes` warn where frequency and spend go together, which the model denies. ValueError
        where no customer has both a repeat and spend.
        """
        started = time.perf_counter()
        told = (frequency > 0) & (spend > 0) & np.isfinite(spend)
        x, z = np.asarray(frequency, dtype=np.float64)[told], np.asarray(spend, dtype=np.float64)[told]
        if not len(x):
            raise ValueError("no customer has a repeat order and positive spend")
        scale = float(z.mean())
        scaled = None if prior is None else Prior(prior.name, (*prior.centre[:2], prior.centre[2] / scale), prior.sd, prior.is_reference)
        rough = Sample(SpendLikelihood(x[::SAMPLE_STEP], z[::SAMPLE_STEP] / scale)) if len(x) > SAMPLE_ABOVE else None
        optimum = maximise(SpendLikelihood(x, z / scale), np.log([4.0, 2.0, 0.5]), prior=scaled, rough=rough)
        p, above_one, _v = np.exp(optimum.theta)
        runaway = None
        if prior is None:
            if len(x) < 2:
                runaway = "few_rows"
            elif above_one > 1e3 or p > 1e3:
                runaway = "same_spread_for_all"
        fit = describe(
            cls.name,
            NAMES,
            optimum,
            scales=(1.0, 1.0, scale),
            constant=-len(x) * float(np.log(scale)),
            customers=len(x),
            started=started,
            prior=prior,
            runaway=runaway,
            notes=_correlation_note(x, z),
        )
        # The search ran over log(q - 1): the delta method gives q the standard error of q - 1.
        return replace(fit, params=fit.params | {"q": 1 + float(above_one)})

    def expected_spend(self, frequency: Floats, spend: Floats) -> Floats:
        """E(M | x, z): expected spend per order of each customer, shape (n,); the mean of all without a repeat."""
        x = np.where(spend > 0, frequency, 0.0)
        return np.asarray(self.p * (self.v + x * spend) / (self.p * x + self.q - 1), dtype=np.float64)

    def simulate(self, rng: np.random.Generator, frequency: Floats) -> Floats:
        """Mean spend of customers with so many repeat orders; 0 without any."""
        rate = rng.gamma(self.q, 1 / self.v, len(frequency))
        x = np.maximum(frequency, 1.0)
        return np.where(frequency > 0, rng.gamma(self.p * x) / rate / x, 0.0)


def correlation(frequency: Floats, spend: Floats) -> float:
    """Pearson's, of repeats and mean spend over customers who have both; 0 where either is the same for all."""
    told = (frequency > 0) & (spend > 0)
    x, z = frequency[told], spend[told]
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(z) == 0:
        return 0.0
    return float(np.corrcoef(x, z)[0, 1])


def _correlation_note(frequency: Floats, spend: Floats) -> tuple[str, ...]:
    found = correlation(frequency, spend)
    if abs(found) <= CORRELATED:
        return ()
    return (f"frequency and spend are correlated ({found:.2f}): Gamma-Gamma takes them to be independent",)
