"""Second stage: the parameters of all models, fitted once on all customers, with what was tried and why it was chosen."""

from __future__ import annotations

from typing import Any

import numpy as np

from segmentation.acquisition import payback_by_source, sales_efforts
from segmentation.engine.extent import day_number
from segmentation.engine.fits import as_json, renewal_as_json
from segmentation.engine.keeping import gathered
from segmentation.engine.packing import Columns
from segmentation.engine.track_record import MODEL, look_back
from segmentation.maths import renewal_choice
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.fitting import choose
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.hazards import HazardFit, fit_hazards
from segmentation.maths.kaplan_meier import kaplan_meier
from segmentation.maths.order_models import MODELS, fit_by_size
from segmentation.maths.purchases import MONTH, Purchases
from segmentation.maths.relationship import Relationship, relationship_types
from segmentation.maths.renewal_forecast import survival
from segmentation.maths.renewals import count_renewals
from segmentation.maths.rfm import quintile_cuts
from segmentation.models import RelationshipType, ValueRun
from segmentation.monthly import missing_rates

ALL_COMPETE_UP_TO = 50_000  # buyers; of more, the models compete on a sample of this size, and the winner is fitted on all
FEWEST_BUYERS = 2
FEWEST_SPENDERS = 2
SEGMENT_WEIGHT = 10.0  # so many customers of its own a segment needs before its mean spend counts half
KNOWN_LOSSES = 0.01  # with a larger share of buyers whose repeat orders lose money, spend is modelled on revenue

NEEDED = (
    "customer", "orders", "recency", "age", "spend", "spend_margin", "order_revenue", "order_margin", "margin_12m", "industry",
    "acquired_day", "contract_passed", "contract_lost", "contract_term", "contract_revenue", "contract_grade", "contract_automatic",
)  # fmt: skip


def fit(run: ValueRun) -> None:
    """Fit on all shards and keep the result on the run; a run of changed customers takes the last full run's."""
    if run.kind == ValueRun.Kind.CHANGED:
        current = ValueRun.current()
        assert current is not None  # or the run would be a full one
        run.fits, run.is_indicative, run.warnings = current.fits, current.is_indicative, current.warnings
    else:
        run.fits = _fitted(run)
        run.fits["track_record"] = look_back(run, run.fits["orders"]["chosen"])
        run.is_indicative = any(run.fits[part].get("is_indicative", False) for part in ("orders", "spend", "contracts"))
        run.warnings = warnings_of(run.fits) + [
            {"code": "no_rate", "currency": missing.currency, "facts": missing.facts} for missing in missing_rates(as_of=run.as_of)
        ]
    run.save(update_fields=["fits", "is_indicative", "warnings"])


def _fitted(run: ValueRun) -> dict[str, Any]:
    columns = gathered(run, NEEDED)
    return {
        "orders": {**fit_orders(purchases_of(columns)), "conversion": _conversion(columns, run)},
        "spend": _fit_spend(columns),
        "contracts": _fit_contracts(columns),
        "hazards": _fit_hazards(columns),
        "quintiles": _quintiles(columns),
        "relationships": _relationships(columns),
        "acquisition": _acquisition(run),
    }


def purchases_of(columns: Columns) -> Purchases:
    """Of the customers with orders, in their order."""
    buyers = columns["orders"] > 0
    return Purchases(columns["orders"][buyers] - 1, columns["recency"][buyers], columns["age"][buyers], MONTH)


