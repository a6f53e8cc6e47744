"""Who is at risk and why: Cox's proportional hazards with Efron's ties, read as drivers of each row.

For the next renewals, not for long projections: what the covariates will be in three years nobody knows (Fader & Hardie 2007, §5).
lifelines and pandas are loaded when a fit is asked for, and by nothing else here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from segmentation.maths.arrays import Flags, Floats

FEWEST_EVENTS = 5  # losses without which nothing is fitted
EVENTS_PER_COVARIATE = 10  # below, coefficients are known to be off: the fit is indicative
LARGEST_EFFECT = 10.0  # |coefficient| × standard deviation: e^10 says that a covariate separates the lost from the others
COLLINEAR = 1e-8  # smallest singular value, relative, of standardised covariates

Covariates = Mapping[str, ArrayLike]


@dataclass(frozen=True)
class Driver:
    """One covariate's part in a row's risk: `contribution` to its logarithm against the average row, `factor` = e^contribution."""

    covariate: str
    value: float
    average: float
    contribution: float

    @property
    def raises_risk(self) -> bool:
        return self.contribution > 0

    @property
    def direction(self) -> str:
        return "raises" if self.raises_risk else "lowers"

    @property
    def factor(self) -> float:
        return float(np.exp(self.contribution))


@dataclass(frozen=True, eq=False)
class HazardFit:
    """A fitted Cox model, or why there is none.

    `status`: ok, too_few_events, no_variation, collinear, not_converged. Where it is not ok the dicts by covariate are empty and every
    relative risk is 1. `left_out` names covariates that did not vary. `baseline` is the cumulative hazard of a row with average
    covariates at `baseline_times`.
    """

    status: str
    customers: int
    events: int
    coefficients: dict[str, float] = field(default_factory=dict)
    se: dict[str, float] = field(default_factory=dict)
    hazard_ratios: dict[str, float] = field(default_factory=dict)
    p_values: dict[str, float] = field(default_factory=dict)
    averages: dict[str, float] = field(default_factory=dict)
    log_likelihood: float = 0.0
    concordance: float = 0.5
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    baseline_times: Floats = field(default_factory=lambda: np.zeros(1))
    baseline: Floats = field(default_factory=lambda: np.zeros(1))

    @property
    def is_fitted(self) -> bool:
        return self.status == "ok"

    @property
    def is_indicative(self) -> bool:
        return self.events < EVENTS_PER_COVARIATE * max(len(self.coefficients), 1)


def fit_hazards(covariates: Covariates, durations: ArrayLike, lost: ArrayLike) -> HazardFit:
    """Cox's model of n rows: covariates by name, durations in any unit, `lost` False where observation ended first; shape (n,) each.

    ValueError for lengths that differ, numbers that are not finite and negative durations. What cannot be fitted gives a status.
    """
    table = _table(covariates)
    duration, is_lost = np.asarray(durations, dtype=float), np.asarray(lost, dtype=bool)
    if duration.ndim != 1 or any(column.shape != duration.shape for column in (*table.values(), is_lost)):
        raise ValueError("covariates, durations and lost must have one and the same length")
    if not np.all(np.isfinite(duration)) or np.any(duration < 0):
        raise ValueError("durations must be numbers that are not negative")
    events = int(is_lost.sum())
    varying = {name: column for name, column in table.items() if len(column) and np.ptp(column) > 0}
    left_out = tuple(name for name in table if name not in varying)
    notes = tuple(f"{name} is the same for all." for name in left_out)
    if events < FEWEST_EVENTS:
        few = f"{events} lost; at least {FEWEST_EVENTS} are needed."
        return HazardFit("too_few_events", len(duration), events, left_out=left_out, notes=(*notes, few))
    if not varying:
        return HazardFit("no_variation", len(duration), events, left_out=left_out, notes=notes)
    if tied := _collinear(varying):
        note = f"{', '.join(tied)} say the same: each can be computed from the others."
        return HazardFit("collinear", len(duration), events, left_out=left_out, notes=(*notes, note))
    return _fitted(varying, duration, is_lost, left_out, notes)


def relative_risk(fit: HazardFit, covariates: Covariates) -> Floats:
    """Each row's hazard against that of a row with average covariates, shape (n,)."""
    return np.asarray(np.exp(contributions(fit, covariates).sum(axis=1)))


def contributions(fit: HazardFit, covariates: Covariates) -> Floats:
    """What each covariate adds to the logarithm of a row's relative risk, shape (n, k), columns in the order of `fit.coefficients`."""
    table = _table(covariates)
    if missing := [name for name in fit.coefficients if name not in table]:
        raise ValueError(f"missing covariates: {', '.join(missing)}")
    parts = [beta * (table[name] - fit.averages[name]) for name, beta in fit.coefficients.items()]
    rows = len(next(iter(table.values()), np.zeros(0)))
    return np.column_stack(parts) if parts else np.zeros((rows, 0))


