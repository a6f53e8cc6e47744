"""From order lines to frequency, recency and age."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.maths.purchases import MONTH, Purchases, period_rate, summarise
from tests.segmentation.maths.populations import TABLE, table

LINES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(-50, 200)), max_size=40)


def test_cdnow_lines_give_the_published_counts() -> None:
    rows = table("data/clv/cdnow_sample.csv")
    day, amount = np.array(rows["date"], dtype="datetime64[D]"), np.array(rows["amount"], dtype=np.float64)
    summary = summarise(np.array(rows["customer"]), day, amount, end=int(np.datetime64("1997-09-30").astype(int)))
    assert (len(summary.purchases), summary.purchases.repeats) == (2357, 2457)
    assert np.count_nonzero(summary.spend > 0) == 946
    assert summary.left_out.lines_after_end == 1959
    first = summary.purchases[:1]
    assert (first.frequency[0], first.recency[0] * 7, first.age[0] * 7) == pytest.approx((2, 213, 272))
    assert summary.spend[0] == pytest.approx(22.345)


def test_lines_of_one_day_are_one_transaction_and_the_first_day_is_no_repeat() -> None:
    summary = summarise(np.array([7, 7, 7, 7]), np.array([10, 10, 20, 20]), np.array([1.0, 2, 30, 12]), end=40, unit_days=MONTH)
    assert summary.purchases.frequency.tolist() == [1]
    assert summary.purchases.recency == pytest.approx([10 / 30.4375])
    assert summary.purchases.age == pytest.approx([30 / 30.4375])
    assert summary.spend.tolist() == [42]


def test_a_return_nets_with_its_day_and_a_day_below_zero_is_left_out() -> None:
    who, day = np.array([1, 1, 1, 1, 2]), np.array([0, 5, 5, 9, 3])
    summary = summarise(who, day, np.array([10.0, 20, -5, -7, -1]), end=10)
    assert summary.customers.tolist() == [1]
    assert summary.purchases.frequency.tolist() == [1]
    assert summary.spend.tolist() == [15]
    assert (summary.left_out.return_days, summary.left_out.customers_without_orders) == (2, 1)


def test_a_free_order_is_an_order() -> None:
    summary = summarise(np.array([1, 1, 1]), np.array([0, 5, 5]), np.array([10.0, 0.3, -0.3]), end=10)
    assert summary.purchases.frequency.tolist() == [1]
    assert summary.left_out.zero_days == 1


def test_no_lines_give_no_customers() -> None:
    assert len(summarise(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0), end=10).purchases) == 0


@settings(max_examples=60, deadline=None)
@given(LINES, st.randoms())
def test_the_summary_is_what_a_loop_over_customers_gives(lines: list[tuple[int, int, int]], random: object) -> None:
    end = 25
    days: dict[tuple[int, int], int] = {}
    for who, day, amount in lines:
        if day <= end:
            days[who, day] = days.get((who, day), 0) + amount
    expected = []
    for who in sorted({who for who, _day in days}):
        own = sorted((day, amount) for (whose, day), amount in days.items() if whose == who and amount >= 0)
        if own:
            repeat = [amount for _day, amount in own[1:]]
            spend = sum(repeat) / len(repeat) if repeat else 0
            expected.append((who, len(repeat), own[-1][0] - own[0][0], end - own[0][0], spend))
    columns = np.array(lines, dtype=np.int64).reshape(-1, 3).T
    summary = summarise(columns[0], columns[1], columns[2].astype(np.float64), end=end, unit_days=1.0)
    found = summary.purchases
    got = list(zip(summary.customers, found.frequency, found.recency, found.age, summary.spend, strict=True))
    assert got == [pytest.approx(row) for row in expected]


@pytest.mark.parametrize("row", [(1.5, 1, 2), (-1, 0, 2), (1, 3, 2), (0, 1, 2), (1, np.nan, 2), (np.inf, 1, 2), (1, -1, 2)])
def test_what_cannot_be_is_refused_with_its_row(row: tuple[float, float, float]) -> None:
    x, t_x, age = (np.array([0.0, value]) for value in row)
    with pytest.raises(ValueError, match="row 1"):
        Purchases(x, t_x, np.maximum(age, 0))


def test_collapsed_rows_hold_every_customer_once() -> None:
    twice = Purchases(np.tile(TABLE.frequency, 2), np.tile(TABLE.recency, 2), np.tile(TABLE.age, 2))
    rows = twice.rows
    assert (len(rows.weight), rows.customers) == (len(TABLE), 2 * len(TABLE))
    assert rows.place is not None
    back = rows.purchases(7.0)[rows.place]
    assert np.array_equal(back.frequency, twice.frequency)
    assert np.array_equal(back.recency, twice.recency)
    assert np.array_equal(back.age, twice.age)


def test_a_years_discount_is_compounded_and_never_divided() -> None:
    assert (1 + period_rate(0.1, MONTH)) ** 12 == pytest.approx(1.1)
    assert (1 + period_rate(0.1, 7)) ** (365.25 / 7) == pytest.approx(1.1)
