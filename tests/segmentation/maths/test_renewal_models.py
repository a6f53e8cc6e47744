"""Contract models: the published figures, what must hold for any contracts, and what happens where data decide nothing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from segmentation.maths import bdw, sbg
from segmentation.maths.arrays import Floats
from segmentation.maths.renewal_choice import choose, likelihood_ratio
from segmentation.maths.renewal_fitting import REFERENCE, Model, Prior, log_likelihood
from segmentation.maths.renewal_forecast import (
    conditional_survival,
    draw_log_params,
    drawn_log_survival,
    log_survival,
    renewal_probability,
    retention_rates,
    survival,
)
from segmentation.maths.renewals import RenewalFit, Renewals, count_renewals, renewals_from_survivors

HIGH_END = [1000, 869, 743, 653, 593, 551, 517, 491]
REGULAR = [1000, 631, 468, 382, 326, 289, 262, 241]
TARGETS = settings.SHARED_DATA / "clv_targets.json"
FITS = {"sbg": sbg.fit, "bdw": bdw.fit}
MODELS = [sbg.MODEL, bdw.MODEL]


def simulate(contracts: int, alpha: float, beta: float, c: float = 1.0, *, seed: int, longest: int = 10) -> tuple[Floats, Floats]:
    """Ages and losses of contracts with different starts, drawn contract by contract and not from the formula of survival."""
    rng = np.random.default_rng(seed)
    theta = rng.beta(alpha, beta, contracts)
    lifetime = np.ceil((np.log(rng.random(contracts)) / np.log1p(-theta)) ** (1 / c))
    seen = rng.integers(0, longest + 1, contracts)
    return np.minimum(lifetime, seen), (lifetime <= seen).astype(float)


# The published figures


@pytest.mark.parametrize(("theta", "expected"), [((1.0, 1.0), -2115.55), ((0.01, 0.01), -2741.70)])
def test_sbg_has_the_published_likelihood(theta: tuple[float, float], expected: float) -> None:
    value, _ = log_likelihood(sbg.MODEL, np.log(theta), renewals_from_survivors(HIGH_END))
    assert value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("survivors", "alpha", "beta", "likelihood"),
    [
        (HIGH_END, 0.66809, 3.80609, -1611.1581),
        (REGULAR[:5], 0.76367, 1.29583, -1401.5594),
        (REGULAR, 0.70408, 1.18204, -1680.2652),
    ],
)
def test_sbg_finds_the_published_parameters(survivors: list[int], alpha: float, beta: float, likelihood: float) -> None:
    fit = sbg.fit(renewals_from_survivors(survivors))
    assert (fit.method, fit.converged, fit.status) == ("ml", True, "ok")
    assert fit.params == {"alpha": pytest.approx(alpha, rel=1e-3), "beta": pytest.approx(beta, rel=1e-3)}
    assert fit.log_likelihood == pytest.approx(likelihood, abs=1e-3)


def test_sbg_projects_the_published_survival() -> None:
    fit = sbg.fit(renewals_from_survivors(HIGH_END))
    assert 100 * survival(fit, 12)[12] == pytest.approx(37.80, abs=0.01)


@pytest.mark.skipif(not TARGETS.exists(), reason="the shared data is not here")
def test_both_models_give_the_targets() -> None:
    targets = json.loads(TARGETS.read_text())
    tolerance = targets["tolerance"]
    for case in targets["retention_fit"]:
        renewals = renewals_from_survivors(case["survivors_of_1000"])
        for name, expected in case["models"].items():
            fit = FITS[name](renewals)
            assert fit.params == pytest.approx(expected["params"], rel=tolerance["params_relative"])
            assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=tolerance["log_likelihood_absolute"])
            assert 100 * survival(fit, 12)[12] == pytest.approx(expected["survival_at_12_percent"], abs=0.01)


# What must hold for any contracts


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("centre", [(0.3, 2.0, 1.4), (5.0, 0.4, 0.6), (60.0, 900.0, 1.0)])
def test_gradients_are_those_of_finite_differences(model: Model, centre: tuple[float, ...]) -> None:
    theta = np.log(centre[: len(model.parameters)])
    renewals = count_renewals(*simulate(400, 1.0, 4.0, seed=5))
    _, gradient = log_likelihood(model, theta, renewals)
    step = 1e-5
    for i, analytic in enumerate(gradient):
        away = np.eye(len(theta))[i] * step
        numeric = (log_likelihood(model, theta + away, renewals)[0] - log_likelihood(model, theta - away, renewals)[0]) / (2 * step)
        assert analytic == pytest.approx(numeric, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_neither_order_nor_collapsing_of_rows_matters(fit: Any) -> None:
    ages, lost = simulate(1500, 1.0, 4.0, seed=2)
    expanded = fit(count_renewals(ages, lost))
    order = np.random.default_rng(0).permutation(len(ages))
    assert fit(count_renewals(ages[order], lost[order])).params == expanded.params
    kinds, weights = np.unique(np.column_stack([ages, lost]), axis=0, return_counts=True)
    collapsed = fit(count_renewals(kinds[:, 0], kinds[:, 1], weights))
    assert (collapsed.params, collapsed.log_likelihood, collapsed.customers) == (expanded.params, expanded.log_likelihood, 1500)


def test_a_cohort_is_the_same_as_a_table_and_as_contracts() -> None:
    lost = -np.diff(HIGH_END)
    ages = [*np.repeat(np.arange(1, 8), lost), *[7] * HIGH_END[-1]]
    rows = count_renewals(ages, [*[1] * int(lost.sum()), *[0] * HIGH_END[-1]])
    table = renewals_from_survivors(HIGH_END)
    assert np.array_equal(rows.passed, table.passed)
    assert np.array_equal(rows.lost, table.lost)
    assert (rows.contracts, rows.faced) == (table.contracts, table.faced)


def test_cohorts_are_pooled_by_adding_their_counts() -> None:
    older, younger = renewals_from_survivors([100, 80, 70]), renewals_from_survivors([50, 45])
    pooled = older.plus(younger)
    assert pooled.passed.tolist() == [125, 70]
    assert pooled.lost.tolist() == [25, 10]
    assert pooled.contracts == 150


def test_contracts_seen_late_count_from_when_they_are_seen() -> None:
    """Else a company that recorded its running contracts only would seem never to have lost an old one."""
    late = count_renewals([5, 6], [0, 1], entered=[3, 4])
    assert late.passed.tolist() == [0, 0, 0, 1, 2, 0]
    assert late.lost.tolist() == [0, 0, 0, 0, 0, 1]


def test_late_entry_gives_the_same_parameters_as_full_observation() -> None:
    ages, lost = simulate(60_000, 1.0, 4.0, seed=9)
    entered = np.minimum(np.random.default_rng(1).integers(0, 4, len(ages)), 3)
    was_seen = ages > entered
    fit = sbg.fit(count_renewals(ages[was_seen], lost[was_seen], entered=entered[was_seen]))
    assert fit.params == {"alpha": pytest.approx(1.0, rel=0.15), "beta": pytest.approx(4.0, rel=0.15)}


@pytest.mark.parametrize(("alpha", "beta", "c"), [(1.0, 4.0, 1.0), (0.8, 2.5, 1.5), (2.0, 9.0, 0.7)])
def test_simulated_contracts_give_their_parameters_back(alpha: float, beta: float, c: float) -> None:
    fit = bdw.fit(count_renewals(*simulate(40_000, alpha, beta, c, seed=3)))
    assert fit.converged
    for name, truth in zip(("alpha", "beta", "c"), (alpha, beta, c), strict=True):
        assert abs(fit.params[name] - truth) < 4 * fit.se[name]
    assert fit.se["c"] < 0.1


def test_standard_errors_are_the_spread_of_repeated_fits() -> None:
    fits = [sbg.fit(count_renewals(*simulate(4000, 1.0, 4.0, seed=seed))) for seed in range(60)]
    spread = np.std([np.log(fit.params["alpha"]) for fit in fits])
    told = np.mean([fit.se["alpha"] / fit.params["alpha"] for fit in fits])
    assert told == pytest.approx(spread, rel=0.3)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 30), st.booleans(), st.floats(0.1, 500)), min_size=1, max_size=12))
def test_whatever_the_contracts_survival_falls_and_nothing_is_unknown(rows: list[tuple[int, bool, float]]) -> None:
    ages, lost, weights = (list(column) for column in zip(*rows, strict=True))
    renewals = count_renewals(ages, lost, weights)
    for fit in (sbg.fit(renewals), bdw.fit(renewals)):
        curve = survival(fit, 60)
        assert curve[0] == 1
        assert np.all(np.diff(curve) <= 0)
        assert np.all(np.isfinite(curve))
        assert np.all(np.isfinite([*fit.params.values(), *fit.se.values(), fit.log_likelihood, *fit.covariance.ravel()]))
        assert np.all(np.linalg.eigvalsh(fit.covariance) > 0)


def test_survival_is_the_product_of_retention_rates() -> None:
    fit = bdw.fit(renewals_from_survivors(HIGH_END))
    assert np.cumprod(retention_rates(fit, 20)) == pytest.approx(survival(fit, 20)[1:])
    assert conditional_survival(fit, [0, 3], [3, 4]) == pytest.approx([survival(fit, 3)[3], survival(fit, 7)[7] / survival(fit, 3)[3]])
    assert renewal_probability(fit, 4) == pytest.approx(retention_rates(fit, 5)[4])


def test_bdw_with_c_of_1_is_sbg() -> None:
    for alpha, beta in ((0.5, 3.0), (4000.0, 60_000.0), (1e-3, 5.0)):
        simple, _ = sbg.log_retention(np.log([alpha, beta]), 200)
        full, _ = bdw.log_retention(np.log([alpha, beta, 1.0]), 200)
        assert full == pytest.approx(simple, rel=1e-6, abs=1e-13)


def test_old_contracts_have_a_chance_even_where_survival_is_nothing() -> None:
    fit = make_fit("bdw", 50.0, 2.0, 3.0)
    assert survival(fit, 3000)[3000] == pytest.approx(0, abs=1e-100)
    assert 0 < renewal_probability(fit, 3000) < 1
    assert np.all(np.isfinite(log_survival(fit, 3000)))


# Few contracts, and data that decide nothing


@pytest.mark.parametrize(
    ("renewals", "status"),
    [
        (count_renewals([], []), "no_renewals"),
        (count_renewals([0, 0], [0, 0]), "no_renewals"),
        (renewals_from_survivors([40]), "no_renewals"),
        (count_renewals([3], [1]), "one_contract"),
        (renewals_from_survivors([2000, 2000, 2000]), "nobody_lost"),
        (renewals_from_survivors([2000, 0]), "all_lost"),
        (renewals_from_survivors([2000, 1500]), "few_periods"),
    ],
)
@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_data_that_decide_nothing_are_named(renewals: Renewals, status: str, fit: Any) -> None:
    found = fit(renewals)
    assert (found.status, found.converged) == (status, True)
    assert found.method in ("map", "pooled")
    assert found.notes
    assert np.all(np.isfinite(survival(found, 30)))


def test_maximum_likelihood_that_does_not_exist_is_not_given_for_one() -> None:
    fit = sbg.fit(renewals_from_survivors([2000, 2000]), method="ml")
    assert (fit.method, fit.converged) == ("map", False)
    assert any("no maximum" in note for note in fit.notes)


def test_contracts_that_do_not_differ_are_recognised() -> None:
    rng = np.random.default_rng(8)
    lifetime = rng.geometric(0.2, 5000)
    fit = sbg.fit(count_renewals(np.minimum(lifetime, 8), lifetime <= 8))
    assert (fit.status, fit.converged, fit.se) == ("same_rate_for_all", True, {})
    assert retention_rates(fit, 8) == pytest.approx(np.full(8, 0.8), abs=0.01)


@pytest.mark.parametrize(("contracts", "method", "indicative"), [(60, "pooled", True), (500, "map", False), (1000, "ml", False)])
def test_the_number_of_contracts_decides_what_helps_them(contracts: int, method: str, indicative: bool) -> None:
    share = contracts / 1000
    fit = sbg.fit(renewals_from_survivors([count * share for count in HIGH_END]))
    assert (fit.method, fit.is_indicative) == (method, indicative)


def test_few_contracts_lean_on_the_reference_and_many_do_not() -> None:
    """Half of the contracts are lost each year, of the reference population an eighth."""
    halves = np.array([1, 0.5, 0.25, 0.125])
    first_rate = [retention_rates(sbg.fit(renewals_from_survivors(n * halves)), 1)[0] for n in (8, 40, 90, 800)]
    assert np.all(np.diff(first_rate) < 0)
    assert first_rate[0] > 0.8
    assert first_rate[3] == pytest.approx(0.5, abs=0.03)


def test_the_prior_moves_a_thousand_contracts_by_less_than_their_error() -> None:
    table = renewals_from_survivors(HIGH_END)
    by_likelihood, by_prior = sbg.fit(table, method="ml"), sbg.fit(table, method="map")
    for name, error in by_likelihood.se.items():
        assert abs(by_prior.params[name] - by_likelihood.params[name]) < 0.2 * error
    assert by_prior.log_likelihood <= by_likelihood.log_likelihood


def test_the_prior_is_better_than_the_likelihood_on_few_contracts() -> None:
    """Five-year survival of 150 contracts, one year ahead of what was seen; the truth is not the prior's centre."""
    truth = survival(make_fit("sbg", 0.7, 2.0), 8)[8]
    errors: dict[str, list[float]] = {"ml": [], "map": []}
    for seed in range(60):
        renewals = count_renewals(*simulate(150, 0.7, 2.0, seed=seed, longest=4))
        for method, found in errors.items():
            found.append(abs(survival(bdw.fit(renewals, method=method), 8)[8] - truth))
    assert np.percentile(errors["map"], 90) < 0.9 * np.percentile(errors["ml"], 90)