def fit_orders(purchases: Purchases) -> dict[str, Any]:
    """All order models, and which of them describes these customers best."""
    if len(purchases) < FEWEST_BUYERS:
        return {"chosen": None, "why": "too_few_buyers", "models": {}, "customers": len(purchases)}
    sample = purchases
    if len(purchases) > ALL_COMPETE_UP_TO:
        sample = purchases[np.linspace(0, len(purchases) - 1, ALL_COMPETE_UP_TO).astype(np.int64)]
    fits = [fit_by_size(name, sample) for name in MODELS]
    choice = choose(fits)
    chosen = choice.fit if sample is purchases else fit_by_size(choice.fit.model, purchases)
    return {
        "chosen": chosen.model,
        "why": "likelihood" if choice.fit.converged else "none_converged",
        "sample": None if sample is purchases else len(sample),
        "customers": len(purchases),
        "models": {one.model: as_json(chosen if one.model == chosen.model else one) for one in fits},
        "is_indicative": chosen.is_indicative,
    }


def _conversion(columns: Columns, run: ValueRun) -> float:
    """The share of customers who have ever ordered, among those who had a year to begin."""
    had_time = columns["acquired_day"] <= day_number(run.as_of) - 365
    return float((columns["orders"][had_time] > 0).mean()) if had_time.any() else 0.0


def _fit_spend(columns: Columns) -> dict[str, Any]:
    """Gamma-Gamma on the margin of repeat orders; on their revenue, times a margin rate, where orders lose money."""
    frequency = np.maximum(columns["orders"] - 1, 0)
    repeat = frequency > 0
    losing = repeat & (columns["spend_margin"] <= 0)
    on = "revenue" if losing.sum() > KNOWN_LOSSES * max(repeat.sum(), 1) else "margin"
    spend = np.where(repeat, columns["spend" if on == "revenue" else "spend_margin"], 0.0)
    revenue, margin = float(columns["order_revenue"].sum()), float(columns["order_margin"].sum())
    found: dict[str, Any] = {
        "on": on,
        "margin_rate": margin / revenue if revenue > 0 else 0.0,
        "mean_order": revenue / max(float(columns["orders"].sum()), 1.0),
        "losing": int(losing.sum()),
    }
    if np.count_nonzero(spend > 0) < FEWEST_SPENDERS:
        return {**found, "chosen": None, "why": "too_few_repeats", "models": {}}
    fit = GammaGamma.fit(frequency, np.maximum(spend, 0.0), prior=GammaGamma.default_prior(frequency, np.maximum(spend, 0.0)))
    return {
        **found,
        "chosen": fit.model,
        "why": "the_only_one",
        "models": {fit.model: as_json(fit)},
        "is_indicative": fit.is_indicative,
        "segments": _segment_factors(columns["industry"], columns["spend"], repeat),
    }


def _segment_factors(segment: Ints, spend: Floats, among: Floats) -> dict[str, float]:
    """Mean spend of each segment relative to all, drawn towards 1 where the segment is small: the prior of its newcomers."""
    keys, place = np.unique(segment[among], return_inverse=True)
    count, total = np.bincount(place, minlength=len(keys)), np.bincount(place, spend[among], len(keys))
    mean = float(spend[among].mean())
    if mean <= 0:
        return {}
    factor = (total + SEGMENT_WEIGHT * mean) / ((count + SEGMENT_WEIGHT) * mean)
    return {str(key): round(float(value), 6) for key, value in zip(keys, factor, strict=True)}


def _fit_contracts(columns: Columns) -> dict[str, Any]:
    passed, lost = columns["contract_passed"], columns["contract_lost"].astype(bool)
    if not len(passed):
        return {"chosen": None, "why": "no_contracts", "models": {}}
    ages = passed + lost  # a lost one faced one renewal more than it passed
    choice = renewal_choice.choose(count_renewals(ages, lost))
    curve = kaplan_meier(np.maximum(ages, 1), lost)
    periods = int(min(ages.max(), 20))
    return {
        "chosen": choice.chosen.model,
        "why": choice.reason,
        "statistic": choice.statistic,
        "p_value": choice.p_value,
        "customers": len(passed),
        "models": {one.model: renewal_as_json(one) for one in (choice.chosen, choice.other)},
        "is_indicative": choice.chosen.is_indicative,
        "survival": [round(float(one), 5) for one in survival(choice.chosen, periods)],
        "kaplan_meier": curve_as_json(curve, periods),
    }


