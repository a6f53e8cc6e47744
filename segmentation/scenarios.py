"""What-if on a published run: plain arithmetic on the cells that the run keeps, quick enough for a page and free of numpy."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

from segmentation.maths.what_if import Basis, Cell, Changes, Equity, change_interval, what_if
from segmentation.models import RuleVersion, ValueRun

LEVELS = {"80": 0.80, "95": 0.95}
DRAWS = 400


def basis_of(rules: RuleVersion) -> Basis:
    return Basis(horizon_years=rules.horizon_months / 12, discount=float(rules.discount_rate))


def outcome_of(run: ValueRun, changes: dict[str, Any]) -> dict[str, Any]:
    """Customer equity of the run now and under the changes (`Scenario.changes`), with intervals and by tier (`Scenario.result`).

    The interval of the change carries today's uncertainty on: of all tiers together, as the parameters move them together.
    ValueError for rates and factors that make no sense.
    """
    cells = [Cell(*cell) for cell in run.fits.get("cells", [])]
    asked = Changes(
        retention_points={str(tier): float(points) for tier, points in (changes.get("retention") or {}).items()},
        margin_factor=1 + float(changes.get("margin") or 0),
        serving_cost_factor=1 + float(changes.get("serving_cost") or 0),
        discount=None if changes.get("discount_rate") is None else float(changes["discount_rate"]),
    )
    outcome = what_if(cells, basis_of(run.rules), asked)
    now = {"equity": outcome.total.now, **{level: run.equity_interval.get(level) for level in LEVELS}}
    then: dict[str, Any] = {"equity": outcome.total.then}
    change: dict[str, Any] = {"equity": outcome.total.change}
    if cells and run.equity_interval.get("80"):
        draws = _draws(outcome.by_tier, outcome.total.now, run.equity_interval["80"])
        for name, level in LEVELS.items():
            low, high = change_interval(outcome, draws, level)
            change[name] = [low, high]
            then[name] = [run.equity_interval[name][0] + low, run.equity_interval[name][1] + high]
    return {"now": now, "then": then, "change": change, "tiers": {tier: equity._asdict() for tier, equity in outcome.by_tier.items()}}


def _draws(by_tier: dict[str, Equity], total: float, interval: list[float]) -> dict[str, list[float]]:
    """Equity of each tier in `DRAWS` evenly spread cases, which move all tiers by one factor."""
    deviation = (interval[1] - interval[0]) / 2 / NormalDist().inv_cdf(0.9)
    cases = [NormalDist().inv_cdf((place + 0.5) / DRAWS) for place in range(DRAWS)]
    relative = deviation / abs(total) if total else 0.0
    return {tier: [equity.now * (1 + relative * case) for case in cases] for tier, equity in by_tier.items()}