def test_a_segment_leans_on_the_company_through_the_prior() -> None:
    company = sbg.fit(renewals_from_survivors(HIGH_END))
    near = Prior("company", tuple(company.params.values()), (0.2, 0.2))
    segment = renewals_from_survivors([30, 15, 8])
    leaning = sbg.fit(segment, method="map", prior=near, reference=None)
    alone = sbg.fit(segment, method="map", reference=None)
    assert retention_rates(alone, 1)[0] < retention_rates(leaning, 1)[0] < retention_rates(company, 1)[0]


# Choosing


def test_the_third_parameter_is_taken_where_likelihood_speaks_for_it() -> None:
    choice = choose(renewals_from_survivors(HIGH_END))
    assert (choice.chosen.model, choice.reason) == ("bdw", "age_matters")
    assert choice.statistic == pytest.approx(2 * (1611.1581 - 1605.3142), abs=0.001)
    assert choice.p_value == pytest.approx(0.00063, abs=1e-5)


def test_the_simple_model_is_kept_where_the_third_parameter_brings_nothing() -> None:
    choice = choose(renewals_from_survivors(REGULAR))
    assert (choice.chosen.model, choice.other.model, choice.reason) == ("sbg", "bdw", "age_does_not_matter")
    assert "LR =" in choice.in_words


