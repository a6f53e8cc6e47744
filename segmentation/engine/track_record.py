"""The engine checks itself: what it would have said at several days of the past, beside what came and beside naive guesses.

For each cut-off everything is done with what was known then: the lines up to it are summed up, the models fitted, and the margin
of each customer's orders over a hold-out is forecast. A baseline that beats the model at most cut-offs is what the run then uses.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection

from segmentation.engine.aggregating import read_orders
from segmentation.engine.extent import EPOCH, VALUED_KINDS, day_number
from segmentation.engine.packing import Columns
from segmentation.engine.reading import align
from segmentation.maths import backtest
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.backtest import Metrics
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import fit_by_size
from segmentation.maths.purchases import MONTH, Summary, summarise
from segmentation.maths.uncertainty import value_intervals
from segmentation.models import BackTest, ValueRun

MOST_CUT_OFFS = 3
LONGEST_HOLD_OUT = 12  # months
SHORTEST_HOLD_OUT = 1
MOST_CUSTOMERS = 100_000  # of a larger company, a sample of this size is looked back on
FEWEST_CUSTOMERS = 10
LEVELS = (0.80, 0.95)
YEAR = 365  # days
MODEL = "model"


@dataclass(frozen=True)
class Past:
    """All order lines of the customers looked at, by customer and day."""

    lines: Columns
    first: int
    last: int

    def within(self, after: int, until: int, customers: Ints) -> Floats:
        """Margin of each customer's orders after a day and up to another."""
        chosen = (self.lines["day"] > after) & (self.lines["day"] <= until)
        margin = (self.lines["amount"] - self.lines["cost"])[chosen]
        keys, place = np.unique(self.lines["customer"][chosen], return_inverse=True)
        return align(customers, {"customer": keys, "margin": np.bincount(place, margin, len(keys))})["margin"]


def look_back(run: ValueRun, model: str | None) -> dict[str, Any]:
    """Try the order model of the run at several cut-offs, keep each as a BackTest, and say what the run should go by."""
    BackTest.objects.filter(run=run).delete()
    past = _past(run)
    tests = [] if model is None or past is None else [test for cut in _cut_offs(past) if (test := _try(run, model, past, *cut))]
    BackTest.objects.bulk_create(tests)
    votes = [test.best for test in tests]
    leader = max(set(votes), key=votes.count) if votes else MODEL
    use = leader if leader != MODEL and 2 * votes.count(leader) > len(votes) else MODEL
    found: dict[str, Any] = {"use": use, "cut_offs": len(tests)}
    if use != MODEL and past is not None:
        found |= {"error": _relative_error(tests[0], use), **_yearly(past, day_number(run.as_of))}
    return found


