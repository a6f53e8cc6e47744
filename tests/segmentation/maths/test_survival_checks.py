"""Kaplan–Meier and Cox: the same figures as the reference on the Rossi data, and plain words where nothing can be fitted."""

from __future__ import annotations

import csv
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from django.conf import settings

from segmentation.maths import sbg
from segmentation.maths.arrays import Floats
from segmentation.maths.hazards import contributions, fit_hazards, loss_probability, relative_risk, top_drivers
from segmentation.maths.kaplan_meier import agreement, kaplan_meier
from segmentation.maths.renewal_forecast import survival
from segmentation.maths.renewals import count_renewals
from tests.segmentation.maths.test_renewal_models import simulate

ROSSI = settings.SHARED_DATA / "data" / "clv" / "rossi.csv"
needs_rossi = pytest.mark.skipif(not ROSSI.exists(), reason="the shared data is not here")
COVARIATES = ("fin", "age", "race", "wexp", "mar", "paro", "prio")


@cache
def rossi() -> dict[str, Floats]:
    with ROSSI.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def made_up(n: int = 400, seed: int = 1) -> tuple[dict[str, Floats], Floats, Floats]:
    """Contracts whose risk doubles with tickets per month and does not know of size."""
    rng = np.random.default_rng(seed)
    covariates = {"tickets": rng.normal(size=n), "size": rng.normal(size=n)}
    lifetime = rng.exponential(1 / (0.1 * np.exp(np.log(2) * covariates["tickets"])))
    seen = rng.uniform(1, 12, n)
    return covariates, np.minimum(lifetime, seen), (lifetime <= seen).astype(float)


# Kaplan–Meier


@needs_rossi
def test_kaplan_meier_has_the_published_survival() -> None:
    assert kaplan_meier(rossi()["week"], rossi()["arrest"]).at(52) == pytest.approx(0.73611, abs=1e-5)


@pytest.mark.parametrize("has_entry", [False, True])
def test_kaplan_meier_is_that_of_lifelines(has_entry: bool) -> None:
    from lifelines import KaplanMeierFitter

    rng = np.random.default_rng(3)
    durations, lost, weights = rng.integers(2, 30, 300).astype(float), rng.random(300) < 0.6, rng.integers(1, 4, 300)
    entered = rng.integers(0, 2, 300).astype(float) if has_entry else None
    ours = kaplan_meier(durations, lost, weights, entered, level=0.8)
    theirs = KaplanMeierFitter(alpha=0.2).fit(durations, lost, entry=entered, weights=weights)
    assert ours.at(theirs.timeline) == pytest.approx(theirs.survival_function_.to_numpy()[:, 0], abs=1e-12)
    bands = theirs.confidence_interval_survival_function_
    common = np.isin(theirs.timeline, ours.times)
    inside = (ours.survival > 0) & (ours.survival < 1)
    assert ours.low[inside] == pytest.approx(bands.to_numpy()[common][inside, 0], abs=1e-12)
    assert ours.high[inside] == pytest.approx(bands.to_numpy()[common][inside, 1], abs=1e-12)


def test_kaplan_meier_does_not_know_the_order_and_takes_weights() -> None:
    durations, lost = np.array([3.0, 1, 2, 2, 5, 5]), np.array([1.0, 1, 0, 1, 0, 1])
    curve = kaplan_meier(durations, lost)
    assert curve.survival.tolist() == kaplan_meier(durations[::-1], lost[::-1]).survival.tolist()
    doubled = kaplan_meier(durations, lost, np.full(6, 2.0))
    assert doubled.survival.tolist() == curve.survival.tolist()
    assert np.all(doubled.high - doubled.low <= curve.high - curve.low)