def test_the_test_of_c_errs_as_often_as_it_says() -> None:
    p_values = [choose(count_renewals(*simulate(3000, 1.0, 4.0, seed=seed))).p_value for seed in range(120)]
    assert 0 < np.mean(np.array(p_values) < 0.1) < 0.2


def test_no_choice_is_made_up_where_data_cannot_tell() -> None:
    choice = choose(renewals_from_survivors([500, 500, 500, 500]))
    assert (choice.chosen.model, choice.reason, choice.p_value) == ("sbg", "data_cannot_tell", 1.0)


def test_fits_with_a_prior_are_not_tested_against_each_other() -> None:
    table = renewals_from_survivors(HIGH_END)
    with pytest.raises(ValueError, match="maximum likelihood"):
        likelihood_ratio(sbg.fit(table, method="map"), bdw.fit(table))


# Draws


def test_drawn_parameters_have_the_fits_mean_and_covariance_and_never_change() -> None:
    fit = bdw.fit(renewals_from_survivors(HIGH_END))
    drawn = draw_log_params(fit, 2000)
    assert drawn.mean(axis=0) == pytest.approx(fit.log_params, abs=0.02)
    assert np.cov(drawn.T) == pytest.approx(fit.covariance, rel=0.1)
    assert np.array_equal(drawn, draw_log_params(fit, 2000))


