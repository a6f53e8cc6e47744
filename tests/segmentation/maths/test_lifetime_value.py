"""The formulas of lifetime value, against sums written out by hand and properties that any of them must have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.maths.lifetime_value import (
    NEVER,
    Timing,
    ValueParts,
    acquisition_cost,
    constant_retention_value,
    payback_months,
    present_value,
    rate_per_period,
    referral_value,
    retention_cost_value,
    simple_value,
)

RATES = st.floats(0.0, 0.6)


def test_a_yearly_rate_is_converted_and_not_divided() -> None:
    monthly = rate_per_period(0.12, 12)
    assert (1 + monthly) ** 12 == pytest.approx(1.12)
    assert monthly < 0.12 / 12
    assert rate_per_period(0.0, 12) == 0


def test_lifetime_value_is_the_discounted_sum() -> None:
    assert present_value([110.0, 121.0], 0.1) == pytest.approx(200.0)
    assert present_value([[110.0, 0.0], [0.0, 121.0]], 0.1) == pytest.approx([100.0, 100.0])


@pytest.mark.parametrize(("timing", "first", "certain"), [(Timing.UNACQUIRED, 0, True), (Timing.PAID, 1, False), (Timing.END, 1, True)])
@pytest.mark.parametrize("growth", [0.0, 0.03])
def test_each_timing_is_its_own_sum(timing: Timing, first: int, certain: bool, growth: float) -> None:
    """Fader & Hardie (2012): three formulas for three questions."""
    m, r, d = 100.0, 0.8, 0.1
    by_hand = [m * (1 + growth) ** t * r ** (t - first if certain else t) / (1 + d) ** t for t in range(first, 400)]
    assert constant_retention_value(m, r, d, timing, growth=growth) == pytest.approx(sum(by_hand))
    assert constant_retention_value(m, r, d, timing, growth=growth, periods=5) == pytest.approx(sum(by_hand[:5]))


def test_the_three_timings_are_those_of_the_note() -> None:
    m, r, d = 100.0, 0.8, 0.1
    assert constant_retention_value(m, r, d, Timing.UNACQUIRED) == pytest.approx(m * 1.1 / 0.3)
    assert constant_retention_value(m, r, d, Timing.PAID) == pytest.approx(m * r / 0.3)
    assert constant_retention_value(m, r, d, Timing.END) == pytest.approx(m / 0.3)


def test_a_stream_that_never_ends_has_no_value_without_discount() -> None:
    with pytest.raises(ValueError, match="end"):
        constant_retention_value(1.0, 1.0, 0.05, Timing.PAID, growth=0.05)
    assert constant_retention_value(1.0, 1.0, 0.0, Timing.PAID, periods=7) == pytest.approx(7.0)


@given(st.floats(1, 1000), st.floats(0, 1), RATES, RATES, st.integers(1, 40), st.sampled_from(list(Timing)))
def test_value_falls_with_the_discount_rate_and_rises_with_margin(
    margin: float, retention: float, d: float, more: float, periods: int, timing: Timing
) -> None:
    def value(margin: float, rate: float) -> float:
        return float(constant_retention_value(margin, retention, rate, timing, periods=periods))

    assert value(margin, d + more) <= value(margin, d) * (1 + 1e-12)
    assert value(2 * margin, d) == pytest.approx(2 * value(margin, d))


@pytest.mark.parametrize("timing", list(Timing))
def test_the_simple_formula_adds_up_row_by_row(timing: Timing) -> None:
    value = simple_value(
        revenue=1000,
        margin_rate=0.3,
        retention=0.85,
        discount=0.1,
        periods=5,
        timing=timing,
        retention_cost=20,
        growth=0.05,
        acquisition_cost=400,
    )
    assert value.present.sum() - value.acquisition == pytest.approx(value.value)
    assert value.expected == pytest.approx(value.survival * value.margin - 20)
    assert value.present == pytest.approx(value.expected / 1.1**value.periods)
    assert value.acquisition == (400 if timing is Timing.UNACQUIRED else 0)
    assert value.growth > 0


@pytest.mark.parametrize("timing", list(Timing))
def test_the_simple_formula_is_the_closed_one(timing: Timing) -> None:
    value = simple_value(revenue=1000, margin_rate=0.3, retention=0.85, discount=0.1, periods=9, timing=timing, growth=0.02)
    closed = constant_retention_value(300.0, 0.85, 0.1, timing, growth=0.02, periods=9)
    assert value.base + value.growth == pytest.approx(closed)
    assert value.base == pytest.approx(constant_retention_value(300.0, 0.85, 0.1, timing, periods=9))


def test_the_parts_add_up_and_referrals_are_apart() -> None:
    parts = ValueParts(*(np.array([float(amount)]) for amount in (100, 50, 10, 25, 8, 3)))
    assert parts.own.tolist() == [149]
    assert parts.total.tolist() == [174]


def test_keeping_costs_as_long_as_there_is_somebody_to_keep() -> None:
    assert retention_cost_value([10.0], [[1.0, 0.5]], 0.1) == pytest.approx([10 / 1.1 + 5 / 1.21])


def referrals(**changes: Any) -> Any:
    rows: dict[str, Any] = {
        "value": [1000.0, 500.0],
        "probability": [1.0, 0.5],
        "because": [1.0, 0.0],
        "avoided_cost": [100.0, 100.0],
        "share": [1.0, 1.0],
        "periods": [0.0, 2.0],
        "discount": 0.1,
        "customers": 3,
    }
    return referral_value([0, 0], [5, 6], **(rows | changes))


def test_a_referral_is_worth_the_customer_it_brings_and_the_cost_it_saves() -> None:
    """The second one would have come anyway: only the cost of winning it is saved, half certain, in two periods."""
    assert referrals() == pytest.approx([1100 + 0.5 * 100 / 1.21, 0, 0])


def test_a_referred_customer_is_counted_once() -> None:
    by_two = referral_value(
        [0, 1],
        [5, 5],
        value=[900.0, 900.0],
        probability=[1, 1],
        because=[1, 1],
        avoided_cost=[0, 0],
        share=[0.5, 0.5],
        periods=[0, 0],
        discount=0.1,
        customers=2,
    )
    assert by_two.sum() == pytest.approx(900)
    with pytest.raises(ValueError, match="more than 1"):
        referral_value(
            [0, 1],
            [5, 5],
            value=[900.0, 900.0],
            probability=[1, 1],
            because=[1, 1],
            avoided_cost=[0, 0],
            share=[0.7, 0.5],
            periods=[0, 0],
            discount=0.1,
            customers=2,
        )


@pytest.mark.parametrize(
    "changes", [{"probability": [1.1, 0]}, {"share": [-0.1, 0]}, {"periods": [-1, 0]}, {"customers": 0}, {"value": [1.0]}]
)
def test_impossible_referrals_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        referrals(**changes)


def test_no_referrals_are_worth_nothing() -> None:
    nothing: dict[str, Any] = {key: [] for key in ("value", "probability", "because", "avoided_cost", "share", "periods")}
    assert referral_value([], [], **nothing, discount=0.1, customers=2).tolist() == [0, 0]


def test_the_cost_of_a_win_is_visits_and_campaigns() -> None:
    assert acquisition_cost(visits=60, wins=10, cost_per_visit=200, campaign_cost=5000) == pytest.approx(6 * 200 + 500)
    assert acquisition_cost(visits=60, wins=0, cost_per_visit=200, campaign_cost=5000) is None
    with pytest.raises(ValueError, match="negative"):
        acquisition_cost(visits=-1, wins=1, cost_per_visit=1, campaign_cost=1)


def test_payback_is_the_first_month_that_covers_the_cost() -> None:
    margins = np.array([[40.0, 30, 30, 10], [10, 10, 10, 10], [50, -60, 30, 30], [1, 1, 1, 1], [100, 0, 0, 0]])
    assert payback_months(margins, [100, 100, 50, 0, 100]).tolist() == [3, NEVER, 1, 0, 1]
    assert payback_months(np.zeros((2, 0)), [0, 5]).tolist() == [0, NEVER]
