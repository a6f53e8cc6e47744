"""Beta-discrete-Weibull: the shifted-beta-geometric where each contract's own risk may rise (c > 1) or fall (c < 1) with age.

S(t) = B(alpha, beta + t^c) / B(alpha, beta); c = 1 is the shifted-beta-geometric. Source: Fader, Hardie, Liu, Davin & Steenburgh (2018),
"How to project customer retention" revisited.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln

from segmentation.maths.arrays import Floats
from segmentation.maths.renewal_fitting import REFERENCE, Model, Prior, fit_model
from segmentation.maths.renewals import RenewalFit, Renewals
from segmentation.maths.sbg import PRIOR as SBG_PRIOR

# For c the centre is the simpler model; sd 0.5 keeps 95 % of the prior between 0.37 and 2.7, beyond which no published fit lies.
PRIOR = Prior("yearly service contracts", centre=(*SBG_PRIOR.centre, 1.0), sd=(*SBG_PRIOR.sd, 0.5))
_SERIES_FROM = 16.0  # where seven terms of Stirling's series are exact to rounding


def log_retention(theta: Floats, periods: int) -> tuple[Floats, Floats]:
    """ln r_t for t = 1 … periods, shape (periods,), and its gradient in (ln alpha, ln beta, ln c), shape (periods, 3)."""
    alpha, beta, c = np.exp(theta)
    age = np.arange(periods + 1, dtype=float)
    power = age**c
    left, total = beta + power, alpha + beta + power
    by_alpha = -alpha * digamma(total)
    by_left = digamma(left) - digamma(total)
    by_c = by_left * power * c * np.log(np.maximum(age, 1.0))
    log_survival = -_log_rising(left, alpha)  # but for a constant
    gradient = np.column_stack([by_alpha, beta * by_left, by_c])
    return np.minimum(np.diff(log_survival), 0.0), np.diff(gradient, axis=0)


def _log_rising(z: Floats, a: float) -> Floats:
    """ln Γ(z + a) − ln Γ(z). By Stirling's series for large z, where the difference of two gammaln would lose all digits."""
    large = np.maximum(z, _SERIES_FROM)
    series = (large + a - 0.5) * np.log1p(a / large) + a * np.log(large) - a + _stirling_rest(large + a) - _stirling_rest(large)
    return np.where(z >= _SERIES_FROM, series, gammaln(z + a) - gammaln(z))


def _stirling_rest(z: Floats) -> Floats:
    square = 1.0 / (z * z)
    terms = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
    total = np.zeros_like(z)
    for term in reversed(terms):
        total = total * square + term
    return total / z


MODEL = Model("bdw", ("alpha", "beta", "c"), log_retention, PRIOR, bounds=((-9.2, 9.2), (-9.2, 9.2), (-3.0, 3.0)))


def fit(renewals: Renewals, *, method: str = "auto", prior: Prior = PRIOR, reference: Renewals | None = REFERENCE) -> RenewalFit:
    """`fit_model` of the beta-discrete-Weibull."""
    return fit_model(MODEL, renewals, method=method, prior=prior, reference=reference)
