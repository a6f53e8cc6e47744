"""What holds for every model of orders: its gradient, its invariances, its recovery, and clean answers to poor data."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.maths.bg_bb import BgBb, Rounds
from segmentation.maths.bootstrap import bootstrap
from segmentation.maths.fitting import Fit, Likelihood, choose
from segmentation.maths.gamma_gamma import SpendLikelihood
from segmentation.maths.order_models import MODELS, fit_by_size, fit_orders, model_of
from segmentation.maths.purchases import Purchases, summarise
from tests.segmentation.maths.populations import TABLE, cdnow, company, table

ALL = pytest.mark.parametrize("model", list(MODELS))
LIKELIHOODS: dict[str, Likelihood] = {name: model.likelihood(TABLE.rows) for name, model in MODELS.items()} | {
    "bgbb": BgBb.likelihood(Rounds(np.array([0, 2, 6, 3, 1]), np.array([0, 4, 6, 6, 1]), np.array([6, 6, 6, 6, 3]), np.arange(1.0, 6))),
    "gamma_gamma": SpendLikelihood(np.array([1.0, 2, 2, 7]), np.array([5.0, 80, 21, 40])),
}


@pytest.mark.parametrize("name", list(LIKELIHOODS))
@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_finite_differences(name: str, seed: int) -> None:
    likelihood = LIKELIHOODS[name]
    theta = np.random.default_rng(seed).normal(0.3, 1.2, 3 if name == "gamma_gamma" else 4)
    _value, gradient = likelihood(theta)
    for i in range(len(theta)):
        step = np.eye(len(theta))[i] * 1e-5
        difference = (likelihood(theta + step)[0] - likelihood(theta - step)[0]) / 2e-5
        assert gradient[i] == pytest.approx(difference, rel=1e-5, abs=1e-5)


@ALL
def test_the_order_of_customers_changes_not_a_bit(model: str) -> None:
    customers = company(400)
    mixed = customers[np.random.default_rng(1).permutation(400)]
    assert fit_orders(model, customers).params == fit_orders(model, mixed).params


@ALL
def test_collapsed_rows_have_the_likelihood_of_single_customers(model: str) -> None:
    params = np.log([0.8, 5.0, 0.7, 3.0])
    customers = company(300)
    alone = sum(MODELS[model].likelihood(customers[np.array([i])].rows)(params)[0] for i in range(300))
    assert MODELS[model].likelihood(customers.rows)(params)[0] == pytest.approx(alone, rel=1e-12)


@ALL
def test_another_unit_of_time_changes_the_unit_alone(model: str) -> None:
    """Months to days: times × c, alpha (and beta of Pareto/NBD) × c, and the likelihood's Jacobian, one factor c per repeat."""
    months, c = company(1200), 30.4375
    days = Purchases(months.frequency, months.recency * c, months.age * c, 1.0)
    one, other = fit_orders(model, months), fit_orders(model, days)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - months.repeats * np.log(c), abs=1e-6)
    assert other.params["alpha"] == pytest.approx(one.params["alpha"] * c, rel=1e-4)
    assert other.params["r"] == pytest.approx(one.params["r"], rel=1e-4)


@ALL
def test_simulated_customers_are_fitted_again(model: str) -> None:
    truth = MODELS[model](1.2, 4.0, 0.6, 4.0)
    fit = fit_orders(model, company(5_000, 7, truth))
    assert fit.status == "converged"
    for name, error in fit.standard_errors.items():
        assert abs(fit.params[name] - getattr(truth, name)) < 4 * error + 0.02 * getattr(truth, name)


@ALL
def test_a_fit_gives_the_same_numbers_twice(model: str) -> None:
    one, other = fit_orders(model, company(500)), fit_orders(model, company(500))
    assert (one.params, one.log_likelihood) == (other.params, other.log_likelihood)


def same(x: float, t_x: float, age: float, customers: int) -> Purchases:
    return Purchases(np.full(customers, float(x)), np.full(customers, float(t_x)), np.full(customers, float(age)))


POOR = {
    "one_time_buyers": (same(0, 0, 20, 50), "no_repeats"),
    "all_new_today": (same(0, 0, 0, 50), "no_repeats"),
    "one_customer": (same(3, 10, 20, 1), "few_rows"),
    "one_one_time_buyer": (same(0, 0, 20, 1), "no_repeats"),
    "five_hundred_orders": (same(500, 1990, 2000, 30), None),
    "regular_and_never_gone": (same(20, 20, 20, 200), None),
}


@ALL
@pytest.mark.parametrize("case", list(POOR))
def test_poor_data_get_a_status_and_finite_numbers(model: str, case: str) -> None:
    customers, status = POOR[case]
    for fit in (fit_orders(model, customers), fit_by_size(model, customers)):
        assert np.isfinite([*fit.values, fit.log_likelihood]).all()
        assert not np.isnan(list(fit.standard_errors.values())).any()
        assert np.isfinite(fit.covariance).all()
        answers = model_of(fit)
        assert np.isfinite(answers.probability_alive(customers)).all()
        assert np.isfinite(answers.discounted_purchases(customers, 12, 0.01)).all()
        assert not np.isnan(answers.time_to_next_order(customers)).any()
    plain = fit_orders(model, customers)
    assert plain.status == status or (status is None and plain.status != "not_converged")
    assert not (status and plain.converged)


