"""What a fitted contract model says of the next renewals: rates, survival, and the same over draws of its parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import qmc

from segmentation.maths import bdw, sbg
from segmentation.maths.arrays import Floats
from segmentation.maths.renewal_fitting import Model
from segmentation.maths.renewals import LONGEST_AGE, RenewalFit

MODELS: dict[str, Model] = {"sbg": sbg.MODEL, "bdw": bdw.MODEL}


def retention_rates(fit: RenewalFit, periods: int) -> Floats:
    """r_t for t = 1 … periods, shape (periods,): the chance to pass the t-th renewal of those who face it."""
    return np.exp(_log_rates(fit.model, fit.log_params, periods))


def survival(fit: RenewalFit, periods: int) -> Floats:
    """S(0) … S(periods), shape (periods + 1,): the share of new contracts that passes t renewals. Never rises; S(0) = 1."""
    return np.exp(log_survival(fit, periods))


def log_survival(fit: RenewalFit, periods: int) -> Floats:
    """ln S(0) … ln S(periods): S itself falls below what a float holds for old contracts of a model with rising risk."""
    return np.concatenate([[0.0], np.cumsum(_log_rates(fit.model, fit.log_params, periods))])


def conditional_survival(fit: RenewalFit, passed: ArrayLike, ahead: ArrayLike) -> Floats:
    """The chance that a contract that passed `passed` renewals passes the next `ahead` too; whole numbers, broadcast."""
    start, further = np.asarray(passed), np.asarray(ahead)
    if np.any(start < 0) or np.any(further < 0) or np.any(start != np.floor(start)) or np.any(further != np.floor(further)):
        raise ValueError("renewals are whole numbers that are not negative")
    first, last = start.astype(np.int64), (start + further).astype(np.int64)
    longest = int(np.max(last, initial=0))
    if longest > 2 * LONGEST_AGE:
        raise ValueError(f"renewals beyond {2 * LONGEST_AGE} are no forecast")
    cumulated = log_survival(fit, longest)
    return np.asarray(np.exp(cumulated[last] - cumulated[first]))


def renewal_probability(fit: RenewalFit, passed: ArrayLike) -> Floats:
    """The chance that a contract that passed `passed` renewals passes its next one. 1 − this is its churn risk."""
    return conditional_survival(fit, passed, 1)


def draw_log_params(fit: RenewalFit, draws: int) -> Floats:
    """Parameters that the data also allow, as logarithms, shape (draws, k): normal about the fit with its covariance (Laplace).

    A Halton sequence stands for random numbers: the same every time, and even with few draws. Held inside the model's bounds.
    """
    k = len(fit.params)
    uniform = qmc.Halton(k, scramble=False).random(draws + 1)[1:]  # the first point is the corner 0
    normal = ndtri(uniform) @ np.linalg.cholesky(fit.covariance).T
    low, high = np.array(MODELS[fit.model].bounds).T
    return np.clip(fit.log_params + normal, low, high)


def drawn_log_survival(fit: RenewalFit, periods: int, draws: int) -> Floats:
    """ln S(0) … ln S(periods) for each draw of the parameters, shape (draws, periods + 1)."""
    rates = np.array([_log_rates(fit.model, theta, periods) for theta in draw_log_params(fit, draws)])
    return np.concatenate([np.zeros((draws, 1)), np.cumsum(rates, axis=1)], axis=1)


def _log_rates(model: str, theta: Floats, periods: int) -> Floats:
    if periods < 0:
        raise ValueError("periods cannot be negative")
    return MODELS[model].log_retention(theta, periods)[0] if periods else np.zeros(0)