def test_drawn_survival_lies_about_the_fits() -> None:
    fit = sbg.fit(renewals_from_survivors(HIGH_END))
    curves = np.exp(drawn_log_survival(fit, 12, 400))
    low, high = np.quantile(curves[:, 7], [0.025, 0.975])
    assert low < 0.491 < high
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(0.491 * 0.509 / 1000), rel=0.25)  # near the binomial one


# What is refused


@pytest.mark.parametrize(
    ("ages", "lost", "more"),
    [
        ([1.5], [1], {}),
        ([-1], [0], {}),
        ([0], [1], {}),
        ([np.nan], [0], {}),
        ([20_000], [0], {}),
        ([1, 2], [0], {}),
        ([2], [0], {"weights": [-1]}),
        ([2], [1], {"entered": [2]}),
        ([2], [0], {"entered": [3]}),
    ],
)
def test_impossible_contracts_are_refused(ages: list[float], lost: list[int], more: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match=r"must|lost|cannot"):
        count_renewals(ages, lost, **more)


@pytest.mark.parametrize("survivors", [[], [10, 11], [10, -1], [10, np.nan]])
def test_impossible_survivors_are_refused(survivors: list[float]) -> None:
    with pytest.raises(ValueError, match="survivors"):
        renewals_from_survivors(survivors)


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="method"):
        sbg.fit(REFERENCE, method="bayes")


def make_fit(model: str, *params: float) -> RenewalFit:
    """A fit that is known exactly."""
    names = ("alpha", "beta", "c")[: len(params)]
    return RenewalFit(
        model=model,
        params=dict(zip(names, params, strict=True)),
        log_likelihood=0.0,
        converged=True,
        status="ok",
        method="ml",
        se={},
        covariance=np.eye(len(params)) * 1e-12,
        customers=1000,
        seconds=0.0,
    )
