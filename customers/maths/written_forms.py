"""Numbers and days as files write them, and what can be told of a whole column from its values.

One value is often unclear: 03-04-2017 is the third of April or the fourth of March, 1,234 is a thousand or a bit more than
one. Over a column the readings that fit every value are few; where more than one is left, a person has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation

ORDERS = ("ymd", "dmy", "mdy")
MARKS = (".", ",")

_DAY = re.compile(r"(\d{1,4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,4})(?:\s?日)?", re.A)
_COMPACT_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})", re.A)
_NAMED_DAY = re.compile(
    r"(?:(\d{1,2})(?:st|nd|rd|th)?[ .-]+([a-z]{3,9})|([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?),?[ .,-]+(\d{4})", re.I | re.A
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = re.compile(r"[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s?([ap]m)?\s?(Z|[+-]\d{2}:?\d{2})?", re.I | re.A)

_GROUPING = re.compile(r"[\s'\u2019\u00a0\u202f]")
_CURRENCY = re.compile(r"^(?:[A-Z]{3}|US\$|[$€£¥￥])|(?:[A-Z]{3}|[$€£¥￥]|元)$")
_NUMBER = {
    ".": re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d*)?", re.A),
    ",": re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?", re.A),
}
_MYRIADS = {"万": Decimal(10_000), "亿": Decimal(100_000_000)}
LONGEST_NUMBER = 40
LONGEST_DAY = 40


@dataclass(frozen=True)
class Reading:
    """What a column may hold: the decimal marks and the orders of day, month and year that fit all its values."""

    marks: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()  # values that the readings differ about, to be shown with the question

    @property
    def is_number(self) -> bool:
        return bool(self.marks)

    @property
    def is_day(self) -> bool:
        return bool(self.orders)


def read_column(values: Iterable[str]) -> Reading:
    """The readings that fit every non-empty value. A column of whole numbers fits both marks, with nothing unclear."""
    filled = [text for value in values if (text := value.strip())]
    if not filled:
        return Reading()
    orders = tuple(order for order in ORDERS if all(parse_day(text, order) for text in filled))
    if orders and any(_DAY.match(text) or _NAMED_DAY.match(text) for text in filled):
        return Reading(orders=orders, unclear=_differing(filled, orders, parse_day))
    marks = tuple(mark for mark in MARKS if all(parse_number(text, mark) is not None for text in filled))
    return Reading(marks=marks, orders=orders, unclear=_differing(filled, marks, parse_number))


def _differing(values: list[str], readings: tuple[str, ...], parse: object) -> tuple[str, ...]:
    if len(readings) < 2 or not callable(parse):
        return ()
    return tuple(dict.fromkeys(value for value in values if len({parse(value, reading) for reading in readings}) > 1))[:5]


def parse_number(text: str, mark: str) -> Decimal | None:
    """The number that the text says with this decimal mark, None where it says none. A currency sign is passed over."""
    if len(text) > LONGEST_NUMBER:
        return None
    bare = _CURRENCY.sub("", _GROUPING.sub("", text)).replace("\u2212", "-")
    factor = _MYRIADS.get(bare[-1:])
    bare = bare[:-1] if factor else bare
    if not _NUMBER[mark].fullmatch(bare):
        return None
    plain = bare.replace("." if mark == "," else ",", "").replace(",", ".")
    try:
        number = Decimal(plain)
    except InvalidOperation:  # a sign or a mark without digits
        return None
    return number * factor if factor else number


def parse_day(text: str, order: str) -> date | None:
    """The day that the text says when written in this order; a time of day after it is passed over."""
    found = _day_and_rest(text, order)
    return found[0] if found else None


def parse_moment(text: str, order: str, zone: tzinfo) -> datetime | None:
    """Day and time of day; without one it is midnight, and without a zone the moment is meant in `zone`."""
    found = _day_and_rest(text, order)
    if found is None:
        return None
    day, rest = found
    if not rest:
        return datetime.combine(day, time(), zone)
    clock = _CLOCK.fullmatch(rest)
    if clock is None:
        return None
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    try:
        return datetime.combine(day, time(hour, minute, second), _zone(clock[5]) or zone)
    except ValueError:
        return None


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    return datetime.fromisoformat(f"2000-01-01T00:00:00{'+00:00' if text in 'Zz' else text}").tzinfo


def _day_and_rest(text: str, order: str) -> tuple[date, str] | None:
    if len(text) > LONGEST_DAY:
        return None
    if match := _DAY.match(text) or _COMPACT_DAY.match(text):
        first, second, third = match.groups()
        day = _date(first, second, third, order)
    elif match := _NAMED_DAY.match(text):
        day = _named_date(*match.groups())
    else:
        return None
    rest = text[match.end() :]
    return (day, rest.rstrip()) if day and (not rest.strip() or _CLOCK.fullmatch(rest.rstrip())) else None


def _date(first: str, second: str, third: str, order: str) -> date | None:
    if len(first) > 2:
        if order != "ymd" or len(first) != 4:
            return None
        year, month, day = first, second, third
    else:
        if order == "ymd" or len(third) not in (2, 4):
            return None
        year = third if len(third) == 4 else f"{'20' if int(third) < 70 else '19'}{third}"
        day, month = (first, second) if order == "dmy" else (second, first)
    return _checked(int(year), int(month), int(day))


def _named_date(day_before: str | None, month_after: str | None, month_before: str | None, day_after: str | None, year: str) -> date | None:
    name = (month_after or month_before or "")[:3].lower()
    if name not in _MONTHS:
        return None
    return _checked(int(year), _MONTHS.index(name) + 1, int(day_before or day_after or 0))


def _checked(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year >= 1000 else None
    except ValueError:
        return None
