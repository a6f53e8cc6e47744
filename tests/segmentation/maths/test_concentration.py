from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.maths.arrays import Floats
from segmentation.maths.concentration import (
    Curve,
    abc_classes,
    concentration,
    gini,
    hhi,
    lorenz,
    smallest_set,
    top_share,
    whale,
)
from tests.segmentation.maths.strategies import not_negative, whole_profits, whole_values


@given(not_negative)
def test_gini_is_half_the_relative_mean_difference(value: Floats) -> None:
    if not value.sum():
        assert gini(value) is None
        return
    expected = np.abs(value[:, None] - value[None, :]).mean() / (2 * value.mean())
    assert gini(value) == pytest.approx(expected, abs=1e-12)


@given(not_negative.filter(lambda value: value.sum() > 0))
def test_gini_is_twice_the_area_under_the_diagonal(value: Floats) -> None:
    curve = lorenz(value)
    area = float(((curve.value[1:] + curve.value[:-1]) / 2 * np.diff(curve.customers)).sum())
    assert gini(value) == pytest.approx(1 - 2 * area, abs=1e-12)


def test_gini_knows_its_ends_and_where_it_ends() -> None:
    assert gini(np.full(7, 3.0)) == 0
    assert gini(np.array([0.0, 0, 0, 9])) == pytest.approx(0.75)
    assert gini(np.array([1e308, 1e308])) == 0
    assert gini(np.array([5.0])) == 0
    for undefined in ([], [0.0, 0.0], [3.0, -1.0]):
        assert gini(np.array(undefined)) is None


@given(whole_values, st.sampled_from([0.2, 0.5, 0.8, 0.95, 1.0]))
def test_the_smallest_set_reaches_its_share_and_one_fewer_does_not(value: Floats, share: float) -> None:
    found = smallest_set(value, share)
    ordered = sorted((v for v in value if v > 0), reverse=True)
    counts = [count for count in range(1, len(ordered) + 1) if sum(ordered[:count]) >= share * sum(ordered) - 1e-9]
    assert found.count == (counts[0] if counts else 0)
    assert found.edge == (ordered[found.count - 1] if counts else math.inf)


def test_a_share_that_is_met_exactly_is_met_in_spite_of_rounding() -> None:
    assert smallest_set(np.full(10, 0.1), 0.8).count == 8
    assert smallest_set(np.full(1000, 0.001), 0.3).count == 300


def test_a_share_that_is_none_is_refused() -> None:
    for share in (0.0, 1.1, -0.1):
        with pytest.raises(ValueError, match="share"):
            smallest_set(np.ones(3), share)


def test_twenty_percent_that_bring_eighty() -> None:
    value = np.array([40.0, 40, 3, 3, 3, 3, 2, 2, 2, 2])
    found = concentration(value)
    assert (found.top_20_share, found.core_customers, found.core_share) == (0.8, 2, 0.2)
    assert found.top_1_share == 0.4
    assert found.hhi == pytest.approx(2 * 0.16 + 4 * 0.0009 + 4 * 0.0004)
    assert (found.customers, found.positive, found.negative, found.total) == (10, 10, 0, 100)


def test_shares_are_of_the_positive_value_where_some_lose_money() -> None:
    found = concentration(np.array([80.0, 20, -50, 0, 0]))
    assert (found.top_20_share, found.core_customers, found.gini) == (0.8, 1, None)
    assert (found.total, found.positive_total, found.positive, found.negative) == (50, 100, 2, 1)


@pytest.mark.parametrize("value", [[], [0.0], [-3.0], [-3.0, -2.0, 0.0]])
def test_without_positive_value_nobody_is_core(value: list[float]) -> None:
    found = concentration(np.array(value))
    assert (found.core_customers, found.core_share, found.top_20_share, found.top_1_share, found.hhi) == (0, 0, 0, 0, 0)


def test_the_top_fifth_is_rounded_up_to_whole_customers() -> None:
    assert top_share(np.array([3.0, 1, 1, 1, 1, 1])) == pytest.approx(0.5)
    assert top_share(np.array([4.0, 1.0])) == 0.8
    assert top_share(np.arange(1.0, 16)) == (15 + 14 + 13) / 120  # 0.2 × 15 is 3.0000000000000004 in binary


