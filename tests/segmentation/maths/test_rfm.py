from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from segmentation.maths import rfm
from segmentation.maths.arrays import Ints
from segmentation.maths.rfm import NO_DAY, Gathering, Totals, aggregate, amount_on, merge, positions, quintile_scores, rfm_scores
from tests.segmentation.maths.strategies import CUSTOMERS, Lines, lines


def row_by_row(customer: NDArray[np.int32], day: NDArray[np.int32], amount: NDArray[np.float64], customers: int = CUSTOMERS) -> Totals:
    totals = Totals.empty(customers)
    for number in range(customers):
        mine = [(int(d), float(a)) for c, d, a in zip(customer, day, amount, strict=True) if c == number]
        if mine:
            days = {d for d, _ in mine}
            totals.first_day[number], totals.last_day[number] = min(days), max(days)
            totals.days[number], totals.amount[number] = len(days), sum(a for _, a in mine)
    return totals


def assert_same(ours: Totals, theirs: Totals) -> None:
    for name in ("first_day", "last_day", "days", "amount"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)
        assert getattr(ours, name).dtype == getattr(theirs, name).dtype


def joined(*parts: Lines) -> Lines:
    customer, day, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
    return customer, day, amount


def copy_of(totals: Totals) -> Totals:
    return totals.of(np.arange(len(totals)))


def refresh(totals: Totals, old: Lines, new: Lines) -> Ints:
    """As a job does it: merge, then read the customers again that need it."""
    again = merge(totals, *new)
    everything = joined(old, new)
    theirs = np.isin(everything[0], again)
    rfm.replace(totals, again, everything[0][theirs], everything[1][theirs], everything[2][theirs])
    return again


@given(lines)
def test_totals_are_those_of_a_loop_over_the_lines(given_lines: Lines) -> None:
    assert_same(aggregate(*given_lines, CUSTOMERS), row_by_row(*given_lines))


@given(lines, st.integers(0, 1000))
def test_the_order_of_lines_does_not_matter(given_lines: Lines, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(given_lines[0]))
    customer, day, amount = given_lines
    assert_same(aggregate(customer[order], day[order], amount[order], CUSTOMERS), aggregate(*given_lines, CUSTOMERS))


@given(lines, lines)
def test_blocks_add_up_to_the_whole(first: Lines, second: Lines) -> None:
    gathering = Gathering(CUSTOMERS)  # keys of 64 bits
    gathering.add(*first)
    gathering.add(*second)
    assert_same(gathering.totals(), aggregate(*joined(first, second), CUSTOMERS))


@given(lines, lines)
def test_a_refreshed_table_equals_a_recomputed_one(old: Lines, new: Lines) -> None:
    totals = aggregate(*old, CUSTOMERS)
    refresh(totals, old, new)
    assert_same(totals, aggregate(*joined(old, new), CUSTOMERS))


@given(lines, lines)
def test_a_merge_leaves_whom_it_cannot_tell_as_they_were(old: Lines, new: Lines) -> None:
    before = aggregate(*old, CUSTOMERS)
    totals = copy_of(before)
    again = merge(totals, *new)
    assert_same(totals.of(again), before.of(again))
    late = {int(c) for c, d in zip(new[0], new[1], strict=True) if d < before.last_day[c]}
    assert again.tolist() == sorted(late)


def test_a_merge_of_later_days_reads_nobody_again() -> None:
    chance = np.random.default_rng(5)
    old = chance.integers(0, 1000, 20_000).astype(np.int32), chance.integers(0, 400, 20_000).astype(np.int32), np.ones(20_000)
    new = chance.integers(0, 1000, 200).astype(np.int32), chance.integers(400, 403, 200).astype(np.int32), np.ones(200)
    totals = aggregate(*old, 1000)
    assert len(merge(totals, *new)) == 0
    assert_same(totals, aggregate(*joined(old, new), 1000))


def test_new_customers_find_room() -> None:
    totals = aggregate(np.array([0, 1]), np.array([3, 4]), np.array([1.0, 2.0])).grown(4)
    assert totals.first_day.tolist() == [3, 4, NO_DAY, NO_DAY]
    assert len(merge(totals, np.array([3, 1]), np.array([5, 5]), np.array([7.0, 1.0]))) == 0
    assert_same(totals, aggregate(np.array([0, 1, 3, 1]), np.array([3, 4, 5, 5]), np.array([1.0, 2, 7, 1]), 4))


