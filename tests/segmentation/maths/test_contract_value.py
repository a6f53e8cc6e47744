"""What running contracts will still bring: closed forms, long sums, and contracts that are simulated one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import hyp2f1

from segmentation.maths import sbg
from segmentation.maths.contract_value import (
    Contracts,
    discounted_lifetime,
    discounted_residual_lifetime,
    draw_totals,
    expected_value,
    total_value,
    value_of,
)
from segmentation.maths.renewal_forecast import survival
from segmentation.maths.renewals import RenewalFit, renewals_from_survivors
from tests.segmentation.maths.test_renewal_models import make_fit

MODELS = [make_fit("sbg", 0.668, 3.806), make_fit("bdw", 0.26, 1.72, 1.58)]
ONE = MODELS[0]


@pytest.mark.parametrize("alpha", [0.1, 0.7, 5.0, 200.0])
@pytest.mark.parametrize("beta", [0.2, 3.8, 80.0, 3000.0])
@pytest.mark.parametrize("discount", [0.002, 0.1, 0.5])
def test_the_closed_forms_are_the_long_sums(alpha: float, beta: float, discount: float) -> None:
    fit = make_fit("sbg", alpha, beta)
    assert sbg.discounted_lifetime(alpha, beta, discount) == pytest.approx(discounted_lifetime(fit, discount), rel=1e-8)
    for renewal in (1, 2, 7):
        closed = sbg.discounted_residual_lifetime(alpha, beta, discount, renewal)
        assert closed == pytest.approx(discounted_residual_lifetime(fit, discount, renewal=renewal), rel=1e-8)


def test_the_closed_form_is_scipys_hypergeometric_function_where_that_one_works() -> None:
    for b, c, z in ((3.8, 4.5, 0.9), (0.5, 0.6, 0.99), (7.0, 9.0, 0.5), (2.0, 3.0, 0.0)):
        ours = sbg.gauss_fraction(np.array(b), np.array(c), np.array(z))
        assert ours == pytest.approx(hyp2f1(1.0, b, c, z), rel=1e-11)


def test_the_finite_sums_grow_to_the_endless_one() -> None:
    for fit in MODELS:
        finite = [discounted_lifetime(fit, 0.1, periods) for periods in (0, 1, 5, 40, 400)]
        assert finite[:2] == [0.0, 1.0]
        assert np.all(np.diff(finite) > 0)
        assert finite[-1] == pytest.approx(discounted_lifetime(fit, 0.1), rel=1e-9)


def test_a_base_is_undervalued_by_its_aggregate_retention() -> None:
    """Fader & Hardie (2010): one constant rate forgets that the contracts that are left are the firm ones."""
    residual = discounted_residual_lifetime(ONE, 0.1, renewal=5)
    rate = survival(ONE, 1)[1]
    assert rate / (1 - rate / 1.1) < 0.75 * residual


@pytest.mark.parametrize("fit", MODELS, ids=lambda fit: fit.model)
@pytest.mark.parametrize("in_advance", [False, True])
def test_the_value_is_what_paying_it_out_month_by_month_gives(fit: RenewalFit, in_advance: bool) -> None:
    passed, left, term, margin, d, g = 3, 5, 12, 250.0, 0.008, 0.002
    curve = survival(fit, 20)
    by_hand = 0.0
    for month in range(1, 61):
        renewals = 0 if month <= left else (month - left - 1) // term + 1
        by_hand += margin * curve[passed + renewals] / curve[passed] * (1 + g) ** month / (1 + d) ** (month - in_advance)
    contracts = Contracts.of([passed], [left], [term], [margin])
    value = expected_value(fit, contracts, horizon=60, discount=d, growth=g, in_advance=in_advance)
    assert value[0] == pytest.approx(by_hand, rel=1e-12)


def test_the_running_term_is_certain() -> None:
    contracts = Contracts.of([0], [12], [12], [100.0])
    value = value_of(ONE, contracts, horizon=12, discount=0.01)
    annuity = 100 * (1 - 1.01**-12) / 0.01
    assert value.mean[0] == pytest.approx(annuity)
    assert value.deviation[0] == pytest.approx(0, abs=1e-4)
    assert value.intervals[0.95][0][0] == pytest.approx(annuity)


def test_yearly_contracts_before_a_renewal_are_worth_derl() -> None:
    contracts = Contracts.of([0, 3], [0, 0], [1, 1], [1.0, 1.0])
    value = expected_value(ONE, contracts, horizon=600, discount=0.1, in_advance=True)
    assert value == pytest.approx([discounted_residual_lifetime(ONE, 0.1, renewal=n, periods=600) for n in (1, 4)])


def test_mean_deviation_and_interval_are_those_of_simulated_contracts() -> None:
    rng = np.random.default_rng(4)
    alpha, beta, passed, left, term, horizon, d = 0.668, 3.806, 2, 4, 6, 48, 0.01
    theta = rng.beta(alpha, beta + passed, 200_000)  # what is left after two renewals
    ends = rng.geometric(theta)
    payments = np.minimum(left + (ends - 1) * term, horizon)
    worth = 80 * (1 - (1 + d) ** -payments.astype(float)) / d
    value = value_of(ONE, Contracts.of([passed], [left], [term], [80.0]), horizon=horizon, discount=d)
    assert value.mean[0] == pytest.approx(worth.mean(), rel=0.005)
    assert value.deviation[0] == pytest.approx(worth.std(), rel=0.01)
    for level, (low, high) in value.intervals.items():
        assert [low[0], high[0]] == pytest.approx(np.quantile(worth, [(1 - level) / 2, (1 + level) / 2]), rel=1e-3)
        assert np.mean((worth >= low[0] - 1e-6) & (worth <= high[0] + 1e-6)) >= level - 0.005


def test_the_total_is_that_of_simulated_companies() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.gamma(2.0, 50.0, 300)
    contracts = Contracts.of(np.zeros(300), np.zeros(300), np.ones(300), sizes)
    total = total_value(ONE, contracts, horizon=10, discount=0.1)
    ends = rng.geometric(rng.beta(0.668, 3.806, (4000, 300)))
    worth = ((1 - 1.1 ** -np.minimum(ends - 1, 10).astype(float)) / 0.1 * sizes).sum(axis=1)
    assert total.mean == pytest.approx(worth.mean(), rel=0.01)
    assert total.deviation == pytest.approx(worth.std(), rel=0.05)
    assert total.intervals[0.8] == pytest.approx(tuple(np.quantile(worth, [0.1, 0.9])), rel=0.01)


def test_unsure_parameters_widen_the_total() -> None:
    sure, unsure = ONE, sbg.fit(renewals_from_survivors([120, 104, 89, 78, 71]))
    contracts = Contracts.of(np.zeros(2000), np.zeros(2000), np.ones(2000), np.full(2000, 10.0))
    narrow = total_value(sure, contracts, horizon=10, discount=0.1)
    wide = total_value(unsure, contracts, horizon=10, discount=0.1)
    assert wide.deviation > 3 * narrow.deviation


def test_value_falls_with_the_discount_rate_and_rises_with_margin_age_and_horizon() -> None:
    contracts = Contracts.of([0, 1, 5], [3, 3, 3], [12, 12, 12], [100.0, 100.0, 100.0])
    values = [expected_value(ONE, contracts, horizon=60, discount=d) for d in (0.0, 0.005, 0.02)]
    assert np.all(np.diff(values, axis=0) < 0)
    assert np.all(np.diff(values[0]) > 0)
    longer = [expected_value(ONE, contracts, horizon=h, discount=0.01) for h in (0, 3, 12, 60)]
    assert np.all(np.diff(longer, axis=0) > 0)
    assert longer[0].tolist() == [0, 0, 0]


def test_a_contract_at_a_loss_has_its_interval_the_right_way_round() -> None:
    value = value_of(ONE, Contracts.of([1], [2], [12], [-10.0]), horizon=36, discount=0.01)
    low, high = value.intervals[0.8]
    assert low[0] < value.mean[0] < high[0] < 0


def test_values_are_the_same_every_time_and_in_any_order() -> None:
    rng = np.random.default_rng(6)
    passed, left, term, margin = rng.integers(0, 9, 500), rng.integers(0, 12, 500), rng.choice([1, 12, 36], 500), rng.normal(50, 20, 500)
    contracts = Contracts.of(passed, left, term, margin)
    order = rng.permutation(500)
    shuffled = Contracts.of(passed[order], left[order], term[order], margin[order])
    first, again = (value_of(ONE, one, horizon=36, discount=0.01) for one in (contracts, shuffled))
    assert np.array_equal(first.mean[order], again.mean)
    assert np.array_equal(first.intervals[0.95][0][order], again.intervals[0.95][0])
    assert np.array_equal(draw_totals(ONE, contracts, horizon=36, discount=0.01), draw_totals(ONE, contracts, horizon=36, discount=0.01))


def test_no_contracts_are_worth_nothing() -> None:
    nobody = Contracts.of([], [], [], [])
    assert value_of(ONE, nobody, horizon=12, discount=0.01).mean.shape == (0,)
    assert total_value(ONE, nobody, horizon=12, discount=0.01).intervals[0.8] == (0.0, 0.0)


@pytest.mark.parametrize(
    ("passed", "left", "term", "margin"), [(-1, 0, 1, 1.0), (0, 0.5, 1, 1.0), (0, 0, 0, 1.0), (0, 0, 1, np.nan), (0, [1, 2], 1, 1.0)]
)
def test_impossible_contracts_are_refused(passed: float, left: float, term: float, margin: float) -> None:
    with pytest.raises(ValueError, match=r"whole numbers|must"):
        Contracts.of(passed, left, term, margin)


def test_an_endless_sum_needs_a_discount_rate() -> None:
    for discount in (0.0, -0.1):
        with pytest.raises(ValueError, match="above 0"):
            sbg.discounted_lifetime(1.0, 2.0, discount)
        with pytest.raises(ValueError, match="above 0"):
            discounted_lifetime(ONE, discount)