def test_nobody_leaving_is_called_that_and_no_error() -> None:
    rng = np.random.default_rng(1)
    orders = rng.poisson(rng.gamma(4, 0.5, 3000) * 30).astype(np.float64) + 5
    fit = fit_orders("bgnbd", Purchases(orders, np.full(3000, 30.0) - 0.01, np.full(3000, 30.0)))
    assert (fit.status, fit.converged) == ("no_dropout_seen", True)


def test_small_companies_get_a_prior_and_the_smallest_the_word_indicative() -> None:
    by_size = {size: fit_by_size("mbgnbd", company(size)) for size in (60, 400, 1000)}
    assert [fit.prior.name if fit.prior else None for fit in by_size.values()] == ["reference population", "weak log-normal", None]
    assert [fit.is_indicative for fit in by_size.values()] == [True, False, False]


@ALL
def test_the_prior_tames_what_runs_away(model: str) -> None:
    """Forecast totals of small companies: on average over 10 they must come closer with the prior than without."""
    truth = MODELS[model](1.2, 4.0, 0.6, 4.0)
    plain: list[float] = []
    tamed: list[float] = []
    for seed in range(10):
        customers = company(60, seed, truth)
        expected = truth.expected_purchases(12.0, customers).sum()
        for errors, fit in ((plain, fit_orders(model, customers)), (tamed, fit_by_size(model, customers))):
            errors.append(abs(model_of(fit).expected_purchases(12.0, customers).sum() / expected - 1))
    assert np.mean(tamed) < np.mean(plain)
    assert max(tamed) < 0.6


def test_the_likeliest_model_is_chosen_and_the_reason_told() -> None:
    customers = company(800)
    fits = [fit_orders(name, customers) for name in MODELS]
    choice = choose(fits)
    assert choice.fit.log_likelihood == max(fit.log_likelihood for fit in fits)
    assert choice.fit.model in choice.reason
    assert "log-likelihood" in choice.reason
    assert [aic for _name, aic in choice.ranking] == sorted(fit.aic for fit in fits)


def test_a_fit_that_did_not_converge_is_not_chosen() -> None:
    good = fit_orders("mbgnbd", company(500))
    lost = Fit(**{**vars(good), "model": "bgnbd", "converged": False, "status": "not_converged", "log_likelihood": 0.0})
    assert choose([lost, good]).fit is good


def test_fits_to_different_customers_do_not_compare() -> None:
    with pytest.raises(ValueError, match="same customers"):
        choose([fit_orders("mbgnbd", company(50)), fit_orders("bgnbd", company(60))])


@pytest.mark.parametrize("model", ["mbgnbd", "pareto_nbd"])
def test_the_bootstrap_spreads_as_the_standard_errors_say(model: str) -> None:
    customers = company(3000, 2, MODELS[model](1.2, 4.0, 0.8, 4.0))
    fit = fit_orders(model, customers)
    found = bootstrap(customers, fit, replicates=60, seed=3)
    spread = np.log(found.params).std(axis=0)
    assert spread == pytest.approx(np.sqrt(np.diag(fit.covariance)), rel=0.5)
    assert np.array_equal(found.params, bootstrap(customers, fit, replicates=60, seed=3).params)
    low, high = found.interval(0.95)
    assert ((low < fit.values) & (np.array(fit.values) < high)).all()


def test_the_short_way_of_the_bootstrap_arrives_where_a_full_fit_does() -> None:
    customers = company(2000, 5)
    fit = fit_orders("mbgnbd", customers)
    found = bootstrap(customers, fit, replicates=1, seed=9).params[0]
    rows = customers.rows
    weight = np.random.default_rng(9).multinomial(2000, rows.weight / 2000).astype(int)
    resampled = rows.purchases(customers.unit_days)[np.repeat(np.arange(len(weight)), weight)]
    assert found == pytest.approx(np.array(fit_orders("mbgnbd", resampled).values), rel=5e-3)


def test_the_back_test_on_cdnow_comes_out_as_published() -> None:
    """39 weeks to fit, 39 to check: in total 1653.4 expected against 1882."""
    rows = table("data/clv/cdnow_sample.csv")
    who, day = np.array(rows["customer"]), np.array(rows["date"], dtype="datetime64[D]").astype(np.int64)
    cut = int(np.datetime64("1997-09-30").astype(int))
    past = summarise(who, day, None, end=cut)
    later = summarise(np.append(who[day > cut], past.customers), np.append(day[day > cut], np.full(2357, cut)), None, end=cut + 7 * 39)
    actual = later.purchases.frequency
    expected = model_of(fit_orders("bgnbd", past.purchases)).expected_purchases(39.0, past.purchases)
    assert (expected.sum(), actual.sum()) == (pytest.approx(1653.4, rel=0.005), 1882)
    assert np.abs(expected - actual).mean() == pytest.approx(0.7855, rel=0.005)
    assert np.sqrt(((expected - actual) ** 2).mean()) == pytest.approx(1.6080, rel=0.005)
    assert np.corrcoef(expected, actual)[0, 1] == pytest.approx(0.6256, abs=0.001)
    assert len(cdnow()[0]) == 2357
