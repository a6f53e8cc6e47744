"""Third stage: what each customer of a shard is expected to bring, with the models that were fitted once for all.

Two ledgers, one value: orders go through the order models, contracts through the contract models, and neither through both.
CLV = orders + contracts + referrals − cost of keeping, over the horizon of the rules, discounted to the day of the run; the first
payment counted is the first one after that day (Fader & Hardie, note 024: "already paid this period").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from segmentation.engine.extent import NO_DAY, day_number
from segmentation.engine.fits import order_fit, renewal_fit, spend_fit
from segmentation.engine.fitting import purchases_of
from segmentation.engine.keeping import kept
from segmentation.engine.packing import Columns
from segmentation.engine.track_record import MODEL
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.contract_value import Contracts, total_value, value_of
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import model_of
from segmentation.maths.purchases import MONTH, Purchases, period_rate
from segmentation.maths.renewal_forecast import conditional_survival, renewal_probability
from segmentation.maths.rfm import scores_by
from segmentation.maths.uncertainty import value_intervals
from segmentation.maths.what_if import stream
from segmentation.models import RunShard, ValueRun

LEVELS = (0.80, 0.95)
Z = (1.2816, 1.96)  # of a normal's bounds at those levels
ORDER_BOUNDS = tuple(f"orders_{side}_{level}" for level in (80, 95) for side in ("low", "high"))
CONTRACT_BOUNDS = tuple(f"contracts_{side}_{level}" for level in (80, 95) for side in ("below", "above"))  # distances from the mean
SPENT = (
    *ORDER_BOUNDS, *CONTRACT_BOUNDS, "spend", "spend_margin", "order_revenue", "order_margin", "order_margin_12m", "acquired_day",
    "no_order_12m", "no_contract_12m",
)  # fmt: skip  # columns that no later stage needs
NEW_DRAWS = 4_000
YEAR_MONTHS = 12
NEW_DAYS = 365  # so long a customer without an order counts as new, and is expected to be like the others
MARGIN_WEIGHT = 3.0  # orders that a customer needs before the own margin rate counts half
LONGEST_WAIT = 20 * 365  # days to the next order beyond which it is said to come never


@dataclass(frozen=True)
class Terms:
    """The rules' terms in the unit of the models, which is months."""

    horizon: int
    rate: float  # a month
    annual_rate: float
    retention_cost: float
    today: int

    @classmethod
    def of(cls, run: ValueRun) -> Terms:
        annual = float(run.rules.discount_rate)
        return cls(
            horizon=run.rules.horizon_months,
            rate=period_rate(annual, MONTH),
            annual_rate=annual,
            retention_cost=float(run.rules.retention_cost),
            today=day_number(run.as_of),
        )


def predict_shard(run: ValueRun, shard: RunShard) -> Columns:
    """The columns of the shard with what is expected of each customer."""
    columns, terms = kept(shard.pk), Terms.of(run)
    columns |= _order_part(columns, run.fits, terms)
    columns |= _contract_part(columns, run.fits, terms)
    columns |= _keeping_part(columns, terms)
    columns |= _scores(columns, run.fits)
    columns |= _distances(columns)
    return {name: column for name, column in columns.items() if name not in SPENT}


def _order_part(columns: Columns, fits: dict[str, Any], terms: Terms) -> Columns:
    """What orders will bring, with intervals; and what they say of the customer's next year."""
    count = len(columns["customer"])
    found = {name: np.zeros(count) for name in ("clv_orders", "expected_orders_12m", *ORDER_BOUNDS)}
    found |= {"p_alive": np.full(count, np.nan), "no_order_12m": np.ones(count), "next_order_days": np.full(count, np.nan)}
    found["order_total"] = np.zeros(1 + 2 * len(LEVELS))
    fit, buyers = order_fit(fits), columns["orders"] > 0
    if fit is None:
        return found
    model = model_of(fit)
    if buyers.any():
        purchases = purchases_of(columns)
        said_by = _order_values if fits["track_record"]["use"] == MODEL else _baseline_values
        values, bounds, total = said_by(columns, fits, terms, purchases)
        found["clv_orders"][buyers], found["order_total"] = values, total
        for name, bound in zip(ORDER_BOUNDS, bounds, strict=True):
            found[name][buyers] = bound
        found["expected_orders_12m"][buyers] = model.expected_purchases(YEAR_MONTHS, purchases)
        found["p_alive"][buyers] = model.probability_alive(purchases)
        found["no_order_12m"][buyers] = model.probability_no_order(YEAR_MONTHS, purchases)
        waits = model.time_to_next_order(purchases) * MONTH
        found["next_order_days"][buyers] = np.where(waits < LONGEST_WAIT, waits, np.nan)
    _add_newcomers(found, columns, fits, terms)
    return found


