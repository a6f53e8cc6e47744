"""Recency, frequency and monetary value of each customer, from lines in any order.

Customers are numbered 0 … n − 1 (`positions` finds the numbers of ids); days are whole numbers from any origin. A day on which
a customer has several lines counts once. Amounts that are whole numbers (cents) are summed without rounding up to 2**53, so
that a merged table equals a recomputed one to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace as replaced
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Flags, Floats, Ints

Days: TypeAlias = NDArray[np.int32]
Scores: TypeAlias = NDArray[np.int8]
Keys: TypeAlias = NDArray[np.unsignedinteger]

NO_DAY = np.iinfo(np.int32).min
QUINTILES = 5
_LARGEST_TABLE = 16  # times the number of ids: a denser range of ids is looked up in a table, a thinner one by bisection


@dataclass(frozen=True)
class Totals:
    """What the lines of each customer come to; every array has shape (n,). Without lines: days 0, amount 0, NO_DAY twice."""

    first_day: Days
    last_day: Days
    days: Days  # distinct days
    amount: Floats

    @classmethod
    def empty(cls, customers: int) -> Totals:
        none = np.full(customers, NO_DAY, np.int32)
        return cls(none, none.copy(), np.zeros(customers, np.int32), np.zeros(customers))

    def __len__(self) -> int:
        return len(self.days)

    def grown(self, customers: int) -> Totals:
        """The same with room for `customers`, the new ones without lines."""
        grown = Totals.empty(customers)
        grown.put(np.arange(len(self)), self)
        return grown

    def of(self, customers: Ints) -> Totals:
        """The rows of these customers, as a copy."""
        return Totals(self.first_day[customers], self.last_day[customers], self.days[customers], self.amount[customers])

    def put(self, customers: Ints, rows: Totals) -> None:
        """Put these rows in the place of theirs."""
        self.first_day[customers], self.last_day[customers] = rows.first_day, rows.last_day
        self.days[customers], self.amount[customers] = rows.days, rows.amount


@dataclass(frozen=True)
class RfmScores:
    """1 to 5, 5 is best; 0 for customers without lines. Each of shape (n,)."""

    recency: Scores
    frequency: Scores
    monetary: Scores


class Gathering:
    """Lines that come in blocks, as they are read: one packed key per line is kept, and the amounts are summed at once."""

    def __init__(self, customers: int, day_range: tuple[int, int] | None = None) -> None:
        """`day_range` holds the first and the last day that can come; where it is known, keys can be half as long."""
        low, high = day_range or (np.iinfo(np.int32).min, np.iinfo(np.int32).max)
        if high < low:
            raise ValueError(f"the last day, {high}, is before the first, {low}")
        self._customers, self._low, self._high = customers, int(low), int(high)
        self._bits = max(1, int(high - low).bit_length())
        short = self._bits + max(customers - 1, 0).bit_length() <= 32
        self._type: type[np.unsignedinteger] = np.uint32 if short else np.uint64
        self._origin = self._type(self._low % 2 ** np.iinfo(self._type).bits)  # differences without a sign wrap, and come out right
        self._keys: list[Keys] = []
        self._amounts = np.zeros(customers)

    def add(self, customer: NDArray[np.integer], day: NDArray[np.integer], amount: Floats) -> None:
        """Lines as three arrays of one shape (m,). ValueError for an unknown customer, a day out of range or a NaN."""
        _check_lines(customer, day, amount, self._customers)
        if not len(day):
            return
        if day.min() < self._low or day.max() > self._high:
            raise ValueError(f"a day lies outside {self._low} … {self._high}")
        keys: Keys = customer.astype(self._type)
        np.left_shift(keys, self._type(self._bits), out=keys)
        offsets: Keys = day.astype(self._type)
        np.subtract(offsets, self._origin, out=offsets)
        np.bitwise_or(keys, offsets, out=keys)
        np.add.at(self._amounts, customer, amount)
        self._keys.append(keys)

    def totals(self) -> Totals:
        """The end: what was added is forgotten."""
        keys: Keys = self._keys[0] if len(self._keys) == 1 else np.concatenate([np.empty(0, self._type), *self._keys])
        self._keys = []
        keys.sort()  # numbers sort several at a time; a stable sort or an argsort costs six times as much
        keys = keys[_starts(keys)]
        owners = keys >> self._type(self._bits)
        heads = np.flatnonzero(_starts(owners))
        owner = owners[heads]
        counts = np.diff(heads, append=len(keys))
        totals = replaced(Totals.empty(self._customers), amount=self._amounts)
        totals.days[owner] = counts
        totals.first_day[owner], totals.last_day[owner] = self._days(keys[heads]), self._days(keys[heads + counts - 1])
        return totals

    def _days(self, keys: Keys) -> Days:
        offsets = keys & self._type((1 << self._bits) - 1)
        return (offsets.astype(np.int64) + self._low).astype(np.int32)


def aggregate(customer: NDArray[np.integer], day: NDArray[np.integer], amount: Floats, customers: int | None = None) -> Totals:
    """Totals of unordered lines, given as arrays of one shape (m,); `customers` is n, by default the largest number + 1.

    Memory beside input and result: one key of 4 bytes per line (8 where customers × days pass 2**32) and as much for the distinct ones.
    ValueError for negative or too large customer numbers, shapes that differ, and amounts that are not finite.
    """
    if customers is None:
        customers = int(customer.max()) + 1 if len(customer) else 0
    gathering = Gathering(customers, (int(day.min()), int(day.max())) if len(day) else (0, 0))
    gathering.add(customer, day, amount)
    return gathering.totals()


def merge(totals: Totals, customer: NDArray[np.integer], day: NDArray[np.integer], amount: Floats) -> Ints:
    """Add new lines to `totals`, in place, and return the numbers of the customers that must be read again.

    Whether a line before a customer's last day falls on a day that was counted, the totals cannot tell. Such customers are
    left as they were, with none of their new lines added: give all their lines to `replace`. After that the totals equal
    `aggregate` of all lines. In a nightly run nearly all lines are on the last day or later, and nobody is read again.
    Cost: proportional to the new lines, whatever the number of old ones.
    """
    _check_lines(customer, day, amount, len(totals))
    if not len(day):
        return np.empty(0, np.int64)
    owner, first, last, counts = _day_spans(customer, day)
    late = first < totals.last_day[owner]
    again: Ints = owner[late]
    if len(again):
        kept = ~np.isin(customer, again)
        customer, amount = customer[kept], amount[kept]
        owner, first, last, counts = owner[~late], first[~late], last[~late], counts[~late]
    np.add.at(totals.amount, customer.astype(np.intp), amount)  # twice as fast as with shorter indexes
    last_before = totals.last_day[owner]
    totals.days[owner] += counts - (first == last_before)
    totals.last_day[owner] = last
    new = last_before == NO_DAY
    totals.first_day[owner[new]] = first[new]
    return again


def replace(totals: Totals, customers: Ints, customer: NDArray[np.integer], day: NDArray[np.integer], amount: Floats) -> None:
    """Put totals from all lines of `customers` (numbers, distinct) in the place of theirs; no other customer's lines may be given."""
    order = np.sort(customers)
    place = np.searchsorted(order, customer)
    if len(customer) and (place.max() >= len(order) or (order[place] != customer).any()):
        raise ValueError("there is a line of a customer who is not to be replaced")
    totals.put(order, aggregate(place, day, amount, len(order)))


