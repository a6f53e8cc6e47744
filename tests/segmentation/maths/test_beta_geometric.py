"""BG/NBD and MBG/NBD: the published figures, and twins that integrate by brute force."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1
from scipy.stats import beta as beta_law
from scipy.stats import gamma as gamma_law

from segmentation.maths.bg_nbd import BgNbd
from segmentation.maths.mbg_nbd import MbgNbd
from segmentation.maths.purchases import Purchases
from segmentation.maths.quadrature import beta_nodes, unit_interval
from tests.segmentation.maths.populations import TABLE, cdnow

Model: TypeAlias = type[BgNbd] | type[MbgNbd]
BOTH = pytest.mark.parametrize("model", [BgNbd, MbgNbd])
PUBLISHED = BgNbd(0.243, 4.414, 0.793, 2.426)
PAST = Purchases(np.array([2.0]), np.array([30.43]), np.array([38.86]))


@pytest.mark.parametrize(
    ("model", "params", "log_likelihood"),
    [
        (BgNbd, (0.242593, 4.413531, 0.792886, 2.425754), -9582.4256),
        (MbgNbd, (0.524838, 6.182992, 0.891356, 1.613999), -9582.1327),
    ],
)
def test_the_fit_to_cdnow_is_the_published_one(model: Model, params: tuple[float, ...], log_likelihood: float) -> None:
    fit = model.fit(cdnow()[0])
    assert fit.values == pytest.approx(params, rel=2e-4)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=1e-3)
    assert (fit.converged, fit.status, fit.customers) == (True, "converged", 2357)


def test_a_new_customer_orders_as_published() -> None:
    expected = PUBLISHED.expected_from_start(np.array([0.1429, 1, 3, 32, 78]))
    assert expected == pytest.approx([0.0078, 0.0533, 0.1509, 1.0452, 1.8605], abs=1e-4)


def test_a_known_customer_orders_as_published() -> None:
    assert PUBLISHED.expected_purchases(39, PAST) == pytest.approx([1.2260], abs=1e-4)
    busy = Purchases(np.array([26.0]), np.array([30.86]), np.array([31.0]))
    assert PUBLISHED.probability_alive(busy) == pytest.approx([0.9689], abs=1e-4)


def test_the_share_of_customers_with_n_orders_is_as_published() -> None:
    assert PUBLISHED.pmf(39, 0) == pytest.approx([0.5737864], abs=1e-6)
    assert PUBLISHED.pmf(30, np.array([11.0, 20.0])) == pytest.approx([0.0019995214, 0.0002222260], abs=1e-6)


@BOTH
def test_the_shares_sum_to_one_and_their_mean_is_the_expectation(model: Model) -> None:
    params, n = model(0.9, 4.0, 0.8, 2.4), np.arange(600.0)
    share = params.pmf(20, n)
    assert share.sum() == pytest.approx(1, abs=1e-9)
    assert share @ n == pytest.approx(params.expected_from_start(20)[0], rel=1e-8)


def brute_likelihood(params: BgNbd | MbgNbd, x: float, t_x: float, age: float) -> float:
    """The model's story, integrated over rate and chance."""

    def history(rate: float, chance: float) -> float:
        stays = (1 - chance) ** (x + params.shift)
        left = chance * (1 - chance) ** (x - 1 + params.shift) if params.shift or x else 0.0
        return float(rate**x * (stays * np.exp(-rate * age) + left * np.exp(-rate * t_x)))

    u, weight = unit_interval(150)
    rates, chances = gamma_law(params.r, scale=1 / params.alpha).pdf(8 * u), beta_law(params.a, params.b).pdf(u)
    lives = np.array([[history(rate, chance) for rate in 8 * u] for chance in u])
    return float(chances * weight @ lives @ (8 * rates * weight))


@BOTH
@pytest.mark.parametrize("row", [1, 3, 7])
def test_the_likelihood_is_the_integral_of_the_story(model: Model, row: int) -> None:
    params = model(2.0, 4.0, 2.0, 3.0)  # whole numbers: the integrand is smooth, and a Gauss rule exact
    one = TABLE[np.array([row])]
    brute = brute_likelihood(params, one.frequency[0], one.recency[0], one.age[0])
    assert np.exp(model.log_likelihood(one, params)) == pytest.approx(brute, rel=1e-9)


@pytest.mark.parametrize("a", [0.4, 0.999, 1.7])
@pytest.mark.parametrize("t", [0.5, 39.0, 400.0])
def test_the_expectation_is_the_textbook_formula_where_that_holds(a: float, t: float) -> None:
    params = BgNbd(0.6, 4.4, a, 2.4)
    x, age = TABLE.frequency, TABLE.age
    z = t / (params.alpha + age + t)
    series = hyp2f1(params.r + x, params.b + x, a + params.b + x - 1, z)
    shrunk = ((params.alpha + age) / (params.alpha + age + t)) ** (params.r + x)
    textbook = (a + params.b + x - 1) / (a - 1) * (1 - shrunk * series) * params.probability_alive(TABLE)
    assert params.expected_purchases(t, TABLE) == pytest.approx(textbook, rel=1e-8)