def test_long_ranges_of_days_and_many_customers_take_long_keys() -> None:
    chance = np.random.default_rng(1)
    customer = chance.integers(0, 3_000_000, 2000)
    day = chance.integers(-(2**31) + 2, 2**31 - 1, 2000).astype(np.int32)
    totals = aggregate(customer, day, np.ones(2000), 3_000_000)
    seen = np.unique(customer)
    assert totals.days[seen].sum() == 2000
    np.testing.assert_array_equal(totals.last_day[seen], [day[customer == one].max() for one in seen])
    np.testing.assert_array_equal(totals.first_day[seen], [day[customer == one].min() for one in seen])


def test_no_lines_make_an_empty_table() -> None:
    nothing = np.empty(0, np.int32)
    assert len(aggregate(nothing, nothing, np.empty(0))) == 0
    assert_same(aggregate(nothing, nothing, np.empty(0), 3), Totals.empty(3))


@pytest.mark.parametrize(
    ("customer", "day", "amount", "reason"),
    [
        ([-1], [0], [1.0], "outside"),
        ([3], [0], [1.0], "outside"),
        ([0], [0], [np.nan], "finite"),
        ([0, 0], [0, 0], [np.inf, 1.0], "finite"),
        ([0, 1], [0], [1.0], "one length"),
    ],
)
def test_lines_that_cannot_be_are_refused(customer: list[int], day: list[int], amount: list[float], reason: str) -> None:
    given_lines = np.array(customer), np.array(day), np.array(amount)
    with pytest.raises(ValueError, match=reason):
        aggregate(*given_lines, 3)
    totals = Totals.empty(3)
    with pytest.raises(ValueError, match=reason):
        merge(totals, *given_lines)
    assert_same(totals, Totals.empty(3))


def test_a_day_outside_the_promised_range_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        Gathering(1, (0, 10)).add(np.array([0]), np.array([11]), np.array([1.0]))
    with pytest.raises(ValueError, match="before the first"):
        Gathering(1, (3, 2))


def test_another_customers_line_cannot_slip_into_a_replacement() -> None:
    with pytest.raises(ValueError, match="not to be replaced"):
        rfm.replace(Totals.empty(3), np.array([0, 2]), np.array([1]), np.array([0]), np.array([1.0]))


@given(lines)
def test_the_amount_of_the_first_day_is_that_of_a_loop(given_lines: Lines) -> None:
    customer, day, amount = given_lines
    first = aggregate(*given_lines, CUSTOMERS).first_day
    expected = [sum(a for c, d, a in zip(customer, day, amount, strict=True) if c == n and d == first[n]) for n in range(CUSTOMERS)]
    np.testing.assert_array_equal(amount_on(first, customer, day, amount), expected)


@pytest.mark.parametrize("stretch", [1, 1000])
def test_ids_find_their_places_in_dense_and_thin_ranges(stretch: int) -> None:
    known = np.array([5, 6, 9, 40]) * stretch
    np.testing.assert_array_equal(positions(known[[2, 0, 3, 2]], known), [2, 0, 3, 2])
    for unknown in (1, 7 * stretch, 41 * stretch):
        with pytest.raises(ValueError, match="known"):
            positions(np.array([unknown]), known)
    assert len(positions(np.empty(0, np.int64), known)) == 0
    with pytest.raises(ValueError, match="known"):
        positions(known, np.empty(0, np.int64))


@given(st.lists(st.integers(0, 8), max_size=40))
def test_a_score_counts_the_fifths_that_lie_below(values: list[int]) -> None:
    expected = [1 + 5 * sum(other < value for other in values) // len(values) for value in values]
    np.testing.assert_array_equal(quintile_scores(np.array(values, np.int64)), expected)


def test_without_ties_each_score_is_a_fifth() -> None:
    scores = quintile_scores(np.random.default_rng(2).permutation(1000))
    assert np.bincount(scores).tolist() == [0, 200, 200, 200, 200, 200]


def test_customers_without_lines_have_no_score_and_count_for_nobodys() -> None:
    totals = aggregate(np.array([0, 0, 2, 3, 4, 5]), np.array([1, 9, 2, 3, 4, 5]), np.array([1.0, 1, 9, 4, 5, -3]), 7)
    scores = rfm_scores(totals)
    assert scores.recency.tolist() == [5, 0, 1, 2, 3, 4, 0]
    assert scores.frequency.tolist() == [5, 0, 1, 1, 1, 1, 0]
    assert scores.monetary.tolist() == [2, 0, 5, 3, 4, 1, 0]