def _order_values(columns: Columns, fits: dict[str, Any], terms: Terms, purchases: Purchases) -> tuple[Floats, list[Floats], Floats]:
    """Discounted margin of each buyer's orders to come, its bounds by level, and the same of all buyers together."""
    buyers, spend = columns["orders"] > 0, fits["spend"]
    fit, of_spend = order_fit(fits), spend_fit(fits)
    assert fit is not None
    mean_spend = columns["spend" if spend["on"] == "revenue" else "spend_margin"][buyers]
    intervals = value_intervals(
        purchases,
        fit,
        np.maximum(mean_spend, 0.0) if of_spend else None,
        of_spend,
        periods=terms.horizon,
        rate=terms.rate,
        levels=LEVELS,
    )
    each, whole = intervals.value or intervals.purchases, intervals.total_value or intervals.total_purchases
    factor = _margin_factor(columns, fits, purchases, mean_spend)
    bounds = [side[level] * factor for level in range(len(LEVELS)) for side in (each.low, each.high)]
    low_is_high = factor < 0  # of a customer whose orders lose money, more orders are worth less
    for at in range(0, len(bounds), 2):
        bounds[at], bounds[at + 1] = np.where(low_is_high, bounds[at + 1], bounds[at]), np.where(low_is_high, bounds[at], bounds[at + 1])
    values = each.mean * factor
    scale = float(values.sum()) / float(whole.mean) if float(whole.mean) else 0.0
    total = [float(values.sum()), *(float(side[level]) * scale for level in range(len(LEVELS)) for side in (whole.low, whole.high))]
    return values, bounds, np.array(total)


def _baseline_values(columns: Columns, fits: dict[str, Any], terms: Terms, purchases: Purchases) -> tuple[Floats, list[Floats], Floats]:
    """The same by the naive forecast that beat the model at looking back: what a year brought, as long as customers like it stay.

    Each further year is discounted and comes with the share of customers who were active again. The bounds are as wide as the
    baseline was off, in parts of what it says.
    """
    buyers, record = columns["orders"] > 0, fits["track_record"]
    last = columns["order_margin_12m"][buyers]
    yearly = {
        "last_year": last,
        "mean_retention": np.where(last > 0, record["mean"] * record["retention"], 0.0),
        "past_margin": columns["order_margin"][buyers] * record["past_share"],
    }[record["use"]]
    years = terms.horizon / YEAR_MONTHS
    worth = stream(record["retention"], terms.annual_rate, years) / max(record["retention"], 1e-9)
    values = yearly * worth
    off = record["error"] * np.abs(values)
    bounds = [np.where(values > 0, np.maximum(values + sign * z * off, 0.0), values + sign * z * off) for z in Z for sign in (-1, 1)]
    whole, spread = float(values.sum()), float(np.sqrt((off**2).sum()))
    return values, bounds, np.array([whole, *(whole + sign * z * spread for z in Z for sign in (-1, 1))])


def _margin_factor(columns: Columns, fits: dict[str, Any], purchases: Purchases, mean_spend: Floats) -> Floats:
    """From what the spend model tells to margin: the segment's level for those who told little, and the margin rate."""
    buyers, spend = columns["orders"] > 0, fits["spend"]
    of_spend = spend_fit(fits)
    if of_spend is None:  # nobody bought twice: every order is worth the company's mean order
        return np.full(len(purchases), spend["mean_order"] * spend["margin_rate"])
    gamma = GammaGamma(*of_spend.values)
    told = np.where(mean_spend > 0, purchases.frequency, 0.0)
    prior_weight = (gamma.q - 1) / (gamma.p * told + gamma.q - 1)
    level = _segment_levels(columns["industry"][buyers], spend.get("segments", {}))
    expected = gamma.expected_spend(purchases.frequency, np.maximum(mean_spend, 0.0))
    factor = 1 + prior_weight * gamma.mean_spend * (level - 1) / np.maximum(expected, 1e-9)
    if spend["on"] == "revenue":
        usual = MARGIN_WEIGHT * spend["mean_order"]
        factor *= (columns["order_margin"][buyers] + usual * spend["margin_rate"]) / (columns["order_revenue"][buyers] + usual)
    return factor


def _segment_levels(segment: Ints, levels: dict[str, float]) -> Floats:
    keys, place = np.unique(segment, return_inverse=True)
    return np.array([levels.get(str(key), 1.0) for key in keys])[place] if len(keys) else np.zeros(0)


def _add_newcomers(found: Columns, columns: Columns, fits: dict[str, Any], terms: Terms) -> None:
    """Customers who are new and have bought nothing yet are expected to become like the others, and nobody knows which.

    One in so many begins to order (`conversion`); whoever does is like a customer drawn from the models. The interval is that of
    the mixture, so its lower bound is nothing.
    """
    new = (columns["orders"] == 0) & (columns["acquired_day"] > terms.today - NEW_DAYS)
    fit, of_spend, conversion = order_fit(fits), spend_fit(fits), fits["orders"].get("conversion", 0.0)
    if not new.any() or fit is None or of_spend is None or not conversion:
        return
    rng = np.random.default_rng(0)
    futures = model_of(fit).simulate(rng, np.full(NEW_DRAWS, float(terms.horizon)), MONTH)
    orders = futures.frequency + 1
    rate = fits["spend"]["margin_rate"] if fits["spend"]["on"] == "revenue" else 1.0
    discount = (1 + terms.rate) ** -(terms.horizon / 4)  # orders of a newcomer lie early
    worth = np.sort(orders * GammaGamma(*of_spend.values).simulate(rng, orders) * rate * discount)
    level = _segment_levels(columns["industry"][new], fits["spend"].get("segments", {}))
    found["clv_orders"][new] = conversion * float(worth.mean()) * level
    found["expected_orders_12m"][new] = conversion * (1 + float(model_of(fit).expected_from_start(YEAR_MONTHS / 2)[0]))
    for name, share in zip(ORDER_BOUNDS, (0.1, 0.9, 0.025, 0.975), strict=True):
        within = 1 - (1 - share) / conversion  # the quantile among those who do begin
        found[name][new] = (float(np.quantile(worth, within)) if within > 0 else 0.0) * level


