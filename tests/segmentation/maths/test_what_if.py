"""What a point of retention is worth: exact on streams of constant retention, near in cells, and free of numpy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from django.conf import settings

from segmentation.maths import what_if as engine
from segmentation.maths.lifetime_value import Timing, constant_retention_value, retention_cost_value
from segmentation.maths.value_components import ValueComponents, what_if
from segmentation.maths.what_if import Basis, Cell, Changes, change_interval, elasticities, stream

BASIS = Basis(horizon_years=5, discount=0.1)
TIERS = np.array(["Platinum", "Gold", "Iron", "Lead"])


def company(
    n: int = 4000, *, basis: Basis = BASIS, points: dict[str, float] | None = None, margin: float = 1.0, serving: float = 1.0
) -> ValueComponents:
    """Customers whose margin really runs at constant retention, under the given circumstances: the truth for what_if."""
    rng = np.random.default_rng(7)
    tier = TIERS[rng.integers(0, 4, n)]
    retention = rng.uniform(0.4, 0.95, n)
    gross, cost = rng.gamma(2.0, 500.0, n), rng.gamma(2.0, 100.0, n)
    retention = np.clip(retention + np.array([(points or {}).get(name, 0.0) for name in tier]), 0, 1)
    years = int(basis.horizon_years)
    yearly = margin * gross - serving * cost
    value = constant_retention_value(yearly, retention, basis.discount, Timing.PAID, periods=years)
    orders = rng.uniform(0, 1, n)
    keep = retention_cost_value(np.full(n, 30.0), retention[:, None] ** np.arange(1, years + 1), basis.discount)
    return ValueComponents(tier, value * orders, value * (1 - orders), gross * 0.1 * margin, keep, yearly, serving * cost, retention, basis)


def equity_from_cells(components: ValueComponents) -> float:
    return float(sum(map(engine.equity_of, components.cells())))


@pytest.mark.parametrize("width", [0.0, 0.01])
def test_it_gives_what_computing_everything_again_gives(width: float) -> None:
    points = {"Gold": 0.03, "Iron": -0.02}
    truth = company(basis=replace(BASIS, discount=0.12), points=points, margin=1.05, serving=0.9)
    changes = Changes(points, margin_factor=1.05, serving_cost_factor=0.9, discount=0.12)
    outcome = what_if(company(), changes, width)
    assert outcome.total.now == pytest.approx(equity_from_cells(company()))
    assert outcome.total.then == pytest.approx(equity_from_cells(truth), rel=1e-9 if width == 0 else 1e-3)


def test_cells_change_the_answer_by_a_thousandth_of_the_change() -> None:
    changes = Changes({"Platinum": 0.01})
    exact, near = (what_if(company(), changes, width).total.change for width in (0.0, 0.01))
    assert near == pytest.approx(exact, rel=1e-3)
    assert len(company().cells()) < 4 * 101


def test_no_change_changes_nothing() -> None:
    outcome = what_if(company(), Changes())
    assert outcome.total.change == pytest.approx(0, abs=1e-6)


def test_the_tiers_add_up_to_the_total_and_only_those_named_move() -> None:
    outcome = what_if(company(), Changes({"Gold": 0.05}))
    assert sum(one.then for one in outcome.by_tier.values()) == pytest.approx(outcome.total.then)
    assert [tier for tier, one in outcome.by_tier.items() if abs(one.change) > 1e-6] == ["Gold"]
    assert outcome.by_tier["Gold"].change > 0


def test_equity_falls_in_discount_and_serving_cost_and_rises_in_margin() -> None:
    cells = company().cells()
    for changes, sign in ((Changes(discount=0.2), -1), (Changes(serving_cost_factor=1.5), -1), (Changes(margin_factor=1.1), 1)):
        assert np.sign(engine.what_if(cells, BASIS, changes).total.change) == sign


def test_keeping_customers_at_a_loss_longer_costs_more() -> None:
    loss = Cell("Lead", 1, 0.8, -100, 0, 0, 0, -30, 50)
    assert engine.what_if([loss], BASIS, Changes({"Lead": 0.05})).total.change < 0


def test_retention_stops_at_certainty_and_at_nothing() -> None:
    cell = Cell("Gold", 1, 0.98, 300, 0, 0, 0, 90, 10)
    certain = engine.what_if([cell], BASIS, Changes({"Gold": 0.02})).total.then
    assert engine.what_if([cell], BASIS, Changes({"Gold": 0.5})).total.then == pytest.approx(certain)
    assert engine.what_if([cell], BASIS, Changes({"Gold": -1.0})).total.then == pytest.approx(0)


def test_a_lost_customer_who_stays_brings_its_margin() -> None:
    cell = Cell("Iron", 1, 0.0, 0, 0, 0, 0, 100, 0)
    then = engine.what_if([cell], BASIS, Changes({"Iron": 0.5})).total.then
    assert then == pytest.approx(100 * stream(0.5, 0.1, 5))


def test_a_point_of_retention_is_worth_more_than_a_point_of_margin() -> None:
    """Gupta, Lehmann & Stuart (2004), over a long horizon."""
    found = elasticities(company(basis=Basis(40, 0.1)).cells(), Basis(40, 0.1))
    assert found["retention"] > 2 * found["margin"] > 0
    assert found["discount_rate"] < 0
    assert found["serving_cost"] < 0
    assert elasticities([], BASIS) == {}


def test_the_interval_of_the_change_carries_todays_uncertainty_on() -> None:
    cells = company().cells()
    outcome = engine.what_if(cells, BASIS, Changes({"Gold": 0.05}))
    rng = np.random.default_rng(1)
    draws = {tier: (one.now * rng.normal(1, 0.1, 500)).tolist() for tier, one in outcome.by_tier.items()}
    low, high = change_interval(outcome, draws)
    assert low < outcome.total.change < high
    assert high - low == pytest.approx(2 * 1.2816 * 0.1 * outcome.total.change, rel=0.15)
    wide = change_interval(outcome, draws, 0.95)
    assert wide[0] < low < high < wide[1]
    with pytest.raises(ValueError, match="Gold"):
        change_interval(outcome, {tier: values for tier, values in draws.items() if tier != "Gold"})


@pytest.mark.parametrize(
    "changes", [Changes({"Gold": 2.0}), Changes(margin_factor=-1), Changes(discount=-1.0), Changes(serving_cost_factor=-0.1)]
)
def test_senseless_changes_are_refused(changes: Changes) -> None:
    with pytest.raises(ValueError, match=r"points|factors|rate"):
        what_if(company(10), changes)


def test_impossible_components_are_refused() -> None:
    good = company(10)
    with pytest.raises(ValueError, match="between 0 and 1"):
        replace(good, retention=good.retention + 1)
    with pytest.raises(ValueError, match="length"):
        replace(good, order_value=good.order_value[:5])


def test_a_company_without_customers_has_no_equity() -> None:
    assert what_if(company(0), Changes()).total == (0, 0)


def test_a_page_needs_no_numpy_for_it() -> None:
    code = "import sys, segmentation.maths.what_if; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, check=False).returncode == 0
