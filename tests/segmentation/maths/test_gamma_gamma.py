"""Gamma–Gamma: the published figures, and what happens to spend that does not suit it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma as gamma_law

from segmentation.maths.gamma_gamma import GammaGamma, correlation
from tests.segmentation.maths.populations import cdnow

X = np.array([1.0, 1, 2, 3, 5, 8])
SPEND = np.array([12.0, 80.5, 33.3, 20.0, 41.0, 9.9])


def test_the_fit_to_cdnow_is_the_published_one() -> None:
    purchases, spend = cdnow()
    fit = GammaGamma.fit(purchases.frequency, spend)
    assert fit.values == pytest.approx((6.2488, 3.74459, 15.44775), rel=1e-3)
    assert fit.log_likelihood == pytest.approx(-4055.9232, abs=1e-3)
    assert (fit.status, fit.customers, fit.notes) == ("converged", 946, ())


def test_a_customer_is_expected_to_spend_as_published() -> None:
    spends = GammaGamma(6.25, 3.74, 15.44).expected_spend(np.array([2.0, 1, 0, 7]), np.array([22.35, 11.77, 0, 73.74]))
    assert spends == pytest.approx([24.6637, 18.9169, 35.2190, 71.4697], abs=1e-4)


def test_the_likelihood_is_the_integral_over_the_customers_rate() -> None:
    params = GammaGamma(6.25, 3.74, 15.44)
    brute = 0.0
    for x, z in zip(X, SPEND, strict=True):
        density, _error = quad(
            lambda nu, x=x, z=z: gamma_law.pdf(z, params.p * x, scale=1 / (nu * x)) * gamma_law.pdf(nu, params.q, scale=1 / params.v), 0, 9
        )
        brute += np.log(density)
    assert GammaGamma.log_likelihood(X, SPEND, params) == pytest.approx(brute, rel=1e-7)


def test_customers_without_repeat_or_spend_change_nothing() -> None:
    fit = GammaGamma.fit(np.append(X, [0, 4]), np.append(SPEND, [50, 0]))
    assert fit.params == GammaGamma.fit(X, SPEND).params
    assert fit.customers == len(X)


def test_another_currency_scales_v_alone() -> None:
    truth, rng = GammaGamma(6.25, 3.74, 15.44), np.random.default_rng(2)
    x = rng.integers(1, 9, 3000).astype(np.float64)
    spend = truth.simulate(rng, x)
    in_cents, plain = GammaGamma.fit(x, spend * 100), GammaGamma.fit(x, spend)
    assert in_cents.params["p"] == pytest.approx(plain.params["p"], rel=1e-4)
    assert in_cents.params["v"] == pytest.approx(plain.params["v"] * 100, rel=1e-4)
    assert in_cents.log_likelihood == pytest.approx(plain.log_likelihood - 3000 * np.log(100), rel=1e-9)
    for name, error in plain.standard_errors.items():
        assert abs(plain.params[name] - getattr(truth, name)) < 4 * error


def test_q_stays_above_one_where_spend_has_no_mean() -> None:
    rng = np.random.default_rng(1)
    spend = np.exp(rng.normal(3, 4, 500))
    fit = GammaGamma.fit(np.full(500, 9.0), spend)
    assert fit.params["q"] > 1
    assert np.isfinite(GammaGamma(*fit.values).expected_spend(np.zeros(1), np.zeros(1))).all()


def test_spend_that_goes_with_frequency_is_warned_of() -> None:
    x = np.arange(1.0, 60)
    fit = GammaGamma.fit(x, 10 * x + np.random.default_rng(0).normal(0, 5, 59).clip(-5, 5))
    assert "correlated" in fit.notes[0]
    assert correlation(x, x) == pytest.approx(1)
    assert correlation(x, np.ones(59)) == 0.0


def test_everybody_spending_the_same_is_told_and_finite() -> None:
    fit = GammaGamma.fit(np.array([1.0, 2, 3, 4]), np.full(4, 25.0))
    assert fit.status == "same_spread_for_all"
    assert GammaGamma(*fit.values).expected_spend(np.array([2.0]), np.array([25.0])) == pytest.approx([25], rel=1e-3)


def test_nobody_with_a_repeat_and_spend_is_refused() -> None:
    with pytest.raises(ValueError, match="no customer"):
        GammaGamma.fit(np.zeros(3), np.zeros(3))
