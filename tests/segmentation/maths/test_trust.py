from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.maths.trust import TrustRules, trust


def score(filled: int, age: float, sources: int, rules: TrustRules | None = None) -> float:
    return float(trust(np.array([filled]), 10, np.array([age]), np.array([sources]), rules).score[0])


def test_the_parts_explain_the_score() -> None:
    found = trust(np.array([10, 5, 0]), 10, np.array([0.0, 365.0, math.nan]), np.array([2, 1, 0]))
    np.testing.assert_allclose(found.completeness, [1, 0.5, 0])
    np.testing.assert_allclose(found.freshness, [1, 0.5, 0])
    np.testing.assert_allclose(found.sources, [0.75, 0.5, 0])
    np.testing.assert_allclose(found.score, [0.95, 0.5, 0])


def test_weights_are_relative_to_each_other() -> None:
    assert score(10, math.nan, 0, TrustRules(3.0, 1.0, 0.0)) == pytest.approx(0.75)


def test_a_fact_from_the_future_is_of_now() -> None:
    assert score(10, -20.0, 3) == score(10, 0.0, 3)


def test_where_nothing_is_wanted_nothing_is_missing() -> None:
    assert trust(np.array([0]), np.array([0]), np.array([0.0]), np.array([1])).completeness.tolist() == [1.0]


@given(st.integers(0, 9), st.floats(0, 1e5), st.integers(0, 5))
def test_more_fresher_and_more_agreeing_data_is_never_trusted_less(filled: int, age: float, sources: int) -> None:
    here = score(filled, age, sources)
    assert 0 <= here <= 1
    assert score(filled + 1, age, sources) > here
    assert score(filled, age / 2, sources) >= here
    assert score(filled, age, sources + 1) > here


def test_impossible_counts_and_weights_are_refused() -> None:
    for filled, sources in ((11, 1), (-1, 1), (1, -1)):
        with pytest.raises(ValueError, match="count"):
            score(filled, 0.0, sources)
    with pytest.raises(ValueError, match="weights"):
        TrustRules(0, 0, 0)
    with pytest.raises(ValueError, match="weights"):
        TrustRules(-1, 1, 1)
    with pytest.raises(ValueError, match="half-life"):
        TrustRules(half_life_days=0)