def _contract_part(columns: Columns, fits: dict[str, Any], terms: Terms) -> Columns:
    """What running contracts will bring, with intervals; and which of each customer's contracts is to be renewed next."""
    count = len(columns["customer"])
    found = {name: np.zeros(count) for name in ("clv_contracts", *CONTRACT_BOUNDS)}
    found |= {"no_contract_12m": np.ones(count), "renewal_probability": np.full(count, np.nan), "next_renewal": np.full(count, NO_DAY)}
    found["contract_total"] = np.zeros(1 + 2 * len(LEVELS))
    running = columns["contract_running"] > 0
    found |= {"contract_value": np.zeros(len(running)), "contract_chance": np.full(len(running), np.nan)}
    fit = renewal_fit(fits)
    if fit is None or not running.any():
        return found
    passed, left, term = (columns[f"contract_{name}"][running] for name in ("passed", "left", "term"))
    contracts = Contracts.of(passed, np.minimum(left, term), term, columns["contract_margin"][running])
    value = value_of(fit, contracts, horizon=terms.horizon, discount=terms.rate)
    whole = total_value(fit, contracts, horizon=terms.horizon, discount=terms.rate)
    at = np.searchsorted(columns["customer"], columns["contract_customer"][running])
    found["contract_value"][running], found["contract_chance"][running] = value.mean, renewal_probability(fit, passed)
    found["clv_contracts"] = np.bincount(at, value.mean, count).astype(np.float64)
    for level in range(len(LEVELS)):
        low, high = value.intervals[LEVELS[level]]
        for name, away in zip(CONTRACT_BOUNDS[2 * level : 2 * level + 2], (value.mean - low, high - value.mean), strict=True):
            found[name] = np.sqrt(np.bincount(at, away**2, count))  # contracts end independently of each other
    found["contract_total"] = np.array([whole.mean, *(bound for level in LEVELS for bound in whole.intervals[level])])
    faced = np.where(left > YEAR_MONTHS, 0, 1 + (YEAR_MONTHS - np.minimum(left, YEAR_MONTHS)) // term)
    np.multiply.at(found["no_contract_12m"], at, 1 - conditional_survival(fit, passed, faced))
    first = np.lexsort((columns["contract_next_renewal"][running], at))[::-1]  # the soonest is written last
    found["next_renewal"][at[first]] = columns["contract_next_renewal"][running][first]
    found["renewal_probability"][at[first]] = found["contract_chance"][running][first]
    return found


def _keeping_part(columns: Columns, terms: Terms) -> Columns:
    """Churn risk of the next twelve months, and what keeping the customer will cost while it stays.

    Serving and waiting for money cost what they cost in the last twelve months, each year with the chance that the customer is
    still there in its middle.
    """
    churn = columns["no_order_12m"] * columns["no_contract_12m"]
    yearly = columns["serving_12m"] + columns["overdue_12m"] + terms.retention_cost
    cost = np.zeros(len(churn))
    for year in range(-(-terms.horizon // YEAR_MONTHS)):
        share = min(1.0, (terms.horizon - year * YEAR_MONTHS) / YEAR_MONTHS)
        middle = year + share / 2
        cost += yearly * share * (1 - churn) ** middle * (1 + terms.annual_rate) ** -middle
    return {"churn_risk": churn, "clv_retention_cost": cost}


def _distances(columns: Columns) -> Columns:
    """How far the bounds of the CLV lie from it. Orders and contracts are independent: their distances add up as squares do."""
    found = {}
    for level in (80, 95):
        low, high = (columns[f"orders_{side}_{level}"] for side in ("low", "high"))
        found[f"below_{level}"] = np.hypot(columns["clv_orders"] - low, columns[f"contracts_below_{level}"])
        found[f"above_{level}"] = np.hypot(high - columns["clv_orders"], columns[f"contracts_above_{level}"])
    return {**found, "spread_80": found["below_80"] + found["above_80"]}


def _scores(columns: Columns, fits: dict[str, Any]) -> Columns:
    """R, F and M, 1 to 5, by where the fifths of the whole company begin; 0 without an order."""
    cuts, buyers = fits["quintiles"], columns["orders"] > 0
    silence = columns["age"] - columns["recency"]
    measures = {"recency": -silence, "frequency": columns["orders"], "monetary": columns["order_revenue"]}
    return {f"{name}_score": scores_by(values, np.array(cuts[name]), buyers) for name, values in measures.items()}
