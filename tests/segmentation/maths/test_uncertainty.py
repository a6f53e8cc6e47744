"""Intervals must hold what comes, as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.maths.arrays import Floats
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import MODELS, fit_by_size, fit_orders
from segmentation.maths.purchases import Purchases
from segmentation.maths.uncertainty import ValueIntervals, draw_parameters, value_intervals
from tests.segmentation.maths.populations import company

SPEND = GammaGamma(6.0, 4.0, 600.0)


def lived(customers: int, months: float, seed: int) -> tuple[Purchases, Floats, Floats, Floats]:
    """Simulated customers of 24 months with their spend, and the orders and the money of the `months` that followed."""
    model, rng = MODELS["mbgnbd"](1.2, 4.0, 0.4, 4.0), np.random.default_rng(seed)
    x, age = np.zeros(customers), np.full(customers, 24.0)
    past = model.simulate(rng, age, 30.4375)
    x = past.frequency
    alive = rng.random(customers) < model.probability_alive(past)
    end, one = np.array([0.0]), np.array([1.0])
    later, _same = model.lives(rng, x, age).future(rng, end, np.array([months]), one)
    later = np.where(alive, later, 0.0)
    rate = rng.gamma(SPEND.q, 1 / SPEND.v, customers)
    mean = np.where(x > 0, rng.gamma(SPEND.p * np.maximum(x, 1)) / rate / np.maximum(x, 1), 0.0)
    return past, mean, later, rng.gamma(SPEND.p * later) / rate


def intervals(past: Purchases, mean: Floats, *, seed: int = 0) -> ValueIntervals:
    spend = GammaGamma.fit(past.frequency, mean, prior=GammaGamma.default_prior(past.frequency, mean))
    return value_intervals(past, fit_by_size("mbgnbd", past), mean, spend, periods=12, rate=0.0, seed=seed)


def test_customers_future_lies_in_their_intervals_as_often_as_these_say() -> None:
    past, mean, later, money = lived(5000, 12, 1)
    found = intervals(past, mean)
    assert found.value is not None
    for level, low, high in zip((0.8, 0.95), found.purchases.low, found.purchases.high, strict=True):
        assert ((later >= low) & (later <= high)).mean() >= level - 0.015  # counts are whole: an interval holds its level or more
    for level, low, high in zip((0.8, 0.95), found.value.low, found.value.high, strict=True):
        assert level - 0.02 <= ((money >= low) & (money <= high)).mean() <= level + 0.11  # more, where "nothing" alone is likelier
    assert later.sum() == pytest.approx(found.purchases.mean.sum(), rel=0.1)


@pytest.mark.parametrize("customers", [150, 2100])
def test_the_total_lies_in_its_interval_as_often_as_this_says(customers: int) -> None:
    held = []
    for seed in range(12):
        past, _mean, later, _money = lived(customers, 12, 100 + seed)
        order_fit = fit_by_size("mbgnbd", past)
        total = value_intervals(past, order_fit, periods=12, rate=0.0, draws=100).total_purchases
        held.append(total.low[0] <= later.sum() <= total.high[0])
    assert sum(held) >= 7  # of 12 at 80 %: fewer than 7 has a chance of 2 %, and the seeds are fixed


def test_the_same_seed_gives_the_same_intervals() -> None:
    past, mean, _later, _money = lived(300, 12, 2)
    one, other = intervals(past, mean, seed=5), intervals(past, mean, seed=5)
    assert one.value is not None
    assert other.value is not None
    assert np.array_equal(one.value.high, other.value.high)
    assert np.array_equal(one.total_purchases.low, other.total_purchases.low)


def test_wide_intervals_hold_narrow_ones_and_those_hold_the_point() -> None:
    past, mean, _later, _money = lived(400, 12, 3)
    found = intervals(past, mean)
    assert found.total_value is not None
    assert found.value is not None
    assert (found.value.low[1] <= found.value.low[0]).all()
    assert (found.value.high[0] <= found.value.high[1]).all()
    total = found.total_value
    assert total.low[1] < total.low[0] < total.mean < total.high[0] < total.high[1]
    assert total.mean == pytest.approx(found.value.mean.sum())


def test_few_customers_make_the_total_less_certain() -> None:
    few, many = (intervals(*lived(size, 12, 4)[:2]).total_purchases for size in (100, 3000))
    widths = [(total.high[0] - total.low[0]) / total.mean for total in (few, many)]
    assert widths[0] > 2 * widths[1]


@pytest.mark.parametrize("model", list(MODELS))
def test_poor_data_give_wide_and_finite_intervals(model: str) -> None:
    for customers in (
        company(1),
        Purchases(np.zeros(40), np.zeros(40), np.full(40, 9.0)),
        Purchases(np.full(9, 500.0), np.full(9, 99.0), np.full(9, 100.0)),
    ):
        found = value_intervals(customers, fit_orders(model, customers), periods=12, rate=0.01, draws=100)
        for interval in (found.purchases, found.total_purchases):
            assert np.isfinite(interval.mean).all()
            assert np.isfinite(interval.low).all()
            assert np.isfinite(interval.high).all()


def test_drawn_parameters_have_the_fits_spread() -> None:
    fit = fit_orders("mbgnbd", company(20_000))
    drawn = np.log(draw_parameters(fit, 4000, np.random.default_rng(0)))
    assert drawn.std(axis=0) == pytest.approx(np.sqrt(np.diag(fit.covariance)), rel=0.08)
    assert drawn.mean(axis=0) == pytest.approx(np.log(fit.values), abs=0.02)