def top_drivers(fit: HazardFit, covariates: Covariates, count: int = 3) -> list[tuple[Driver, ...]]:
    """For each row the `count` covariates that move its risk most, in either direction, the strongest first; none that moves nothing."""
    table = _table(covariates)
    parts = contributions(fit, covariates)
    names = list(fit.coefficients)
    order = np.argsort(-np.abs(parts), axis=1, kind="stable")[:, :count]
    return [
        tuple(
            Driver(names[k], float(table[names[k]][row]), fit.averages[names[k]], float(parts[row, k])) for k in ranks if parts[row, k] != 0
        )
        for row, ranks in enumerate(order)
    ]


def loss_probability(fit: HazardFit, covariates: Covariates, age: ArrayLike, ahead: float) -> Floats:
    """The chance of each row, alive at `age`, to be lost within `ahead` more units of time, shape (n,).

    Beyond the longest duration seen the baseline stands still: the chance is then too low, and 0 at the end.
    """
    start = np.asarray(age, dtype=float)
    hazard = _cumulative(fit, start + ahead) - _cumulative(fit, start)
    return np.asarray(-np.expm1(-np.maximum(hazard, 0.0) * relative_risk(fit, covariates)))


def _cumulative(fit: HazardFit, times: Floats) -> Floats:
    place = np.searchsorted(fit.baseline_times, times, side="right") - 1
    return np.where(place < 0, 0.0, fit.baseline[np.maximum(place, 0)])


def _table(covariates: Covariates) -> dict[str, Floats]:
    table = {name: np.asarray(column, dtype=float) for name, column in covariates.items()}
    if bad := [name for name, column in table.items() if column.ndim != 1 or not np.all(np.isfinite(column))]:
        raise ValueError(f"not a column of known numbers: {', '.join(bad)}")
    return table


def _collinear(varying: dict[str, Floats]) -> tuple[str, ...]:
    """The covariates with a part in the combinations that do not vary; empty where all are free."""
    columns = np.column_stack([(column - column.mean()) / column.std() for column in varying.values()])
    # Of the small triangle: the full left side of a hundred thousand rows would be a square of that size.
    _left, sizes, right = np.linalg.svd(np.linalg.qr(columns, mode="r"), full_matrices=True)
    sizes = np.pad(sizes, (0, columns.shape[1] - len(sizes)))
    empty = right[sizes <= COLLINEAR * sizes.max()]
    return tuple(name for name, part in zip(varying, np.abs(empty).max(axis=0, initial=0.0), strict=True) if part > 1e-4)


def _fitted(varying: dict[str, Floats], duration: Floats, is_lost: Flags, left_out: tuple[str, ...], notes: tuple[str, ...]) -> HazardFit:
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    # Names of our own: a covariate may be called like a column that lifelines makes.
    frame = pd.DataFrame({f"x{i}": column for i, column in enumerate(varying.values())} | {"duration": duration, "lost": is_lost})
    customers, events = len(duration), int(is_lost.sum())
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            model = CoxPHFitter().fit(frame, "duration", "lost")
    except (ConvergenceError, np.linalg.LinAlgError) as error:
        return HazardFit("not_converged", customers, events, left_out=left_out, notes=(*notes, str(error).splitlines()[0]))
    beta, se = model.params_.to_numpy(dtype=float), model.standard_errors_.to_numpy(dtype=float)
    effects = np.abs(beta) * np.array([column.std() for column in varying.values()])
    if not (np.all(np.isfinite(beta)) and np.all(np.isfinite(se)) and effects.max() < LARGEST_EFFECT) or _gave_up(
        heard, ConvergenceWarning
    ):
        strongest = list(varying)[int(np.argmax(np.nan_to_num(effects, nan=np.inf)))]
        note = f"The likelihood has no maximum; {strongest} seems to separate the lost from the others."
        return HazardFit("not_converged", customers, events, left_out=left_out, notes=(*notes, note))
    hazard = model.baseline_cumulative_hazard_
    few = f"{events} lost for {len(varying)} covariates: indicative." if events < EVENTS_PER_COVARIATE * len(varying) else ""
    return HazardFit(
        status="ok",
        customers=customers,
        events=events,
        coefficients=dict(zip(varying, beta.tolist(), strict=True)),
        se=dict(zip(varying, se.tolist(), strict=True)),
        hazard_ratios=dict(zip(varying, np.exp(beta).tolist(), strict=True)),
        p_values=dict(zip(varying, model.summary["p"].tolist(), strict=True)),
        averages={name: float(column.mean()) for name, column in varying.items()},
        log_likelihood=float(model.log_likelihood_),
        concordance=float(model.concordance_index_),
        left_out=left_out,
        notes=(*notes, few) if few else notes,
        baseline_times=hazard.index.to_numpy(dtype=float),
        baseline=hazard.iloc[:, 0].to_numpy(dtype=float),
    )


def _gave_up(heard: list[warnings.WarningMessage], kind: type[Warning]) -> bool:
    return any(issubclass(one.category, kind) and "did not converge" in str(one.message).lower() for one in heard)