def amount_on(day: Days, customer: NDArray[np.integer], line_day: NDArray[np.integer], amount: Floats) -> Floats:
    """Per customer, the sum of the lines on that customer's `day` (shape (n,), such as `first_day`)."""
    chosen = line_day == day[customer]
    return np.bincount(customer[chosen], weights=amount[chosen], minlength=len(day)).astype(np.float64)


def positions(ids: NDArray[np.integer], known: NDArray[np.integer]) -> Ints:
    """Where each id stands in `known` (ascending, distinct). ValueError for an id that is not there."""
    if not len(ids):
        return np.empty(0, np.int64)
    low, high = (int(known[0]), int(known[-1])) if len(known) else (0, -1)
    if ids.min() < low or ids.max() > high:
        raise ValueError("an id is not among the known ones")
    if high - low < _LARGEST_TABLE * len(known):
        table = np.full(high - low + 1, -1, np.int32)
        table[known - low] = np.arange(len(known), dtype=np.int32)
        found: Ints = table[ids - low].astype(np.int64)
        is_known = bool((found >= 0).all())
    else:
        found = np.asarray(np.searchsorted(known, ids), np.int64)
        is_known = bool((known[found] == ids).all())
    if not is_known:
        raise ValueError("an id is not among the known ones")
    return found