def _past(run: ValueRun) -> Past | None:
    step = max(1, -(-_customers() // MOST_CUSTOMERS))
    values = {"as_of": run.as_of, "base": settings.BASE_CURRENCY, "kinds": list(VALUED_KINDS), "step": step}
    lines = read_orders(SAMPLED, values)
    return Past(lines, int(lines["day"].min()), int(lines["day"].max())) if len(lines["day"]) else None


SAMPLED = """
    placed.customer_id %% %(step)s = 0 AND EXISTS (
        SELECT FROM customers_customer AS customer WHERE customer.id = placed.customer_id AND customer.kind = ANY(%(kinds)s)
        AND customer.deleted_at IS NULL AND customer.merged_into_id IS NULL
    )
"""


def _customers() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM customers_customer WHERE kind = ANY(%s)", [list(VALUED_KINDS)])
        return int(cursor.fetchone()[0])


def _cut_offs(past: Past) -> list[tuple[int, int]]:
    """(cut-off, months of hold-out), the latest first. The hold-out ends where orders end, and as much lies before each cut-off."""
    months = int((past.last - past.first) / MONTH / 3)
    if months < SHORTEST_HOLD_OUT:
        return []
    hold_out = min(months, LONGEST_HOLD_OUT)
    step = round(hold_out * MONTH)
    cuts = [past.last - step * back for back in range(1, MOST_CUT_OFFS + 1)]
    return [(cut, hold_out) for cut in cuts if cut - past.first >= step]


def _try(run: ValueRun, model: str, past: Past, cut: int, months: int) -> BackTest | None:
    known = past.lines["day"] <= cut
    lines = {name: column[known] for name, column in past.lines.items()}
    seen = summarise(lines["customer"], lines["day"], lines["amount"] - lines["cost"], end=cut, unit_days=MONTH)
    if len(seen.customers) < FEWEST_CUSTOMERS or not (seen.spend > 0).any():
        return None
    step = round(months * MONTH)
    actual = past.within(cut, cut + step, seen.customers)
    last, earlier = past.within(cut - step, cut, seen.customers), past.within(cut - 2 * step, cut - step, seen.customers)
    forecasts, coverage = _model_forecast(model, seen, months, actual)
    forecasts |= {
        "last_year": backtest.last_period_repeated(last),
        "mean_retention": backtest.mean_times_retention(earlier, last),
        "past_margin": backtest.rank_by_margin(past.within(past.first - 1, cut, seen.customers), float(last.sum())),
    }
    measured = {name: backtest.metrics(forecast, actual) for name, forecast in forecasts.items()}
    best, better = _best(measured)
    return BackTest(
        run=run,
        cut_off=_day(cut),
        until=_day(cut + step),
        customers=len(seen.customers),
        predicted=measured[MODEL].predicted_total,
        actual=measured[MODEL].actual_total,
        measures={name: _as_json(found) for name, found in measured.items()} | {MODEL: {**_as_json(measured[MODEL]), **coverage}},
        calibration=_calibration(forecasts[MODEL], actual),
        best=best,
        verdict={"use": best, "better": better},
    )


def _model_forecast(model: str, seen: Summary, months: int, actual: Floats) -> tuple[dict[str, Floats], dict[str, float | None]]:
    orders = fit_by_size(model, seen.purchases)
    frequency, spend = seen.purchases.frequency, np.maximum(seen.spend, 0.0)
    of_spend = GammaGamma.fit(frequency, spend, prior=GammaGamma.default_prior(frequency, spend))
    intervals = value_intervals(seen.purchases, orders, spend, of_spend, periods=months, rate=0.0, levels=LEVELS).value
    assert intervals is not None  # there is a fit of spend
    coverage = {
        f"coverage_{name}": backtest.interval_coverage(intervals.low[level], intervals.high[level], actual)
        for level, name in enumerate(("80", "95"))
    }
    return {MODEL: intervals.mean}, coverage


def _best(measured: dict[str, Metrics]) -> tuple[str, dict[str, str]]:
    """The forecaster to go by, and who leads at each measure."""
    beaten_by = [name for name in measured if name != MODEL and backtest.verdict(measured[MODEL], measured[name]).use_baseline]
    best = min(beaten_by, key=lambda name: measured[name].rmse or 0.0) if beaten_by else MODEL
    better: dict[str, str] = {}
    for measure in backtest.MEASURES:
        rivals = {name: value for name in measured if (value := getattr(measured[name], measure)) is not None}
        if rivals:
            smaller = measure in ("total_error", "mae", "rmse")
            better[measure] = min(rivals, key=lambda name: abs(rivals[name])) if smaller else max(rivals, key=rivals.__getitem__)
    return best, better


def _as_json(found: Metrics) -> dict[str, Any]:
    names = {"top_20_capture": "capture_top20"}
    return {names.get(name, name): value for name, value in asdict(found).items()}


def _calibration(predicted: Floats, actual: Floats) -> list[dict[str, Any]]:
    found = backtest.calibration(predicted, actual)
    rows = zip(found.customers, found.predicted, found.actual, found.lift, strict=True)
    return [
        {
            "group": group,
            "customers": int(customers),
            "predicted": float(said),
            "actual": float(came),
            "lift": None if np.isnan(lift) else float(lift),
        }
        for group, (customers, said, came, lift) in enumerate(rows, 1)
    ]


def _relative_error(test: BackTest, use: str) -> float:
    """How far the baseline was off for a customer, in parts of what it said of the mean customer."""
    mean = test.measures[use]["predicted_total"] / test.customers
    return float(test.measures[use]["rmse"] or 0.0) / mean if mean > 0 else 1.0


def _yearly(past: Past, today: int) -> dict[str, float]:
    """What the baselines say of the next year: the mean of the customers active in the last one, the share of those who were active
    the year before that stayed, and the last year's margin as a share of all margin so far."""
    customers = np.unique(past.lines["customer"])
    last, earlier = past.within(today - YEAR, today, customers), past.within(today - 2 * YEAR, today - YEAR, customers)
    active, before = last > 0, earlier > 0
    ever = float(past.within(past.first - 1, today, customers).sum())
    return {
        "mean": float(last[active].mean()) if active.any() else 0.0,
        "retention": float((active & before).sum() / before.sum()) if before.any() else 1.0,
        "past_share": float(last.sum()) / ever if ever > 0 else 0.0,
    }


def _day(number: int) -> date:
    return EPOCH + timedelta(days=number)
