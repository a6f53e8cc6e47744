"""BG/BB: the published figures for 11,104 donors, and a twin that walks through every life."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.stats import beta as beta_law

from segmentation.maths.bg_bb import BgBb, Rounds
from tests.segmentation.maths.populations import table

PUBLISHED = BgBb(1.203522, 0.749716, 0.656718, 2.783443)
SOME = Rounds(np.array([0, 2, 6, 3]), np.array([0, 4, 6, 6]), np.full(4, 6), np.ones(4))


def donors() -> Rounds:
    columns = table("data/clv/donations.csv")
    x, t_x, n, weight = (np.array(columns[name], dtype=np.int64) for name in ("frequency", "recency", "periods", "weights"))
    return Rounds(x, t_x, n, weight.astype(np.float64))


def test_the_fit_to_the_donors_is_the_published_one() -> None:
    fit = BgBb.fit(donors())
    assert fit.values == pytest.approx((1.203522, 0.749716, 0.656718, 2.783443), rel=5e-4)
    assert fit.log_likelihood == pytest.approx(-33225.5813, abs=1e-3)
    assert (fit.status, fit.customers) == ("converged", 11104)


def test_donors_are_expected_to_give_as_published() -> None:
    assert PUBLISHED.probability_alive(SOME)[:3] == pytest.approx([0.1081, 0.5897, 0.9304], abs=5e-5)
    assert PUBLISHED.expected_purchases(5, SOME)[:3] == pytest.approx([0.0729, 1.0576, 3.7525], abs=5e-5)
    assert PUBLISHED.discounted_lifetime_purchases(SOME, 0.1)[[2, 3, 0]] == pytest.approx([5.9099, 3.4486, 0.11475], rel=2e-4)


def test_all_donors_together_give_as_published() -> None:
    rounds = donors()
    assert rounds.weight @ PUBLISHED.expected_purchases(5, rounds) == pytest.approx(12884.2, abs=0.2)


def test_the_likelihood_is_the_integral_over_every_life() -> None:
    params = BgBb(1.4, 1.8, 1.6, 2.8)

    def history(p: float, theta: float) -> float:  # two orders in rounds 1 and 2 of 4
        orders = p * p * (1 - theta) ** 2
        return orders * (theta + (1 - theta) * (1 - p) * (theta + (1 - theta) * (1 - p)))

    law, chance = beta_law(params.alpha, params.beta), beta_law(params.gamma, params.delta)
    brute, _error = dblquad(lambda p, theta: float(history(p, theta) * law.pdf(p) * chance.pdf(theta)), 0, 1, 0, 1)
    one = Rounds(np.array([2]), np.array([2]), np.array([4]), np.ones(1))
    assert np.exp(BgBb.log_likelihood(one, params)) == pytest.approx(brute, rel=1e-7)


def test_a_long_horizon_comes_to_the_value_without_one() -> None:
    assert PUBLISHED.discounted_purchases(SOME, 400, 0.1) == pytest.approx(PUBLISHED.discounted_lifetime_purchases(SOME, 0.1), rel=1e-9)


def test_simulated_customers_are_fitted_again() -> None:
    truth = BgBb(1.2, 0.8, 0.7, 2.8)
    rounds = truth.simulate(np.random.default_rng(2), np.full(60_000, 8))
    fit = BgBb.fit(rounds)
    for name, error in fit.standard_errors.items():
        assert abs(fit.params[name] - getattr(truth, name)) < 4 * error


def test_no_order_counts_the_gone_and_the_silent() -> None:
    truth, rng = BgBb(1.2, 0.8, 0.7, 2.8), np.random.default_rng(5)
    n = 200_000
    p, theta = rng.beta(1.2, 0.8, n), rng.beta(0.7, 2.8, n)
    lived = rng.geometric(np.maximum(theta, 1e-12)) - 1
    orders = np.asarray((rng.random((9, n)) < p) & (np.arange(1, 10)[:, None] <= lived), dtype=np.bool_)
    x, last = orders[:6].sum(axis=0), (orders[:6] * np.arange(1, 7)[:, None]).max(axis=0)
    silent = orders[6:].sum(axis=0) == 0
    for frequency, recency in ((0, 0), (2, 4), (6, 6)):
        alike = np.asarray((x == frequency) & (last == recency), dtype=np.bool_)
        one = Rounds(np.array([frequency]), np.array([recency]), np.array([6]), np.ones(1))
        assert truth.probability_no_order(3, one)[0] == pytest.approx(silent[alike].mean(), abs=0.015)


def test_the_next_order_comes_in_the_first_round_that_makes_it_likely() -> None:
    rounds = PUBLISHED.rounds_to_next_order(SOME)
    assert rounds[0] == np.inf
    assert PUBLISHED.probability_no_order(int(rounds[3]), SOME)[3] <= 0.5 < PUBLISHED.probability_no_order(int(rounds[3]) - 1, SOME)[3]


@pytest.mark.parametrize("row", [(1, 0, 6), (0, 2, 6), (3, 2, 6), (2, 7, 6), (-1, 0, 6)])
def test_what_cannot_be_is_refused(row: tuple[int, int, int]) -> None:
    x, t_x, n = row
    with pytest.raises(ValueError, match="row 0"):
        Rounds(np.array([x]), np.array([t_x]), np.array([n]), np.ones(1))


def test_nobody_ordering_again_has_a_status_of_its_own() -> None:
    fit = BgBb.fit(Rounds(np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64), np.full(50, 6), np.ones(50)))
    assert (fit.status, fit.converged) == ("no_repeats", False)
    assert np.isfinite(fit.log_likelihood)