def rfm_scores(totals: Totals) -> RfmScores:
    """Quintile scores among the customers that have lines: of the last day, the number of days, and the amount."""
    bought = totals.days > 0
    return RfmScores(*(quintile_scores(value, bought) for value in (totals.last_day, totals.days, totals.amount)))


def quintile_scores(value: NDArray[np.number], among: Flags | None = None) -> Scores:
    """1 to 5 by rank, 5 for the largest fifth; 0 outside `among`. Shapes (n,).

    Equal values get equal scores: the score of the lowest of them. So a value scores k only if at least (k − 1)/5 of the
    customers have a smaller one, and where all are equal all score 1.
    """
    return scores_by(value, quintile_cuts(value if among is None else value[among]), among)


def quintile_cuts(value: NDArray[np.number]) -> NDArray[np.number]:
    """The values above which the second to the fifth fifth begin, shape (4,); empty for no values.

    Whoever scores the customers in parts takes the cuts of all of them.
    """
    count = len(value)
    if not count:
        return value
    ranks = [-(-k * count // QUINTILES) - 1 for k in range(1, QUINTILES)]  # the value at each has ⌈k n / 5⌉ values up to itself
    return np.asarray(np.partition(value, ranks)[ranks])


def scores_by(value: NDArray[np.number], cuts: NDArray[np.number], among: Flags | None = None) -> Scores:
    """1 and one more for each cut that the value lies above; 0 outside `among`. Shape (n,)."""
    scores = np.ones(len(value), np.int8)
    for cut in cuts:
        scores += value > cut
    return scores if among is None else np.where(among, scores, 0).astype(np.int8)


def _day_spans(customer: NDArray[np.integer], day: NDArray[np.integer]) -> tuple[Ints, Days, Days, Days]:
    """Of each customer that has lines (ascending): the number, first and last day, and the count of distinct days."""
    low = int(day.min())
    keys = customer.astype(np.int64)
    keys <<= 32
    keys |= day.astype(np.int64) - low
    keys.sort()
    keys = keys[_starts(keys)]
    owner = keys >> 32
    heads = np.flatnonzero(_starts(owner))
    counts = np.diff(heads, append=len(keys))
    days = keys.astype(np.int32)  # the lower half
    days += low
    return owner[heads], days[heads], days[heads + counts - 1], counts.astype(np.int32)


def _starts(ordered: NDArray[np.integer]) -> Flags:
    """Where another value begins in an ordered array."""
    starts = np.empty(len(ordered), np.bool_)
    starts[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    return starts


def _check_lines(customer: NDArray[np.integer], day: NDArray[np.integer], amount: Floats, customers: int) -> None:
    if not customer.shape == day.shape == amount.shape or customer.ndim != 1:
        raise ValueError("customers, days and amounts must be arrays of one length")
    if len(customer) and not 0 <= customer.min() <= customer.max() < customers:
        raise ValueError(f"a customer's number lies outside 0 … {customers - 1}")
    if not np.isfinite(amount.sum()) and not np.isfinite(amount).all():
        raise ValueError("an amount is not a finite number")