@given(whole_values)
def test_hhi_lies_between_equal_shares_and_one(value: Floats) -> None:
    positive = value[value > 0]
    expected = sum((one / positive.sum()) ** 2 for one in positive)
    assert hhi(value) == pytest.approx(expected, abs=1e-12)


@given(whole_profits)
def test_the_whale_curve_rises_to_its_peak_and_ends_at_the_total(profit: Floats) -> None:
    curve = whale(profit)
    positive = float(profit[profit > 0].sum())
    scale = (profit.sum() if profit.sum() > 0 else positive) or 1.0
    assert curve.peak == pytest.approx(positive / scale)
    assert curve.curve.value[-1] == pytest.approx(profit.sum() / scale)
    assert curve.erosion == pytest.approx(-float(profit[profit < 0].sum()) / scale)
    assert (curve.curve.customers[0], curve.curve.value[0], curve.curve.customers[-1]) == (0, 0, 1)


def test_a_whale_curve_peaks_above_the_total_where_some_lose_money() -> None:
    curve = whale(np.array([-20.0, 90, 50, -20]))
    assert (curve.peak, curve.peak_customers, curve.is_of_total) == (1.4, 0.5, True)
    assert curve.erosion == pytest.approx(0.4)
    losing = whale(np.array([10.0, -40.0]))
    assert (losing.peak, losing.erosion, losing.is_of_total) == (1.0, 4.0, False)
    with pytest.raises(ValueError, match="needs a customer"):
        whale(np.empty(0))


@given(st.lists(st.integers(-1000, 1000).map(float), min_size=1, max_size=900), st.integers(4, 200))
def test_a_thinned_curve_keeps_its_ends_and_its_peak(values: list[float], points: int) -> None:
    whole = whale(np.array(values)).curve
    thin = whole.thinned(points)
    assert len(thin.customers) <= max(points, min(len(whole.customers), points))
    assert (thin.customers[0], thin.customers[-1]) == (whole.customers[0], whole.customers[-1])
    assert (thin.value[0], thin.value[-1]) == (whole.value[0], whole.value[-1])
    assert (thin.value.max(), thin.value.min()) == (whole.value.max(), whole.value.min())
    assert (np.diff(thin.customers) > 0).all()


def test_a_curve_of_a_million_customers_fits_a_chart() -> None:
    curve = lorenz(np.random.default_rng(1).pareto(1.2, 100_000))
    assert len(curve.customers) == 100_001
    assert 190 <= len(curve.thinned().customers) <= 200
    with pytest.raises(ValueError, match="room"):
        curve.thinned(3)


def test_there_is_no_lorenz_curve_of_losses_or_of_nothing() -> None:
    for value in ([1.0, -1.0], [0.0, 0.0], []):
        with pytest.raises(ValueError, match="Lorenz"):
            lorenz(np.array(value))
    np.testing.assert_allclose(lorenz(np.full(4, 2.0)).value, [0, 0.25, 0.5, 0.75, 1])


def test_values_that_are_not_finite_are_refused() -> None:
    for measure in (concentration, gini, lorenz, whale, abc_classes):
        with pytest.raises(ValueError, match="finite"):
            measure(np.array([1.0, math.nan]))


def test_abc_parts_at_eighty_and_ninety_five_percent() -> None:
    value = np.array([1.0, 70, 10, 8, 7, 4, 0, -3])
    assert abc_classes(value).tolist() == [3, 1, 1, 2, 2, 3, 3, 3]


@given(whole_values)
def test_equal_values_are_in_one_abc_class_and_better_ones_not_in_a_worse(value: Floats) -> None:
    classes = abc_classes(value)
    order = np.argsort(-value, kind="stable")
    assert (np.diff(classes[order]) >= 0).all()
    assert all(len({int(c) for c in classes[value == one]}) == 1 for one in set(value.tolist()))
    assert (classes[value <= 0] == 3).all()


def test_a_short_curve_is_left_alone() -> None:
    curve = Curve(np.linspace(0, 1, 5), np.linspace(0, 1, 5))
    assert curve.thinned() is curve
