"""Maximum likelihood for all models of this package: one optimiser, one result, one way to choose.

Parameters are all positive and are searched as logarithms. Every likelihood brings its gradient, so a fit is a quasi-Newton
search followed by Newton steps, and ends when the next step could raise the log-likelihood by less than 1e-11.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from segmentation.maths.arrays import Floats

LOWEST, HIGHEST = -11.5, 11.5  # of a log parameter, about 1e-5 and 1e5, with time and money in units of their means
GAIN_LEFT = 1e-11
RUNAWAY = 6.9  # a log parameter beyond a thousand means, or below a thousandth
LEVEL = 1e-3  # where parameters run away, a gain below this is not worth a further step
UNSEEN_CURVATURE = 1e-4  # log scale: a standard deviation of 100, nothing the data can tell
PRIOR_SD = 1.5
_STEP = 1e-4


class Likelihood(Protocol):
    """Log-likelihood of collapsed rows as a function of log parameters."""

    def __call__(self, theta: Floats, /) -> tuple[float, Floats]:
        """The total log-likelihood and its gradient (shape of theta)."""


@dataclass(frozen=True)
class Prior:
    """Independent log-normal priors: centre in natural units, `sd` of the logarithm. Both in the order of the parameters."""

    name: str
    centre: tuple[float, ...]
    sd: tuple[float, ...]
    is_reference: bool = False  # centred on another population: what comes out is indicative

    def penalty(self, theta: Floats) -> tuple[float, Floats]:
        """Log density but for its constant, and its gradient, in `theta` = log parameters."""
        away = (theta - np.log(self.centre)) / np.array(self.sd)
        return float(-0.5 * (away**2).sum()), -away / np.array(self.sd)


@dataclass(frozen=True)
class Fit:
    """What a fit found, and how far it can be trusted.

    `status` is one of: converged; no_repeats (nobody bought twice); no_dropout_seen, same_dropout_for_all, same_rate_for_all,
    same_spread_for_all (parameters run off to 0 or infinity while the likelihood levels out); at_bound; not_converged; few_rows.
    `standard_errors` are on the natural scale by the delta method, infinity where the data do not tell. `covariance` is that of the
    log parameters in the order of `params`; where the data do not tell it holds a standard deviation of 1.5, never infinity.
    `log_likelihood` never includes the prior.
    """

    model: str
    params: dict[str, float]
    log_likelihood: float
    converged: bool
    status: str
    standard_errors: dict[str, float]
    covariance: Floats
    customers: int
    iterations: int
    seconds: float
    unit_days: float | None = None
    prior: Prior | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def is_indicative(self) -> bool:
        return self.prior is not None and self.prior.is_reference

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(self.params.values())

    @property
    def aic(self) -> float:
        return 2 * len(self.params) - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        return len(self.params) * float(np.log(max(self.customers, 1))) - 2 * self.log_likelihood


@dataclass(frozen=True)
class Optimum:
    theta: Floats
    value: float  # of the likelihood alone
    gain_left: float  # what one more Newton step could add to likelihood and prior
    information: Floats  # minus the second derivatives, prior included
    iterations: int
    is_free: bool  # no parameter stands at a bound


class Objective:
    """Likelihood plus prior, counting its calls."""

    def __init__(self, likelihood: Likelihood, prior: Prior | None = None) -> None:
        self.likelihood, self.prior, self.calls = likelihood, prior, 0

    def __call__(self, theta: Floats) -> tuple[float, Floats]:
        self.calls += 1
        value, gradient = self.likelihood(theta)
        if self.prior is not None:
            penalty, slope = self.prior.penalty(theta)
            value, gradient = value + penalty, gradient + slope
        return value, gradient

    def information(self, theta: Floats) -> Floats:
        """Minus the Hessian, by central differences of the analytic gradient."""
        columns = []
        for i in range(len(theta)):
            step = np.zeros(len(theta))
            step[i] = _STEP
            columns.append((self(theta - step)[1] - self(theta + step)[1]) / (2 * _STEP))
        rough = np.array(columns)
        symmetric: Floats = (rough + rough.T) / 2
        return symmetric


@dataclass(frozen=True)
class Sample:
    """A likelihood on some of the rows, and how many times as many customers all rows have.

    Without `times` it is too small to tell the curvature, and only a first guess comes from it.
    """

    likelihood: Likelihood
    times: float | None = None

    def information(self, theta: Floats) -> Floats:
        """Minus the Hessian of all rows, as far as the sample tells."""
        assert self.times is not None
        return self.times * Objective(self.likelihood).information(theta)


def maximise(
    likelihood: Likelihood, start: Floats, *, prior: Prior | None = None, rough: Sample | None = None, is_near: bool = False
) -> Optimum:
    """The maximum near `start` (log parameters).

    `rough`, a likelihood on a sample of the rows, saves passes over all of them; so does `is_near`, which tries Newton's steps first.
    With a large sample the curvature is the sample's too: the maximum is as exact, standard errors are so to a percent or two.
    """
    objective = Objective(likelihood, prior)
    sample = None if rough is None or prior is not None else rough
    theta = start if is_near else _search(objective if sample is None else Objective(sample.likelihood), start)
    theta, information, gain = _polish(
        objective, theta, sample.information if sample is not None and sample.times else objective.information
    )
    if gain > LEVEL and (is_near or sample is not None):
        theta, information, gain = _polish(objective, _search(objective, start), objective.information)
    is_free = bool(np.all((theta > LOWEST + 1e-6) & (theta < HIGHEST - 1e-6)))
    return Optimum(theta, likelihood(theta)[0], gain, information, objective.calls, is_free)


def _search(objective: Objective, start: Floats) -> Floats:
    scale = max(1.0, abs(objective(start)[0]))

    def downhill(theta: Floats) -> tuple[float, Floats]:
        value, gradient = objective(theta)
        return -value / scale, -gradient / scale

    bounds = [(LOWEST, HIGHEST)] * len(start)
    found = minimize(downhill, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9})
    return np.asarray(found.x, dtype=np.float64)


def _polish(objective: Objective, theta: Floats, curvature: Callable[[Floats], Floats]) -> tuple[Floats, Floats, float]:
    """Newton steps with a kept Hessian, renewed while the steps are long. Returns theta, information and the gain left."""
    value, gradient = objective(theta)
    information = curvature(theta)
    for _ in range(20):
        step = _newton_step(theta, gradient, information)
        gain, longest = float(gradient @ step) / 2, float(np.abs(step).max())
        has_run_away = float(np.abs(theta).max()) > RUNAWAY
        if gain < (LEVEL / 2 if has_run_away else GAIN_LEFT):
            return theta, information, gain
        # Little to gain and far to go is a ridge that levels out as 1/θ: Newton's step is then too short by any factor.
        share = 4.0 / longest if gain < 1 and longest > 0.3 else min(1.0, 1.0 / longest)
        while share > 1e-4:
            new = np.clip(theta + share * step, LOWEST, HIGHEST)
            new_value, new_gradient = objective(new)
            if new_value >= value:
                break
            share /= 4
        else:
            return theta, information, gain  # no way up is left that arithmetic can tell
        is_long = float(np.abs(new - theta).max()) > 1e-3
        theta, value, gradient = new, new_value, new_gradient
        if is_long:
            information = curvature(theta)
    return theta, information, float(gradient @ _newton_step(theta, gradient, information)) / 2


def _newton_step(theta: Floats, gradient: Floats, information: Floats) -> Floats:
    """Uphill in every direction, also where the curvature is nothing or wrong; nothing across a bound."""
    stuck = ((theta <= LOWEST + 1e-9) & (gradient < 0)) | ((theta >= HIGHEST - 1e-9) & (gradient > 0))
    step = np.zeros(len(theta))
    free = np.flatnonzero(~stuck)
    if len(free):
        curvature, axes = np.linalg.eigh(information[np.ix_(free, free)])
        along = axes.T @ gradient[free]
        step[free] = axes @ (along / np.maximum(np.abs(curvature), UNSEEN_CURVATURE))
    return step


def spread(information: Floats) -> tuple[Floats, Floats]:
    """Covariance of the log parameters and their standard deviations; the latter infinite where the data do not tell."""
    curvature, axes = np.linalg.eigh(information)
    unseen = curvature < UNSEEN_CURVATURE
    variance = np.where(unseen, PRIOR_SD**2, 1 / np.where(unseen, 1.0, curvature))
    covariance = (axes * variance) @ axes.T
    deviations = np.sqrt(np.diag(covariance))
    if unseen.any():
        deviations = np.where((axes[:, unseen] ** 2).sum(axis=1) > 1e-6, np.inf, deviations)
    return covariance, deviations


def describe(
    model: str,
    names: Sequence[str],
    optimum: Optimum,
    *,
    scales: Sequence[float],
    constant: float,
    customers: int,
    started: float,
    unit_days: float | None = None,
    prior: Prior | None = None,
    runaway: str | None = None,
    notes: tuple[str, ...] = (),
) -> Fit:
    """The optimum of a likelihood in scaled units as a Fit in the user's: parameters × `scales`, log-likelihood + `constant`.

    `prior` is the one the user gave, `runaway` the status of parameters that ran away, where the model saw that.
    """
    covariance, deviations = spread(optimum.information)
    params = {name: float(value) * scale for name, value, scale in zip(names, np.exp(optimum.theta), scales, strict=True)}
    errors = {name: params[name] * float(deviation) for name, deviation in zip(names, deviations, strict=True)}
    # At a bound the search was ended, not finished: what is left matters no more, the status says that the parameters are not numbers.
    is_level = optimum.gain_left < (1e-6 if runaway is None else LEVEL if optimum.is_free else 1.0)
    status = "not_converged" if not is_level else runaway or ("converged" if optimum.is_free else "at_bound")
    return Fit(
        model=model,
        params=params,
        log_likelihood=optimum.value + constant,
        converged=is_level and status not in ("no_repeats", "few_rows"),
        status=status,
        standard_errors=errors,
        covariance=covariance,
        customers=customers,
        iterations=optimum.iterations,
        seconds=time.perf_counter() - started,
        unit_days=unit_days,
        prior=prior,
        notes=notes,
    )


@dataclass(frozen=True)
class Choice:
    fit: Fit
    reason: str  # for people, in English; the figures are in `ranking`
    ranking: tuple[tuple[str, float], ...]  # model and AIC, best first


def choose(fits: Sequence[Fit]) -> Choice:
    """The likeliest of fits to the same customers, by AIC (the likelihood itself where the models have as many parameters).

    Fits that did not converge come last. Where two are level (AIC within 1e-6) the earlier one stays. ValueError without fits or
    where the fits were made on different numbers of customers.
    """
    if not fits:
        raise ValueError("nothing to choose from")
    if len({fit.customers for fit in fits}) > 1:
        raise ValueError("likelihoods compare only on the same customers")
    ranked = sorted(fits, key=lambda fit: (not fit.converged, round(fit.aic, 6)))
    best = ranked[0]
    reason = f"{best.model}: log-likelihood {best.log_likelihood:.4f}"
    if not best.converged:
        reason += f", though no fit converged ({best.status})"
    elif len(ranked) > 1:
        by = "log-likelihood" if len({len(fit.params) for fit in ranked}) == 1 else "AIC"
        second = ranked[1]
        why = "did not converge" if not second.converged else f"{second.log_likelihood:.4f}"
        reason += f", the best by {by}; {second.model} {why}"
    return Choice(best, reason, tuple((fit.model, fit.aic) for fit in ranked))
