"""Moves between tiers."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation.maths.markov import ABSENT, after_steps, migration, stationarity, value_by_state, value_over

TIERS = ("Platinum", "Gold", "Iron", "Lead")
LOST = len(TIERS)


def test_moves_are_counted_with_who_came_and_who_went() -> None:
    before = [0, 0, 1, ABSENT, 3, ABSENT, LOST]
    after = [0, 1, 1, 2, ABSENT, ABSENT, 2]
    found = migration(before, after, TIERS)
    assert found.states == (*TIERS, "new", "lost")
    named = {(found.states[i], found.states[j]): int(found.counts[i, j]) for i, j in np.argwhere(found.counts > 0)}
    assert named == {
        ("Platinum", "Platinum"): 1,
        ("Platinum", "Gold"): 1,
        ("Gold", "Gold"): 1,
        ("new", "Iron"): 1,
        ("Lead", "lost"): 1,
        ("lost", "Iron"): 1,
    }


def test_chances_are_counts_plus_the_prior() -> None:
    found = migration([0] * 10, [0] * 7 + [1] * 3, ("A", "B"), smoothing=0.5)
    assert found.probabilities[0] == pytest.approx(np.array([7.5, 3.5, 0, 0.5]) / 11.5)


def test_every_row_is_a_distribution_and_what_cannot_be_is_nothing() -> None:
    for smoothing in (0.0, 0.5):
        found = migration([0, 1], [1, ABSENT], TIERS, smoothing=smoothing)
        assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(6))
        assert found.probabilities[:, 4].tolist() == [0.0] * 6  # nobody becomes new
        assert found.probabilities[4, 5] == 0  # who is new is there
        assert found.probabilities[5, 5] == 1  # nobody lost was looked at: no win-backs are made up


def test_thin_cells_are_flagged() -> None:
    found = migration([0] * 9, [0] * 5 + [1] * 4, ("A", "B"))
    assert not found.thin[0, 0]
    assert found.thin[0, 1]


def test_steps_are_taken_one_after_the_other() -> None:
    chances = migration([0, 0, 1, 1], [0, 1, 1, ABSENT], ("A", "B")).living
    assert after_steps(chances, 0) == pytest.approx(np.eye(3))
    assert after_steps(chances, 3) == pytest.approx(chances @ chances @ chances)
    assert after_steps(chances, 2000)[:, -1] == pytest.approx(np.ones(3))


def test_the_value_of_a_state_is_the_long_sum() -> None:
    chances = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.0, 0.0, 1.0]])
    reward = np.array([100.0, 40.0, 0.0])
    value = value_by_state(chances, reward, 0.1)
    by_hand = sum(np.linalg.matrix_power(chances, t) @ reward / 1.1**t for t in range(400))
    assert value == pytest.approx(by_hand)
    assert value_over(chances, reward, 0.1, 400) == pytest.approx(value)
    assert value_over(chances, reward, 0.1, 1) == pytest.approx(reward)
    assert value[2] == 0


def test_value_falls_in_the_discount_rate_and_rises_in_margin() -> None:
    chances = np.array([[0.8, 0.2], [0.1, 0.9]])
    assert np.all(value_by_state(chances, [10.0, 5.0], 0.2) < value_by_state(chances, [10.0, 5.0], 0.1))
    assert np.all(value_by_state(chances, [11.0, 5.0], 0.1) > value_by_state(chances, [10.0, 5.0], 0.1))


def counts_of(chances: list[np.ndarray], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.array([[rng.multinomial(200, row) for row in one] for one in chances])


STILL = np.array([[0.7, 0.2, 0.1], [0.3, 0.5, 0.2], [0.1, 0.2, 0.7]])
MOVED = np.array([[0.5, 0.3, 0.2], [0.3, 0.5, 0.2], [0.1, 0.2, 0.7]])


def test_the_test_of_stationarity_errs_as_often_as_it_says() -> None:
    p_values = [stationarity(counts_of([STILL] * 4, seed)).p_value for seed in range(300)]
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.05)


def test_a_change_of_the_moves_is_seen() -> None:
    found = stationarity(counts_of([STILL, STILL, MOVED, MOVED], 1))
    assert found.p_value < 0.001
    assert found.degrees == 3 * 3 * 2
    assert found.is_reliable


def test_the_statistic_is_that_of_a_contingency_table() -> None:
    """One row of the matrix over two steps is an ordinary 2 × 2 table."""
    from scipy.stats import chi2_contingency

    counts = np.zeros((2, 2, 2))
    counts[0, 0], counts[1, 0] = [30, 10], [20, 25]
    plain = chi2_contingency([[30, 10], [20, 25]], correction=False)
    found = stationarity(counts)
    assert [found.statistic, found.degrees, found.p_value] == pytest.approx([plain.statistic, 1, plain.pvalue])


def test_one_step_or_nobody_tells_nothing() -> None:
    for counts in (np.ones((1, 3, 3)), np.zeros((3, 2, 2))):
        found = stationarity(counts)
        assert (found.degrees, found.p_value, found.is_reliable) == (0, 1.0, False)


@pytest.mark.parametrize(("before", "after"), [([5], [0]), ([-2], [0]), ([0, 1], [0])])
def test_impossible_moves_are_refused(before: list[int], after: list[int]) -> None:
    with pytest.raises(ValueError, match=r"codes|length"):
        migration(before, after, TIERS)


def test_what_is_no_matrix_of_chances_is_refused() -> None:
    with pytest.raises(ValueError, match="transition"):
        after_steps([[0.5, 0.6], [0.0, 1.0]], 2)
    with pytest.raises(ValueError, match="discount"):
        value_by_state([[1.0]], [1.0], 0.0)
