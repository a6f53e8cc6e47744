from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from segmentation.maths.arrays import Floats
from segmentation.maths.backtest import (
    MEASURES,
    Metrics,
    calibration,
    expected_against_actual,
    interval_coverage,
    last_period_repeated,
    mean_times_retention,
    metrics,
    normalised_gini,
    rank_by_margin,
    spearman,
    top_capture,
    verdict,
)

_pairs = st.lists(st.tuples(st.integers(-3, 8), st.integers(0, 8)), min_size=2, max_size=30)
pairs = _pairs.map(lambda rows: (np.array([float(p) for p, _ in rows]), np.array([float(a) for _, a in rows])))
Pair = tuple[Floats, Floats]


@given(pairs)
def test_a_perfect_forecast_is_perfect_by_every_measure(pair: Pair) -> None:
    _, actual = pair
    found = metrics(actual, actual)
    assert (found.mae, found.rmse) == (0, 0)
    for measure in (found.spearman, found.gini, found.top_20_capture):
        assert measure is None or measure == pytest.approx(1)
    assert found.total_error in (0, None)


def test_errors_are_those_of_the_textbook() -> None:
    found = metrics(np.array([3.0, 0, 1]), np.array([1.0, 0, 4]))
    assert found.total_error == pytest.approx(-0.2)
    assert found.mae == pytest.approx(5 / 3)
    assert found.rmse == pytest.approx(math.sqrt(13 / 3))
    assert (found.customers, found.predicted_total, found.actual_total) == (3, 4, 5)


@given(pairs)
def test_spearman_is_that_of_scipy(pair: Pair) -> None:
    predicted, actual = pair
    if len(set(predicted)) == 1 or len(set(actual)) == 1:
        assert spearman(predicted, actual) is None
    else:
        assert spearman(predicted, actual) == pytest.approx(spearmanr(predicted, actual).statistic, abs=1e-12)


def area_over_orders(by: Floats, actual: Floats) -> float:
    """The mean over random orders of the ties, of the area between the curve of actual value, most promising first, and the diagonal."""
    chance, areas = np.random.default_rng(0), []
    for _ in range(3000):
        order = np.lexsort((chance.random(len(by)), -by))
        sums = np.concatenate(([0], np.cumsum(actual[order]))) / actual.sum()
        areas.append(((sums[1:] + sums[:-1]) / 2).mean() - 0.5)
    return float(np.mean(areas))


def test_normalised_gini_is_a_quotient_of_areas_whatever_the_order_of_ties() -> None:
    predicted, actual = np.array([5.0, 3, 3, 3, 1, 1, 0]), np.array([2.0, 7, 0, 1, 1, 0, 0])
    expected = area_over_orders(predicted, actual) / area_over_orders(actual, actual)
    assert normalised_gini(predicted, actual) == pytest.approx(expected, abs=0.01)


