from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_ind

from segmentation.maths.trend import trend


def test_steady_growth_is_seen_and_noise_is_not() -> None:
    steady = [10.0, 11, 10, 11, 10, 11, 20, 21, 20, 21, 20, 21]
    lumpy = [0.0, 0, 300, 0, 0, 0, 0, 500, 0, 0, 0, 0]
    found = trend(np.array([steady, steady[::-1], lumpy]))
    assert found.direction.tolist() == [1, -1, 0]
    assert found.change[0] == pytest.approx(10)
    assert found.share[0] == pytest.approx(10 / 10.5)


def test_the_noise_is_that_of_the_t_test() -> None:
    chance = np.random.default_rng(4)
    monthly = chance.normal(chance.uniform(0, 3, (300, 12)).cumsum(axis=1), 8)
    found = trend(monthly)
    for margins, direction in zip(monthly, found.direction, strict=True):
        assert (ttest_ind(margins[6:], margins[:6]).pvalue < 0.05) == (direction != 0)
    assert 30 < (found.direction != 0).sum() < 270


def test_chance_alone_makes_a_trend_of_one_customer_in_twenty() -> None:
    found = trend(np.random.default_rng(9).normal(100, 30, (4000, 12)))
    assert 0.035 < (found.direction != 0).mean() < 0.065


def test_only_the_last_months_count() -> None:
    monthly = np.array([[1e9, 1e9, 1.0, 1.0, 5.0, 5.0]])
    assert trend(monthly, months=2).before.tolist() == [1.0]
    assert trend(monthly, months=2).direction.tolist() == [1]


def test_equal_months_are_no_trend() -> None:
    assert trend(np.full((1, 12), 0.1)).direction.tolist() == [0]
    assert trend(np.zeros((1, 12))).direction.tolist() == [0]


def test_there_is_no_share_of_nothing_or_of_a_loss() -> None:
    found = trend(np.array([[0.0] * 6 + [5.0] * 6, [-5.0] * 6 + [5.0] * 6]))
    assert np.isnan(found.share).all()
    assert found.direction.tolist() == [1, 1]


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="12 months"):
        trend(np.zeros((3, 11)))
    with pytest.raises(ValueError, match="two months"):
        trend(np.zeros((3, 11)), months=1)
    with pytest.raises(ValueError, match="finite"):
        trend(np.full((1, 12), np.nan))
    with pytest.raises(ValueError, match="confidence"):
        trend(np.zeros((1, 12)), confidence=1.0)
