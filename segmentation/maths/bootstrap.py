"""Non-parametric bootstrap over customers, on collapsed rows: a resample only changes the rows' weights (multinomial)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.maths.arrays import Floats
from segmentation.maths.fitting import HIGHEST, LOWEST, Fit, Likelihood, Objective, maximise
from segmentation.maths.order_models import likelihood_of
from segmentation.maths.purchases import Purchases

_GAIN_LEFT = 1e-5  # in log-likelihood: a two-hundredth of a standard error
_MOST_STEPS = 25


@dataclass(frozen=True)
class Bootstrap:
    """Parameters refitted on resampled customers, shape (replicates, parameters), in the order and units of the fit's."""

    names: tuple[str, ...]
    params: Floats
    searched_anew: int  # replicates in which the short way from the fit did not arrive

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Low and high of each parameter, by percentiles."""
        low, high = np.quantile(self.params, [(1 - level) / 2, (1 + level) / 2], axis=0)
        return np.asarray(low), np.asarray(high)


def bootstrap(purchases: Purchases, fit: Fit, *, replicates: int = 200, seed: int = 0) -> Bootstrap:
    """Refits of `fit` (same model, same prior) to resampled customers; the same seed gives the same numbers.

    Each starts at the fit and takes Newton steps with the fit's own covariance for the inverse Hessian: a resample's differs
    by a share of 1/√n, so three or four passes over the rows do. Where they do not, the search is made in full.
    """
    rng = np.random.default_rng(seed)
    rows, build = purchases.rows, likelihood_of(fit.model)
    share = rows.weight / rows.weight.sum()
    start = np.log(fit.values)
    found, anew = [], 0
    for _ in range(replicates):
        weight = rng.multinomial(len(purchases), share).astype(np.float64)
        likelihood = build(rows, 1.0, weight)
        theta = _short_way(likelihood, start, fit)
        if theta is None:
            anew += 1
            theta = maximise(likelihood, start, prior=fit.prior, is_near=True).theta
        found.append(np.exp(theta))
    return Bootstrap(tuple(fit.params), np.array(found).reshape(-1, len(fit.params)), anew)


def _short_way(likelihood: Likelihood, start: Floats, fit: Fit) -> Floats | None:
    objective, theta = Objective(likelihood, fit.prior), start
    for _ in range(_MOST_STEPS):
        _value, gradient = objective(theta)
        step = fit.covariance @ gradient
        if float(gradient @ step) / 2 < _GAIN_LEFT:
            return np.asarray(theta, dtype=np.float64)
        if np.abs(step).max() > 2:
            return None
        theta = np.clip(theta + step, LOWEST * 2, HIGHEST * 2)
    return None