def test_kaplan_meier_of_renewals_is_the_product_of_their_rates() -> None:
    """So the curve that checks a contract model comes from the same counts as its likelihood."""
    ages, lost = np.array([1, 1, 2, 3, 3, 4, 4, 4.0]), np.array([1, 0, 1, 1, 0, 0, 1, 0.0])
    counts = count_renewals(ages, lost)
    rates = counts.passed / (counts.passed + counts.lost)
    assert kaplan_meier(ages, lost).at(np.arange(1, 5)) == pytest.approx(np.cumprod(rates))


@pytest.mark.parametrize(
    ("durations", "lost", "last"),
    [([], [], 1.0), ([4.0], [0], 1.0), ([4.0], [1], 0.0), ([2.0, 2.0], [1, 1], 0.0), ([0.0, 3.0], [1, 0], 0.5)],
)
def test_kaplan_meier_of_hardly_anybody_is_known_everywhere(durations: list[float], lost: list[int], last: float) -> None:
    curve = kaplan_meier(durations, lost)
    assert curve.at(100) == last
    for band in (curve.survival, curve.low, curve.high):
        assert np.all((band >= 0) & (band <= 1))
    assert np.all((curve.low <= curve.survival) & (curve.survival <= curve.high))


def test_the_right_model_agrees_with_the_curve_and_a_wrong_one_does_not() -> None:
    ages, lost = simulate(3000, 1.0, 4.0, seed=11)
    curve = kaplan_meier(ages, lost)
    fitted = agreement(curve, survival(sbg.fit(count_renewals(ages, lost)), 10))
    assert fitted.holds
    assert fitted.largest_gap < 0.02
    constant = agreement(curve, 0.8 ** np.arange(11.0))
    assert 10 in constant.outside
    assert constant.largest_gap > 0.1
    assert agreement(kaplan_meier([], []), np.ones(3)).holds


def test_kaplan_meier_refuses_impossible_rows() -> None:
    for durations, lost, entered in (([-1.0], [1], None), ([np.nan], [1], None), ([1.0, 2.0], [1], None), ([1.0], [1], [2.0])):
        with pytest.raises(ValueError, match="must"):
            kaplan_meier(durations, lost, entered=entered)


# Cox


@needs_rossi
def test_cox_has_the_published_figures() -> None:
    table = rossi()
    fit = fit_hazards({name: table[name] for name in COVARIATES}, table["week"], table["arrest"])
    expected = {"fin": -0.37942, "age": -0.05744, "race": 0.31390, "wexp": -0.14980, "mar": -0.43370, "paro": -0.08487, "prio": 0.09150}
    assert fit.coefficients == pytest.approx(expected, abs=1e-4)
    assert fit.log_likelihood == pytest.approx(-658.7477, abs=1e-4)
    assert fit.concordance == pytest.approx(0.6403, abs=1e-4)
    assert (fit.status, fit.customers, fit.events, fit.is_indicative) == ("ok", 432, 114, False)
    assert fit.hazard_ratios["fin"] == pytest.approx(np.exp(-0.37942), abs=1e-4)


def test_cox_finds_what_drives_the_risk() -> None:
    covariates, durations, lost = made_up(2000)
    fit = fit_hazards(covariates, durations, lost)
    assert abs(fit.coefficients["tickets"] - np.log(2)) < 3 * fit.se["tickets"]
    assert abs(fit.coefficients["size"]) < 3 * fit.se["size"]
    assert fit.p_values["tickets"] < 0.001 < fit.p_values["size"]


def test_drivers_tell_what_raises_and_what_lowers_a_rows_risk() -> None:
    covariates, durations, lost = made_up()
    fit = fit_hazards(covariates, durations, lost)
    rows = {"tickets": [3.0, -3.0], "size": [0.0, 0.0]}
    worse, better = top_drivers(fit, rows)
    assert (worse[0].covariate, worse[0].direction, worse[0].value) == ("tickets", "raises", 3.0)
    assert better[0].direction == "lowers"
    assert worse[0].factor > 4
    assert len(top_drivers(fit, rows, count=1)[0]) == 1


