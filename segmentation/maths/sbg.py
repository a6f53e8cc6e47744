"""Shifted-beta-geometric: each contract has its own chance to be lost, the same at every renewal; the chances are beta distributed.

Survival is S(t) = B(alpha, beta + t) / B(alpha, beta), the retention rate r_t = (beta + t − 1) / (alpha + beta + t − 1): it rises with
age because the shaky contracts go first. Source: Fader & Hardie (2007), How to project customer retention; (2010), Customer-base
valuation in a contractual setting, for DEL and DERL.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from segmentation.maths.arrays import Floats
from segmentation.maths.renewal_fitting import REFERENCE, Model, Prior, fit_model
from segmentation.maths.renewals import RenewalFit, Renewals

MOST_TERMS = 20_000  # of a continued fraction; a discount rate of 0.1 % takes some hundred

# A seventh of the contracts lost at the first renewal, as with yearly maintenance; the prior is so wide that it decides little.
PRIOR = Prior("yearly service contracts", centre=(1.0, 6.0), sd=(1.5, 1.5))


def log_retention(theta: Floats, periods: int) -> tuple[Floats, Floats]:
    """ln r_t for t = 1 … periods, shape (periods,), and its gradient in (ln alpha, ln beta), shape (periods, 2).

    Exact to rounding also where alpha and beta are huge or tiny: no gamma function takes part.
    """
    alpha, beta = np.exp(theta)
    left = beta + np.arange(periods)
    total = alpha + left
    gradient = np.column_stack([-alpha / total, alpha * beta / (left * total)])
    return -np.log1p(alpha / left), gradient


MODEL = Model("sbg", ("alpha", "beta"), log_retention, PRIOR, bounds=((-9.2, 9.2), (-9.2, 9.2)))


def fit(renewals: Renewals, *, method: str = "auto", prior: Prior = PRIOR, reference: Renewals | None = REFERENCE) -> RenewalFit:
    """`fit_model` of the shifted-beta-geometric."""
    return fit_model(MODEL, renewals, method=method, prior=prior, reference=reference)


def discounted_lifetime(alpha: ArrayLike, beta: ArrayLike, discount: ArrayLike) -> Floats:
    """DEL: expected discounted number of payments of a new contract, the first, now, included, without end. `discount` > 0 per period.

    2F1(1, beta; alpha + beta; 1 / (1 + d)), Fader & Hardie (2010).
    """
    return _payments(alpha, beta, discount)


def discounted_residual_lifetime(alpha: ArrayLike, beta: ArrayLike, discount: ArrayLike, renewal: ArrayLike) -> Floats:
    """DERL: expected discounted number of payments still to come, seen just before the `renewal`-th renewal (1, 2 …), its own included.

    (beta + n − 1) / (alpha + beta + n − 1) · 2F1(1, beta + n; alpha + beta + n; 1 / (1 + d)), Fader & Hardie (2010).
    """
    a, b, n = (np.asarray(value, dtype=float) for value in (alpha, beta, renewal))
    if np.any(n < 1):
        raise ValueError("the renewal before which a contract stands is the first or a later one")
    return np.asarray((b + n - 1) / (a + b + n - 1) * _payments(a, b + n, discount))


def _payments(alpha: ArrayLike, beta: ArrayLike, discount: ArrayLike) -> Floats:
    a, b, d = (np.asarray(value, dtype=float) for value in (alpha, beta, discount))
    if np.any(a <= 0) or np.any(b <= 0) or np.any(d <= 0):
        raise ValueError("alpha, beta and the discount rate must be above 0")
    return gauss_fraction(b, a + b, 1.0 / (1.0 + d))


def gauss_fraction(b: Floats, c: Floats, z: Floats) -> Floats:
    """2F1(1, b; c; z) for 0 < b < c and 0 <= z < 1 by Gauss's continued fraction, broadcast.

    scipy's hyp2f1 gives NaN for b = 3000 or c − b = 200, where this keeps 10 digits. Source: DLMF 15.7.5, evaluated after Lentz.
    """
    b, c, z = np.broadcast_arrays(b, c, z)
    value, numerator, denominator = np.ones(z.shape), np.ones(z.shape), np.zeros(z.shape)
    for k in range(1, MOST_TERMS):
        n = k // 2
        if k == 1:
            term = -b / c * z
        elif k % 2:
            term = -(b + n) * (c - 1 + n) / ((c - 1 + 2 * n) * (c + 2 * n)) * z
        else:
            term = -n * (c - 1 - b + n) / ((c + 2 * n - 2) * (c + 2 * n - 1)) * z
        denominator = 1.0 / (1.0 + term * denominator)
        numerator = 1.0 + term / numerator
        change = numerator * denominator
        value = value * change
        if k > 2 and np.all(np.abs(change - 1.0) < 8 * np.finfo(float).eps):
            break
    return np.asarray(1.0 / value)
