"""How a contract model finds its parameters: one likelihood, one optimiser and one rule for few contracts, for all models.

The data are binomial: of those who face their t-th renewal, passed[t] pass with chance r_t. So a model is no more than the
logarithm of r_t and its gradient in the logarithms of the parameters.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from segmentation.maths.arrays import Floats
from segmentation.maths.renewals import RenewalFit, Renewals, renewals_from_survivors

ENOUGH_FOR_ML = 1_000  # contracts that faced a renewal; below, the weak prior takes part
ENOUGH_ALONE = 100  # below, a reference population fills up to this number and the result is indicative
PRIOR_SD = 1.5
GAIN_LEFT = 1e-7  # log-likelihood that one more Newton step could add at a converged fit
LEVELLED = 4.0  # ln alpha and ln beta from which contracts hardly differ
LEVEL_GAIN = 1e-3  # log-likelihood
LEVEL_SLOPE = 0.05  # log-likelihood per unit of a log parameter along a ridge: about what is left on it
TOLD = 0.1  # second derivative from which the data can be said to tell a direction
METHODS = ("auto", "ml", "map", "pooled")

# Yearly renewals of 1,000 customers of the segment High End in Fader & Hardie (2007), Table 1: a published population near to
# service contracts (13 % lost at the first renewal, 5 % at the seventh). For other periods give your own population.
REFERENCE = renewals_from_survivors([1000, 869, 743, 653, 593, 551, 517, 491])

_STEP = 1e-4
_STARTS = (0.0, -0.7, 0.7)  # of ln c


@dataclass(frozen=True)
class Prior:
    """Independent log-normal priors in the order of the parameters: centre in natural units, `sd` of the logarithm.

    A company-wide fit as centre with a small sd is partial pooling: a segment's few contracts then lean on all the others.
    """

    name: str
    centre: tuple[float, ...]
    sd: tuple[float, ...]

    def penalty(self, theta: Floats) -> tuple[float, Floats]:
        """Log density but for its constant, and its gradient, at `theta` = log parameters."""
        sd = np.array(self.sd)
        away = (theta - np.log(self.centre)) / sd
        return -0.5 * float(np.sum(away**2)), -away / sd


@dataclass(frozen=True)
class Model:
    name: str
    parameters: tuple[str, ...]
    log_retention: Callable[[Floats, int], tuple[Floats, Floats]]
    prior: Prior
    bounds: tuple[tuple[float, float], ...]  # of the log parameters


@dataclass(frozen=True)
class _Optimum:
    theta: Floats
    information: Floats  # minus the second derivatives of what was maximised
    is_level: bool  # nothing worth having is left, be it that the likelihood still creeps up along a ridge
    gain_left: float
    is_free: bool


def log_likelihood(model: Model, theta: Floats, renewals: Renewals) -> tuple[float, Floats]:
    """Total log-likelihood at `theta` = log parameters, no constant dropped, and its gradient."""
    periods = len(renewals.passed)
    if not periods:
        return 0.0, np.zeros(len(theta))
    log_rate, slope = model.log_retention(theta, periods)
    # A rate that rounds to 1 loses nobody: the smallest chance that a float holds keeps the logarithm finite.
    loss = np.maximum(-np.expm1(log_rate), np.finfo(float).tiny)
    value = np.sum(renewals.passed * log_rate) + np.sum(renewals.lost * np.log(loss))
    by_log_rate = renewals.passed - renewals.lost * np.exp(log_rate) / loss
    return float(value), np.sum(by_log_rate[:, None] * slope, axis=0)


def fit_model(model: Model, renewals: Renewals, *, method: str, prior: Prior, reference: Renewals | None) -> RenewalFit:
    """Fit by maximum likelihood (ml), with the weak prior (map), or with prior and reference population (pooled).

    auto takes ml from ENOUGH_FOR_ML contracts that faced a renewal, map from ENOUGH_ALONE, pooled below. Where ml is asked for and
    the likelihood has no maximum, the prior decides, `converged` is False and the notes say so; under auto that is map, and said
    too. `reference` None pools with the prior alone. Deterministic.
    """
    if method not in METHODS:
        raise ValueError(f"method is one of {', '.join(METHODS)}")
    started = time.perf_counter()
    problem = _problem(model, renewals)
    asked = _by_size(renewals) if method == "auto" else method
    used = "map" if asked == "ml" and problem else asked
    rows = renewals
    if used == "pooled" and reference is not None and renewals.faced < ENOUGH_ALONE:
        rows = renewals.plus(reference.scaled((ENOUGH_ALONE - renewals.faced) / reference.contracts))
    best = _maximise(model, rows, prior if used != "ml" else None)
    is_sure = best.gain_left < GAIN_LEFT
    covariance, is_told = _covariance(best.information)
    status = problem or _ending(best, is_sure, is_told)
    params = dict(zip(model.parameters, np.exp(best.theta).tolist(), strict=True))
    errors = np.exp(best.theta) * np.sqrt(np.diag(covariance))
    return RenewalFit(
        model=model.name,
        params=params,
        log_likelihood=log_likelihood(model, best.theta, renewals)[0],
        converged=(is_sure or status == "same_rate_for_all") and (asked == used or method == "auto"),
        status=status,
        method=used,
        se=dict(zip(model.parameters, errors.tolist(), strict=True)) if best.is_free and is_told else {},
        covariance=covariance,
        customers=renewals.contracts,
        seconds=time.perf_counter() - started,
        is_indicative=renewals.faced < ENOUGH_ALONE,
        notes=_notes(model, renewals, status, asked, used, prior, has_reference=rows is not renewals),
    )


def _by_size(renewals: Renewals) -> str:
    if renewals.faced < ENOUGH_ALONE:
        return "pooled"
    return "map" if renewals.faced < ENOUGH_FOR_ML else "ml"


def _problem(model: Model, renewals: Renewals) -> str:
    """Why the likelihood alone has no single maximum; empty where nothing speaks against one."""
    if renewals.faced <= 0:
        return "no_renewals"
    if not renewals.lost.any():
        return "nobody_lost"
    if not renewals.passed.any():
        return "all_lost"
    if renewals.faced <= 1:
        return "one_contract"
    return "few_periods" if renewals.ages_seen < len(model.parameters) else ""


def _maximise(model: Model, rows: Renewals, prior: Prior | None) -> _Optimum:
    """The best of a quasi-Newton search from each start, sharpened by Newton steps."""

    def negative(theta: Floats) -> tuple[float, Floats]:
        value, gradient = log_likelihood(model, theta, rows)
        if prior is not None:
            penalty, slope = prior.penalty(theta)
            value, gradient = value + penalty, gradient + slope
        return -value, -gradient

    centre = np.log(model.prior.centre)
    starts = [centre] if len(centre) == 2 else [np.array([*centre[:2], ln_c]) for ln_c in _STARTS]
    # Not L-BFGS-B: its triangles of three by three go through LAPACK, whose idle threads cost several times the fit.
    found = [
        minimize(negative, start, jac=True, method="TNC", bounds=model.bounds, options={"ftol": 1e-12, "maxfun": 500}) for start in starts
    ]
    theta = np.asarray(min(found, key=lambda one: float(one.fun)).x, dtype=float)
    return _sharpen(negative, theta, model.bounds)


def _sharpen(negative: Callable[[Floats], tuple[float, Floats]], theta: Floats, bounds: tuple[tuple[float, float], ...]) -> _Optimum:
    """Newton steps inside the bounds while they help. At a bound only what is free counts as gain."""
    low, high = np.array(bounds).T
    gain = np.inf
    for _ in range(20):
        value, gradient = negative(theta)
        information = _curvature(negative, theta)
        free = ~((theta <= low) & (gradient > 0) | (theta >= high) & (gradient < 0))
        step = np.zeros(len(theta))
        try:
            step[free] = np.linalg.solve(_lifted(information[np.ix_(free, free)]), gradient[free])
        except np.linalg.LinAlgError:
            break  # `gain` stays what it was, and the fit says that it did not converge
        gain = 0.5 * float(gradient @ step)
        if gain < GAIN_LEFT / 100:
            break
        size = 1.0
        while size > 1e-4 and negative(np.clip(theta - size * step, low, high))[0] >= value:
            size /= 2
        if size <= 1e-4:
            break
        theta = np.clip(theta - size * step, low, high)
    # The bounds are wide; who comes near has run away, be it that rounding stopped the search before the wall.
    is_free = bool(np.all((theta > low + 1.0) & (theta < high - 1.0)))
    information = _curvature(negative, theta)
    return _Optimum(theta, information, _is_level(negative(theta)[1], information), gain, is_free)


def _is_level(gradient: Floats, information: Floats) -> bool:
    values, vectors = np.linalg.eigh(information)
    slopes = np.abs(vectors.T @ gradient)
    is_steep = values > TOLD
    gain = 0.5 * np.sum(slopes[is_steep] ** 2 / values[is_steep])
    return bool(gain < LEVEL_GAIN and np.all(slopes[~is_steep] < LEVEL_SLOPE))


def _curvature(negative: Callable[[Floats], tuple[float, Floats]], theta: Floats) -> Floats:
    """Second derivatives by central differences of the analytic gradient, made symmetric."""
    steps = np.eye(len(theta)) * _STEP
    columns = np.array([(negative(theta + step)[1] - negative(theta - step)[1]) / (2 * _STEP) for step in steps])
    return np.asarray((columns + columns.T) / 2, dtype=float)


def _lifted(information: Floats, floor: float = 1e-6) -> Floats:
    """The nearest matrix whose eigenvalues are at least `floor`."""
    values, vectors = np.linalg.eigh(information)
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)


def _covariance(information: Floats) -> tuple[Floats, bool]:
    """Inverse information, and whether it is the data's own: directions that they do not tell get the prior's width."""
    floor = PRIOR_SD**-2
    values = np.linalg.eigvalsh(information)
    told = bool(values.min() > TOLD)
    return np.asarray(np.linalg.inv(information if told else _lifted(information, floor))), told


def _ending(best: _Optimum, is_sure: bool, is_told: bool) -> str:
    """Where alpha and beta run away together the likelihood levels out, and the search ends at the bound or well before it."""
    if not (best.is_free and is_told) and best.is_level and np.all(best.theta[:2] > LEVELLED):
        return "same_rate_for_all"
    if not best.is_free:
        return "at_bound"
    return "ok" if is_sure else "not_converged"


def _notes(model: Model, renewals: Renewals, status: str, asked: str, used: str, prior: Prior, *, has_reference: bool) -> tuple[str, ...]:
    said = {
        "no_renewals": "No contract has faced a renewal yet.",
        "one_contract": "Only one contract has faced a renewal.",
        "nobody_lost": "No contract was lost.",
        "all_lost": "Every contract was lost at its first renewal under observation.",
        "few_periods": f"Renewals were faced at {renewals.ages_seen} age(s), {len(model.parameters)} parameters need as many.",
        "same_rate_for_all": "The contracts do not differ in their chance to be lost; survival is geometric.",
        "at_bound": "A parameter stands at the edge of what is searched.",
        "not_converged": "The search ended before the likelihood was at its maximum.",
    }
    notes = [said[status]] if status in said else []
    if asked != used:
        notes.append("The likelihood alone has no maximum; the weak prior decides.")
    if used != "ml":
        notes.append(f"Weak log-normal prior: {prior.name}, centre {prior.centre}, sd {prior.sd}.")
    if has_reference:
        notes.append(f"Fewer than {ENOUGH_ALONE} contracts: filled up with a reference population; indicative.")
    return tuple(notes)
