"""Fits as JSON on the run, and back: whoever predicts uses exactly the parameters that are on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from segmentation.maths.fitting import Fit, Prior
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import MODELS
from segmentation.maths.purchases import MONTH
from segmentation.maths.renewals import RenewalFit

Json = dict[str, Any]
# jsonb keeps no order of keys, and covariances follow the order of the parameters.
PARAMETERS = {
    **{model.name: tuple(one.name for one in fields(model)) for model in (*MODELS.values(), GammaGamma)},
    "sbg": ("alpha", "beta"),
    "bdw": ("alpha", "beta", "c"),
}


def as_json(fit: Fit) -> Json:
    return {
        "params": fit.params,
        "se": _finite(fit.standard_errors),
        "covariance": fit.covariance.tolist(),
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "converged": fit.converged,
        "status": fit.status,
        "notes": list(fit.notes),
        "customers": fit.customers,
        "iterations": fit.iterations,
        "seconds": round(fit.seconds, 3),
        "prior": None if fit.prior is None else [fit.prior.name, list(fit.prior.centre), list(fit.prior.sd), fit.prior.is_reference],
        "is_indicative": fit.is_indicative,
    }


def renewal_as_json(fit: RenewalFit) -> Json:
    return {
        "params": fit.params,
        "se": _finite(fit.se),
        "covariance": fit.covariance.tolist(),
        "log_likelihood": fit.log_likelihood,
        "converged": fit.converged,
        "status": fit.status,
        "method": fit.method,
        "notes": list(fit.notes),
        "customers": fit.customers,
        "seconds": round(fit.seconds, 3),
        "is_indicative": fit.is_indicative,
    }


def order_fit(fits: Json) -> Fit | None:
    """The chosen order model; None where there was too little to fit one."""
    return _fit(fits["orders"], MONTH)


def spend_fit(fits: Json) -> Fit | None:
    return _fit(fits["spend"], None)


def renewal_fit(fits: Json) -> RenewalFit | None:
    chosen = fits["contracts"]["chosen"]
    if chosen is None:
        return None
    kept = fits["contracts"]["models"][chosen]
    names = ("log_likelihood", "converged", "status", "method", "customers", "seconds", "is_indicative")
    return RenewalFit(
        model=chosen,
        params={name: kept["params"][name] for name in PARAMETERS[chosen]},
        covariance=np.array(kept["covariance"]),
        se=_infinite(kept["se"]),
        notes=tuple(kept["notes"]),
        **{name: kept[name] for name in names},
    )


def _fit(part: Json, unit_days: float | None) -> Fit | None:
    chosen = part["chosen"]
    if chosen is None:
        return None
    kept = part["models"][chosen]
    prior = kept["prior"]
    return Fit(
        model=chosen,
        params={name: kept["params"][name] for name in PARAMETERS[chosen]},
        standard_errors=_infinite(kept["se"]),
        covariance=np.array(kept["covariance"]),
        unit_days=unit_days,
        prior=None if prior is None else Prior(prior[0], tuple(prior[1]), tuple(prior[2]), prior[3]),
        notes=tuple(kept["notes"]),
        **{name: kept[name] for name in ("log_likelihood", "converged", "status", "customers", "iterations", "seconds")},
    )


def _finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no infinity: what the data do not tell is null."""
    return {name: value if np.isfinite(value) else None for name, value in values.items()}


def _infinite(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: float("inf") if value is None else value for name, value in values.items()}
