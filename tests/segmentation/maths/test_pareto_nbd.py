"""Pareto/NBD: the published figures, counts of several hundred, and the 2F1 formula as a twin where it holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1, hyperu

from segmentation.maths.pareto_nbd import ParetoNbd
from segmentation.maths.purchases import Purchases
from tests.segmentation.maths.populations import TABLE, cdnow

PUBLISHED = ParetoNbd(0.553, 10.578, 0.606, 11.669)
BUSY = Purchases(np.array([26.0]), np.array([30.857143]), np.array([31.0]))


def test_the_fit_to_cdnow_is_the_published_one() -> None:
    fit = ParetoNbd.fit(cdnow()[0])
    assert fit.values == pytest.approx((0.553276, 10.577613, 0.606214, 11.66791), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(-9594.9739, abs=1e-3)
    assert fit.status == "converged"
    assert fit == fit.__class__(**{**vars(ParetoNbd.fit(cdnow()[0])), "seconds": fit.seconds, "covariance": fit.covariance})


def test_its_standard_errors_are_the_published_ones() -> None:
    errors = ParetoNbd.fit(cdnow()[0]).standard_errors
    assert tuple(errors.values()) == pytest.approx((0.04763, 0.8427, 0.1873, 6.211), rel=0.01)


def test_a_customer_is_worth_what_is_published() -> None:
    assert PUBLISHED.expected_purchases(52, BUSY) == pytest.approx([25.4573], rel=1e-5)
    assert PUBLISHED.probability_alive(BUSY) == pytest.approx([0.997874], rel=1e-5)
    assert PUBLISHED.expected_from_start(52) == pytest.approx([1.47300], rel=1e-5)


def test_counts_beyond_a_hundred_at_which_others_overflow() -> None:
    params, whole = ParetoNbd(0.55, 10.58, 0.61, 11.67), np.array([200.0, 200.0])
    assert params.expected_purchases(10, Purchases(np.array([132.0, 133.0]), whole, whole)) == pytest.approx([6.206052, 6.252872], rel=1e-5)
    many = Purchases(
        np.array([221.0, 254, 161, 204]),
        np.array([103.42857, 97.14286, 94.71429, 98.57143]),
        np.array([103.57143, 97.28571, 98, 99.42857]),
    )
    alive = ParetoNbd(0.5143, 2.8845, 0.2856, 14.1087).probability_alive(many)
    assert alive == pytest.approx([0.99959605, 0.99955823, 0.74948775, 0.99425508], rel=1e-5)


def test_two_thousand_orders_over_long_ages_stay_finite() -> None:
    busy = Purchases(np.array([500.0, 500.0, 2000.0]), np.array([10.0, 5000.0, 2000.0]), np.array([5000.0, 5000.0, 2000.0]))
    assert np.isfinite(ParetoNbd.log_likelihood(busy, PUBLISHED))
    assert PUBLISHED.probability_alive(busy) == pytest.approx([0, 1, 1], abs=1e-2)
    assert np.isfinite(PUBLISHED.expected_purchases(52, busy)).all()


def textbook(params: ParetoNbd, x: float, t_x: float, age: float) -> float:
    """log L by Fader & Hardie (2005) after Euler's transformation; overflows for large x."""
    r, alpha, s, beta = params.r, params.alpha, params.s, params.beta
    n = r + s + x

    def part(t: float) -> float:
        if alpha >= beta:
            return float((alpha + t) ** -(r + x) * (beta + t) ** -s * hyp2f1(1, r + x, n + 1, (alpha - beta) / (alpha + t)))
        return float((alpha + t) ** (1 - r - x) * (beta + t) ** -(s + 1) * hyp2f1(1, s + 1, n + 1, (beta - alpha) / (beta + t)))

    bracket = (alpha + age) ** -(r + x) * (beta + age) ** -s + s / n * (part(t_x) - part(age))
    return float(gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(bracket))


@pytest.mark.parametrize("params", [PUBLISHED, ParetoNbd(0.3, 2.0, 1.0, 40.0), ParetoNbd(2.5, 30.0, 0.2, 0.7), ParetoNbd(1, 1, 3, 1)])
def test_the_likelihood_is_the_textbooks_where_that_does_not_overflow(params: ParetoNbd) -> None:
    for row in range(len(TABLE)):
        one = TABLE[np.array([row])]
        expected = textbook(params, one.frequency[0], one.recency[0], one.age[0])
        assert ParetoNbd.log_likelihood(one, params) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_value_without_horizon_is_the_closed_form() -> None:
    delta = np.log(1.15) * 7 / 365.25
    base = PUBLISHED.beta + TABLE.age
    psi = base**PUBLISHED.s * delta ** (PUBLISHED.s - 1) * hyperu(PUBLISHED.s, PUBLISHED.s, delta * base)
    closed = PUBLISHED.probability_alive(TABLE) * (PUBLISHED.r + TABLE.frequency) / (PUBLISHED.alpha + TABLE.age) * psi
    assert PUBLISHED.discounted_lifetime_purchases(TABLE, 0.15) == pytest.approx(closed, rel=1e-8)
    long = PUBLISHED.discounted_purchases(TABLE, 8000, 1.15 ** (7 / 365.25) - 1)
    assert long == pytest.approx(closed, rel=1e-3)


def test_a_value_without_horizon_needs_a_discount_rate() -> None:
    with pytest.raises(ValueError, match="positive discount rate"):
        PUBLISHED.discounted_lifetime_purchases(TABLE, 0.0)


def test_at_s_of_one_the_limit_is_taken() -> None:
    exact = ParetoNbd(0.5, 10, 1.0, 11).expected_purchases(39, TABLE)
    assert exact == pytest.approx(ParetoNbd(0.5, 10, 1.0 + 1e-7, 11).expected_purchases(39, TABLE), rel=1e-6)


def test_no_order_is_the_integral_over_the_end_and_the_rate() -> None:
    one, t = TABLE[np.array([5])], 13.0
    r, alpha = PUBLISHED.r + one.frequency[0], PUBLISHED.alpha + one.age[0]
    s, beta = PUBLISHED.s, PUBLISHED.beta + one.age[0]
    ended, _error = quad(lambda end: (alpha / (alpha + end)) ** r * s / beta * (beta / (beta + end)) ** (s + 1), 0, t)
    silent = ended + (alpha / (alpha + t)) ** r * (beta / (beta + t)) ** s
    alive = PUBLISHED.probability_alive(one)[0]
    assert PUBLISHED.probability_no_order(t, one)[0] == pytest.approx(1 - alive * (1 - silent), rel=1e-9)


def test_no_order_and_the_wait_for_one_agree() -> None:
    wait = PUBLISHED.time_to_next_order(TABLE, 0.25)
    comes = np.isfinite(wait)
    assert comes.any()
    assert not comes.all()
    assert PUBLISHED.probability_no_order(np.where(comes, wait, 1.0), TABLE)[comes] == pytest.approx(0.75, rel=1e-5)


def test_what_is_expected_is_what_simulated_customers_do() -> None:
    params, rng = ParetoNbd(1.2, 4.0, 1.5, 20.0), np.random.default_rng(3)
    orders = params.simulate(rng, np.full(100_000, 24.0)).frequency
    assert orders.mean() == pytest.approx(params.expected_from_start(24)[0], rel=0.02)
