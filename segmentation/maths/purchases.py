"""What the transaction models need to know of customers: how often, how recently and since when they order.

The convention, everywhere: all orders of one customer on one day are one transaction; `frequency` counts transactions after
the first; `recency` runs from the first to the last, `age` from the first to the end of observation, both as fractions of a
unit of time (days ÷ 7 for weeks, ÷ 30.4375 for months: a month is a twelfth of 365.25 days).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Flags, Floats, Ints

DAY = 1.0
WEEK = 7.0
MONTH = 30.4375
YEAR = 365.25
UNITS = {"D": DAY, "W": WEEK, "M": MONTH}
FITTING = "needs a whole frequency >= 0 and 0 <= recency <= T, and recency 0 where frequency is 0"
_LARGEST_KEY = 2**62


def misfits(frequency: Floats, recency: Floats, age: Floats) -> Flags:
    """Which rows cannot be, see FITTING. Shape (n,)."""
    whole = np.isfinite(frequency) & (frequency >= 0) & (frequency == np.floor(frequency))
    ordered = np.isfinite(age) & (recency >= 0) & (recency <= age)
    return np.asarray(~(whole & ordered & ((frequency > 0) | (recency == 0))), dtype=np.bool_)


@dataclass(frozen=True)
class Purchases:
    """One row per customer: frequency x, recency t_x and age T, float64 of shape (n,), times in units of `unit_days` days.

    ValueError where a frequency is no whole number >= 0, 0 <= recency <= age does not hold, a customer without a repeat has a
    recency, or a value is not finite.
    """

    frequency: Floats
    recency: Floats
    age: Floats
    unit_days: float = WEEK

    def __post_init__(self) -> None:
        for name in ("frequency", "recency", "age"):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=np.float64))
        if not self.frequency.shape == self.recency.shape == self.age.shape or self.frequency.ndim != 1:
            raise ValueError("frequency, recency and age must be vectors of one length")
        wrong = misfits(self.frequency, self.recency, self.age)
        if wrong.any():
            raise ValueError(f"row {int(np.argmax(wrong))}: {FITTING}")

    def __len__(self) -> int:
        return len(self.frequency)

    def __getitem__(self, chosen: Flags | Ints | slice) -> Purchases:
        return Purchases(self.frequency[chosen], self.recency[chosen], self.age[chosen], self.unit_days)

    @property
    def repeats(self) -> float:
        return float(self.frequency.sum())

    @cached_property
    def rows(self) -> Rows:
        """The unique (x, t_x, T), collapsed once and kept."""
        return collapse(self)


@dataclass(frozen=True)
class Rows:
    """Unique rows of Purchases in order of (x, t_x, T), each with the number of customers who share it.

    Times are kept as places in the table `times`, so that a logarithm is taken once per time and not once per row. `place`
    (shape (n,)) gives each customer's row; it is None in a sample.
    """

    frequency: Ints
    recency_at: Ints
    age_at: Ints
    times: Floats
    weight: Floats
    place: Ints | None

    @property
    def recency(self) -> Floats:
        return self.times[self.recency_at]

    @property
    def age(self) -> Floats:
        return self.times[self.age_at]

    @property
    def customers(self) -> float:
        return float(self.weight.sum())

    def purchases(self, unit_days: float) -> Purchases:
        return Purchases(self.frequency.astype(np.float64), self.recency, self.age, unit_days)

    def every(self, step: int) -> Rows:
        """Every `step`-th row: a sample for a first guess. Rows are sorted, so all frequencies keep their share."""
        return Rows(self.frequency[::step], self.recency_at[::step], self.age_at[::step], self.times, self.weight[::step], None)


def collapse(purchases: Purchases) -> Rows:
    """Unique rows with their weights. The order of customers changes nothing, not even the last bit of a likelihood."""
    times, recency_at, age_at = _time_table(purchases)
    frequency = purchases.frequency.astype(np.int64)
    size = len(times)
    if (int(frequency.max(initial=0)) + 1) * size * size >= _LARGEST_KEY:
        raise ValueError("frequencies are too large to be counted")
    key = (frequency * size + recency_at) * size + age_at
    unique, place, weight = np.unique(key, return_inverse=True, return_counts=True)
    rest, age = np.divmod(unique, size)
    frequency, recency = np.divmod(rest, size)
    return Rows(frequency, recency, age, times, weight.astype(np.float64), place.astype(np.int64))


def _time_table(purchases: Purchases) -> tuple[Floats, Ints, Ints]:
    """All times that occur, and where each customer's are. Whole days need no sorting: the table is then one line per day."""
    both = np.concatenate([purchases.recency, purchases.age])
    days = np.rint(both * purchases.unit_days)
    if len(both) and days.max() < max(10_000, len(both)) and np.array_equal(days / purchases.unit_days, both):
        at = days.astype(np.int64)
        times = np.arange(int(days.max()) + 1) / purchases.unit_days
    else:
        times, at = np.unique(both, return_inverse=True)
        at = at.astype(np.int64)
    return times, at[: len(purchases)], at[len(purchases) :]