@given(pairs, st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(pair: Pair, seed: int) -> None:
    predicted, actual = pair
    order = np.random.default_rng(seed).permutation(len(actual))
    ours, theirs = metrics(predicted, actual), metrics(predicted[order], actual[order])
    for name in MEASURES:
        value = getattr(ours, name)
        assert getattr(theirs, name) == (value if value is None else pytest.approx(value, abs=1e-9))


@given(pairs)
def test_gini_lies_between_the_worst_and_the_best_order(pair: Pair) -> None:
    predicted, actual = pair
    found = normalised_gini(predicted, actual)
    if found is not None:
        assert -1 - 1e-9 <= found <= 1 + 1e-9
        assert normalised_gini(-predicted, actual) == pytest.approx(-found, abs=1e-9)


def test_capture_of_the_top_fifth() -> None:
    actual = np.array([10.0, 8, 1, 1, 1, 1, 1, 1, 1, 1])
    assert top_capture(np.array([9.0, 0, 8, 0, 0, 0, 0, 0, 0, 0]), actual) == pytest.approx(11 / 18)
    assert top_capture(np.array([9.0, 5, 5, 1, 1, 1, 1, 1, 1, 1]), actual) == pytest.approx((10 + (8 + 1) / 2) / 18)
    assert top_capture(np.zeros(10), actual) == pytest.approx(2 * 26 / 10 / 18)


@pytest.mark.parametrize("actual", [[], [0.0], [0.0, 0.0]])
def test_where_nothing_came_measures_are_undefined_and_not_wrong(actual: list[float]) -> None:
    found = metrics(np.ones(len(actual)), np.array(actual))
    assert (found.total_error, found.spearman, found.gini, found.top_20_capture) == (None, None, None, None)
    assert found.mae == (1.0 if actual else None)


def test_forecasts_that_are_not_finite_are_refused() -> None:
    for predicted, reason in (([1.0, math.nan], "finite"), ([1.0], "one length")):
        with pytest.raises(ValueError, match=reason):
            metrics(np.array(predicted), np.array([1.0, 2.0]))


def test_deciles_hold_a_tenth_each_and_rise() -> None:
    chance = np.random.default_rng(3)
    predicted = chance.gamma(1, 1, 1000)
    found = calibration(predicted, chance.poisson(predicted).astype(float))
    assert found.customers.tolist() == [100] * 10
    assert (np.diff(found.predicted) > 0).all()
    np.testing.assert_allclose(found.actual, found.predicted, atol=0.6)
    assert found.lift @ found.customers == pytest.approx(1000)


@given(pairs)
def test_calibration_loses_nobody_and_keeps_ties_together(pair: Pair) -> None:
    predicted, actual = pair
    found = calibration(predicted, actual)
    assert found.customers.sum() == len(actual)
    assert found.predicted @ found.customers == pytest.approx(predicted.sum())
    assert found.actual @ found.customers == pytest.approx(actual.sum())
    assert len(found.customers) <= len(set(predicted))
    assert (np.diff(found.predicted) > 0).all()


def test_calibration_of_nobody_is_an_empty_table() -> None:
    assert len(calibration(np.empty(0), np.empty(0)).customers) == 0


def test_expected_against_actual_is_the_table_of_the_paper() -> None:
    found = expected_against_actual(np.array([0.2, 0.4, 1.0, 3.0, 5.0]), np.array([0.0, 0, 1, 3, 9]), most=3)
    assert found.actual.tolist() == [0, 1, 2, 3]
    assert found.customers.tolist() == [2, 1, 0, 2]
    np.testing.assert_allclose(found.predicted, [0.3, 1.0, math.nan, 4.0])
    np.testing.assert_allclose(found.mean_actual, [0, 1, math.nan, 6])
    with pytest.raises(ValueError, match="counts"):
        expected_against_actual(np.array([1.0]), np.array([0.5]))


def test_coverage_counts_the_ends_of_intervals() -> None:
    low, high = np.array([0.0, 1, 2, 3]), np.array([1.0, 1, 2, 9])
    assert interval_coverage(low, high, np.array([1.0, 1, 3, 2.9])) == 0.5
    assert interval_coverage(np.empty(0), np.empty(0), np.empty(0)) is None
    with pytest.raises(ValueError, match="ends before"):
        interval_coverage(high, low, low)


def test_the_baselines_do_what_their_names_say() -> None:
    earlier, last = np.array([5.0, 2, 0, 4, 1]), np.array([3.0, 0, 6, 0, 3])
    assert last_period_repeated(last).tolist() == [3, 0, 6, 0, 3]
    assert mean_times_retention(earlier, last).tolist() == [2, 0, 2, 0, 2]  # the mean is 4, and 2 of 4 stayed
    assert mean_times_retention(np.zeros(2), np.array([4.0, 0])).tolist() == [4, 0]
    assert mean_times_retention(earlier, np.zeros(5)).tolist() == [0] * 5
    assert rank_by_margin(np.array([30.0, -5, 10, 0]), 8.0).tolist() == [6, 0, 2, 0]
    assert rank_by_margin(np.array([-1.0, 0]), 8.0).tolist() == [4, 4]
    assert len(rank_by_margin(np.empty(0), 8.0)) == 0


MODEL = Metrics(100, 90.0, 100.0, -0.10, 0.8, 1.6, 0.45, 0.66, 0.63)


def test_the_verdict_names_the_better_one_by_each_measure() -> None:
    naive = Metrics(100, 130.0, 100.0, 0.30, 0.9, 2.0, 0.49, 0.64, 0.63)
    found = verdict(MODEL, naive)
    assert found.better == {
        "total_error": "model", "mae": "model", "rmse": "model", "spearman": "baseline", "gini": "model", "top_20_capture": "draw",
    }  # fmt: skip
    assert not found.use_baseline
    assert verdict(naive, MODEL).use_baseline


def test_the_sign_of_the_total_error_does_not_matter() -> None:
    assert verdict(MODEL, replace(MODEL, total_error=0.10)).better["total_error"] == "draw"


def test_a_baseline_that_only_ranks_better_does_not_take_over() -> None:
    assert not verdict(MODEL, replace(MODEL, spearman=0.9, total_error=0.4)).use_baseline


def test_a_baseline_that_is_closer_takes_over_though_the_model_ranks_better() -> None:
    assert verdict(MODEL, replace(MODEL, rmse=1.2, spearman=0.1, gini=0.1)).use_baseline
    assert not verdict(MODEL, replace(MODEL, rmse=1.2, mae=0.9, gini=0.1)).use_baseline


def test_what_is_undefined_is_a_draw() -> None:
    assert verdict(replace(MODEL, gini=None), MODEL).better["gini"] == "draw"
    assert not verdict(MODEL, MODEL).use_baseline