def test_contributions_add_up_to_the_relative_risk() -> None:
    covariates, durations, lost = made_up()
    fit = fit_hazards(covariates, durations, lost)
    assert np.exp(contributions(fit, covariates).sum(axis=1)) == pytest.approx(relative_risk(fit, covariates))
    average = {name: [value] for name, value in fit.averages.items()}
    assert relative_risk(fit, average) == pytest.approx([1.0])
    assert top_drivers(fit, average) == [()]


def test_loss_probabilities_add_up_to_the_losses() -> None:
    rng = np.random.default_rng(2)
    n = 1500
    covariates = {"tickets": rng.normal(size=n)}
    lifetime = rng.exponential(8 / np.exp(0.7 * covariates["tickets"]))
    fit = fit_hazards(covariates, np.minimum(lifetime, 6.0), lifetime <= 6.0)
    chance = loss_probability(fit, covariates, np.zeros(n), 6.0)
    assert np.all((chance >= 0) & (chance <= 1))
    assert chance.sum() == pytest.approx((lifetime <= 6.0).sum(), rel=0.03)
    alive = lifetime > 3.0
    later = loss_probability(fit, covariates, np.full(n, 3.0), 3.0)[alive]
    assert later.sum() == pytest.approx((lifetime[alive] <= 6.0).sum(), rel=0.05)


def test_a_covariate_that_does_not_vary_is_left_out_and_named() -> None:
    covariates, durations, lost = made_up()
    fit = fit_hazards(covariates | {"country": np.ones(len(durations))}, durations, lost)
    assert (fit.status, fit.left_out) == ("ok", ("country",))
    assert any("country" in note for note in fit.notes)


def test_what_cannot_be_fitted_says_so() -> None:
    covariates, durations, lost = made_up()
    n = len(durations)
    tickets = covariates["tickets"]
    separating = np.where(lost > 0, 1.0, 0.0) * (20 - durations)
    cases = {
        "too_few_events": fit_hazards(covariates, durations, np.zeros(n)),
        "no_variation": fit_hazards({"country": np.ones(n)}, durations, lost),
        "collinear": fit_hazards(covariates | {"calls": 2 * tickets + 1}, durations, lost),
        "not_converged": fit_hazards({"gone": separating}, durations, lost),
    }
    for status, fit in cases.items():
        assert fit.status == status
        assert fit.notes
        assert relative_risk(fit, covariates).tolist() == [1.0] * n
        assert top_drivers(fit, covariates)[0] == ()
    assert "calls" in cases["collinear"].notes[0]
    assert "size" not in cases["collinear"].notes[0]
    assert fit_hazards({}, [], []).status == "too_few_events"


def test_many_rows_are_looked_through_for_what_says_the_same() -> None:
    covariates, durations, lost = made_up(60_000)
    total = covariates["tickets"] + covariates["size"]
    assert fit_hazards(covariates | {"total": total}, durations, lost).status == "collinear"
    assert fit_hazards({"a": [1.0, 2, 3, 4, 6], "b": [2.0, 4, 6, 8, 12]}, [1, 2, 3, 4, 5], [1] * 5).status == "collinear"


def test_few_losses_are_indicative() -> None:
    covariates, durations, lost = made_up(40)
    assert fit_hazards(covariates, durations, lost).is_indicative == (lost.sum() < 20)
    few = np.where(np.cumsum(lost) <= 8, lost, 0.0)
    fit = fit_hazards(covariates, durations, few)
    assert fit.is_indicative
    assert any("indicative" in note for note in fit.notes)


def test_unknown_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="tickets"):
        fit_hazards({"tickets": [np.nan, 1.0]}, [1.0, 2.0], [1, 0])
    with pytest.raises(ValueError, match="length"):
        fit_hazards({"tickets": [1.0]}, [1.0, 2.0], [1, 0])


def test_pandas_is_loaded_by_a_fit_only() -> None:
    code = "import sys, segmentation.maths.hazards; sys.exit('pandas' in sys.modules or 'lifelines' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, check=False).returncode == 0