@dataclass(frozen=True)
class LeftOut:
    """What `summarise` did not count as a transaction. Counts of lines, of customer-days and of customers."""

    lines_after_end: int = 0
    return_days: int = 0  # days whose lines sum to less than nothing: a return, not an order
    zero_days: int = 0  # days that sum to nothing; these ARE transactions (a free order), but bring no spend
    customers_without_orders: int = 0  # nothing but returns


@dataclass(frozen=True)
class Summary:
    """`purchases` and `spend` in the order of `customers` (sorted, unique)."""

    customers: NDArray[Any]
    purchases: Purchases
    spend: Floats  # mean of the repeat days' sums; 0 without a repeat
    left_out: LeftOut


def summarise(customer: NDArray[Any], day: NDArray[Any], amount: Floats | None, *, end: int, unit_days: float = WEEK) -> Summary:
    """Unordered order lines to one row per customer. Sorts once; no loop over customers.

    All arrays have shape (lines,). `customer` is any sortable array, fastest as integers; `day` and `end` are whole days since
    1970-01-01 (datetime64[D] is taken too). Lines after `end` are left out, so the same lines serve a back-test. Amounts are summed
    per customer and day before anything is counted: credit notes on the day of an order net with it, and a day that ends below
    zero is left out. Without amounts, every day with a line is a transaction and `spend` is 0.
    """
    day = np.asarray(day).astype("datetime64[D]").astype(np.int64) if np.asarray(day).dtype.kind == "M" else np.asarray(day, dtype=np.int64)
    inside = day <= end
    lines_after_end = int(len(day) - np.count_nonzero(inside))
    if lines_after_end:
        customer, day = np.asarray(customer)[inside], day[inside]
        amount = None if amount is None else np.asarray(amount)[inside]
    names, who, when, spent = _customer_days(customer, day, amount)
    is_return = np.zeros(len(who), dtype=bool) if amount is None else spent < 0
    zero_days = 0 if amount is None else int(np.count_nonzero(spent == 0))
    if is_return.any():
        who, when, spent = who[~is_return], when[~is_return], spent[~is_return]
    starts = np.flatnonzero(np.diff(who, prepend=-1))
    counts = np.diff(np.append(starts, len(who)))
    first, last = when[starts], when[starts + counts - 1]
    total = np.asarray(np.add.reduceat(spent, starts), dtype=np.float64) if len(starts) else np.zeros(0)
    repeats = counts - 1
    spend = np.where(repeats > 0, (total - spent[starts]) / np.maximum(repeats, 1), 0.0)
    purchases = Purchases(repeats.astype(np.float64), (last - first) / unit_days, (end - first) / unit_days, unit_days)
    left_out = LeftOut(lines_after_end, int(np.count_nonzero(is_return)), zero_days, len(names) - len(starts))
    return Summary(names[who[starts]], purchases, spend, left_out)


def _customer_days(customer: NDArray[Any], day: Ints, amount: Floats | None) -> tuple[NDArray[Any], Ints, Ints, Floats]:
    """Names, and for each customer-day in order: place of the name, day, sum of the amounts (zeros without amounts)."""
    names, code = np.unique(np.asarray(customer), return_inverse=True)
    if not len(day):
        nothing = np.zeros(0, dtype=np.int64)
        return names, nothing, nothing, np.zeros(0)
    first = int(day.min())
    span = int(day.max()) - first + 1
    key = code.astype(np.int64) * span + (day - first)
    spent: Floats
    if amount is None:
        unique = np.unique(key)
        spent = np.zeros(len(unique))
    else:
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=-1))
        unique = ordered[starts]
        # Cents, rounded away: 0.1 + 0.2 - 0.3 is a day that nets to nothing, not a sale of 5e-17.
        spent = np.asarray(np.round(np.add.reduceat(np.asarray(amount, dtype=np.float64)[order], starts), 6), dtype=np.float64)
    who, when = np.divmod(unique, span)
    return names, who, when + first, spent


def period_rate(annual_rate: float, unit_days: float) -> float:
    """The discount rate per period that compounds to `annual_rate` in a year of 365.25 days. Converted, never divided."""
    if annual_rate <= -1:
        raise ValueError("a discount rate must be above -100 %")
    return float((1 + annual_rate) ** (unit_days / YEAR) - 1)


def discount_factors(periods: int, rate: float) -> Floats:
    """(1 + rate)^-(i - ½) for i = 1 … periods: what is bought in a period is taken to come in its middle."""
    if periods < 1:
        raise ValueError("a horizon has at least one period")
    return np.asarray((1 + rate) ** -(np.arange(1, periods + 1) - 0.5), dtype=np.float64)