def test_at_a_of_one_where_the_textbook_divides_by_nothing_the_limit_is_taken() -> None:
    exact = BgNbd(0.6, 4.4, 1.0, 2.4).expected_purchases(39, TABLE)
    near = BgNbd(0.6, 4.4, 1.0 + 1e-7, 2.4).expected_purchases(39, TABLE)
    assert exact == pytest.approx(near, rel=1e-6)


@BOTH
def test_five_hundred_orders_over_long_ages_stay_finite(model: Model) -> None:
    params = model(0.24, 4.4, 0.79, 2.43)
    busy = Purchases(np.array([500.0, 500.0, 900.0]), np.array([10.0, 5000.0, 2000.0]), np.array([5000.0, 5000.0, 2000.0]))
    assert np.isfinite(model.log_likelihood(busy, params))
    assert params.probability_alive(busy) == pytest.approx([0, 1, 1], abs=1e-2)
    assert np.isfinite(params.expected_purchases(52, busy)).all()
    assert np.isfinite(params.discounted_purchases(busy, 52, 0.002)).all()


@BOTH
def test_no_order_and_the_wait_for_one_agree(model: Model) -> None:
    params = model(0.9, 4.0, 0.5, 3.0)
    for quantile in (0.1, 0.5):
        wait = params.time_to_next_order(TABLE, quantile)
        comes = np.isfinite(wait)
        assert comes.any()
        assert params.probability_no_order(np.where(comes, wait, 1.0), TABLE)[comes] == pytest.approx(1 - quantile, rel=1e-9)
        assert (params.probability_no_order(1e9, TABLE)[~comes] >= 1 - quantile).all()


def test_silence_is_a_risk_even_for_one_who_is_surely_a_customer() -> None:
    new = Purchases(np.array([0.0]), np.array([0.0]), np.array([10.0]))
    assert PUBLISHED.probability_alive(new) == pytest.approx([1.0])
    assert PUBLISHED.probability_no_order(39.0, new)[0] > 0.7


@BOTH
def test_discounting_takes_each_period_at_its_middle(model: Model) -> None:
    params = model(0.9, 4.0, 0.5, 3.0)
    upto = np.array([params.expected_purchases(float(t), TABLE) for t in range(13)])
    by_hand = sum((upto[i] - upto[i - 1]) * 1.01 ** -(i - 0.5) for i in range(1, 13))
    assert params.discounted_purchases(TABLE, 12, 0.01) == pytest.approx(np.asarray(by_hand), rel=1e-9)
    assert params.discounted_purchases(TABLE, 12, 0.0) == pytest.approx(upto[12], rel=1e-9)
    assert (params.discounted_purchases(TABLE, 12, 0.02) < params.discounted_purchases(TABLE, 12, 0.01)).all()


@BOTH
def test_what_is_expected_is_what_simulated_customers_do(model: Model) -> None:
    params, rng = model(1.2, 4.0, 0.6, 3.0), np.random.default_rng(3)
    orders = params.simulate(rng, np.full(100_000, 24.0)).frequency
    assert orders.mean() == pytest.approx(params.expected_from_start(24)[0], rel=0.02)
    assert np.bincount(orders.astype(int))[:4] / 100_000 == pytest.approx(params.pmf(24, np.arange(4.0)), abs=0.006)


@BOTH
def test_the_past_and_the_future_of_one_simulated_life_fit_together(model: Model) -> None:
    """Customers like each other after 20 weeks must on average order in the next 20 what the model says of them then."""
    params, rng = model(1.2, 4.0, 0.6, 3.0), np.random.default_rng(4)
    rate, chance = rng.gamma(params.r, 1 / params.alpha, 200_000), rng.beta(params.a, params.b, 200_000)
    alive = rng.random(200_000) >= chance if params.shift else np.ones(200_000, dtype=bool)
    clock, past, last, later = np.zeros(200_000), np.zeros(200_000), np.zeros(200_000), np.zeros(200_000)
    while alive.any():
        clock = clock + rng.exponential(1 / rate)
        early = alive & (clock <= 20)
        past, last = past + early, np.where(early, clock, last)
        later += alive & (clock > 20) & (clock <= 40)
        alive &= (clock <= 40) & (rng.random(200_000) >= chance)
    told = Purchases(past, last, np.full(200_000, 20.0))
    expected = params.expected_purchases(20.0, told)
    for x in (0, 1, 4):
        assert later[past == x].mean() == pytest.approx(expected[past == x].mean(), rel=0.04)
    assert (later == 0).mean() == pytest.approx(params.probability_no_order(20.0, told).mean(), abs=0.005)


def test_the_gauss_rule_of_a_beta_law_integrates_as_quad_does() -> None:
    for a, b in ((0.3, 0.4), (0.8, 2.4), (1.0, 1.0), (2.0, 500.0)):
        p, weight = beta_nodes(a, b, 40)
        exact, _error = quad(lambda u, a=a, b=b: np.log1p(3 * beta_law.ppf(u, a, b)), 0, 1, limit=200)
        assert weight @ np.log1p(3 * p) == pytest.approx(exact, rel=1e-7)
        assert weight.sum() == pytest.approx(1, abs=1e-12)