def curve_as_json(curve: Any, periods: int) -> list[list[float]]:
    """[renewals, share that passed them, lower, upper] as observed, without a model."""
    rows = zip(curve.times, curve.survival, curve.low, curve.high, strict=True)
    return [[float(value) for value in row] for row in rows if row[0] <= periods]


def hazard_covariates(columns: Columns) -> dict[str, Floats]:
    """What was known when each contract was signed. What is known only now would explain the past by what followed it."""
    return {
        "size": np.log1p(np.maximum(columns["contract_revenue"], 0.0)),
        "grade": columns["contract_grade"].astype(np.float64),
        "automatic": columns["contract_automatic"].astype(np.float64),
        "term": columns["contract_term"].astype(np.float64),
    }


def _fit_hazards(columns: Columns) -> dict[str, Any]:
    passed, lost = columns["contract_passed"], columns["contract_lost"].astype(bool)
    found: HazardFit = fit_hazards(hazard_covariates(columns), passed + 1.0, lost)
    return {
        "status": found.status,
        "events": found.events,
        "customers": found.customers,
        "coefficients": found.coefficients,
        "se": found.se,
        "averages": found.averages,
        "concordance": found.concordance,
        "log_likelihood": found.log_likelihood,
        "left_out": list(found.left_out),
        "notes": list(found.notes),
    }


def _quintiles(columns: Columns) -> dict[str, list[float]]:
    """Where the fifths of recency, frequency and money begin, among customers with orders; equal values share a score."""
    buyers = columns["orders"] > 0
    silence = (columns["age"] - columns["recency"])[buyers]
    measures = {"recency": -silence, "frequency": columns["orders"][buyers], "monetary": columns["order_revenue"][buyers]}
    return {name: quintile_cuts(values).tolist() for name, values in measures.items()}


def _relationships(columns: Columns) -> dict[str, str]:
    """Which type of relationship is recommended for each segment (industry), from its number of customers and its margin."""
    keys, place = np.unique(columns["industry"], return_inverse=True)
    customers, margin = np.bincount(place, minlength=len(keys)), np.bincount(place, columns["margin_12m"], len(keys))
    types = relationship_types(customers, np.asarray(margin, dtype=np.float64))
    return {str(key): RelationshipType[Relationship(kind).name].value for key, kind in zip(keys, types, strict=True) if kind}


def _acquisition(run: ValueRun) -> list[dict[str, Any]]:
    """What it cost to win customers through each source, and how soon they paid it back."""
    efforts = sales_efforts(as_of=run.as_of, rules=run.rules)
    found = payback_by_source(as_of=run.as_of, rules=run.rules, efforts=efforts)
    return [{**one._asdict(), "cost": float(one.cost), "earned": float(one.earned)} for one in found]


def warnings_of(fits: dict[str, Any]) -> list[dict[str, Any]]:
    """What whoever reads the figures must know, as codes that the pages put into words."""
    found: list[dict[str, Any]] = []
    orders, spend, contracts = fits["orders"], fits["spend"], fits["contracts"]
    if orders["chosen"] is None:
        found.append({"code": "no_order_model", "customers": orders["customers"]})
    elif not (chosen := orders["models"][orders["chosen"]])["converged"]:
        found.append({"code": "orders_not_converged", "status": chosen["status"]})
    for note in [note for model in spend["models"].values() for note in model["notes"]]:
        found.append({"code": "spend", "note": note})
    if spend["on"] == "revenue":
        found.append({"code": "losses", "customers": spend["losing"]})
    if fits["track_record"]["use"] != MODEL:
        found.append({"code": "baseline", "use": fits["track_record"]["use"]})
    if contracts["chosen"] and contracts["models"][contracts["chosen"]]["status"] != "ok":
        found.append({"code": "contracts", "status": contracts["models"][contracts["chosen"]]["status"]})
    return found
