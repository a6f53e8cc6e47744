from __future__ import annotations

from datetime import date, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.maths.written_forms import ORDERS, parse_day, parse_moment, parse_number, read_column

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("1 234,5", ",", "1234.5"),
        ("1'234.5", ".", "1234.5"),
        ("$1,100", ".", "1100"),
        ("USD 12", ".", "12"),
        ("-5", ".", "-5"),
        ("\u22125", ".", "-5"),
        ("12万", ".", "120000"),
        ("1.5亿", ".", "150000000"),
        (".5", ".", "0.5"),
    ],
)
def test_numbers_are_read_as_written(text: str, mark: str, number: str) -> None:
    assert parse_number(text, mark) == Decimal(number)


@pytest.mark.parametrize("text", ["", "-", ".", "1,23", "1.2.3", "12 apples", "0x10", "1e5", "٣", "NaN", "Infinity", "9" * 41, "1,,234"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert parse_number(text, ".") is None


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2017-03-04", "ymd", date(2017, 3, 4)),
        ("2017/3/4", "ymd", date(2017, 3, 4)),
        ("20170304", "ymd", date(2017, 3, 4)),
        ("2017年3月4日", "ymd", date(2017, 3, 4)),
        ("03-04-2017", "dmy", date(2017, 4, 3)),
        ("03-04-2017", "mdy", date(2017, 3, 4)),
        ("4.3.17", "dmy", date(2017, 3, 4)),
        ("4 Mar 2017", "ymd", date(2017, 3, 4)),
        ("March 4th, 2017", "ymd", date(2017, 3, 4)),
        ("2017-03-04 14:30", "ymd", date(2017, 3, 4)),
        ("2017-03-04T14:30:00Z", "ymd", date(2017, 3, 4)),
    ],
)
def test_days_are_read_as_written(text: str, order: str, day: date) -> None:
    assert parse_day(text, order) == day


@pytest.mark.parametrize("text", ["", "2017-13-04", "2017-02-30", "31-02-2017", "yesterday", "12", "2017-03-04 nonsense", "0001-01-01"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert [parse_day(text, order) for order in ORDERS] == [None, None, None]


def test_a_moment_without_a_zone_is_meant_in_the_readers_zone() -> None:
    assert parse_moment("2026-03-01 14:30", "ymd", SHANGHAI).isoformat() == "2026-03-01T14:30:00+08:00"  # type: ignore[union-attr]
    assert parse_moment("2026-03-01T14:30:00+02:00", "ymd", SHANGHAI).utcoffset() == timedelta(hours=2)  # type: ignore[union-attr]
    assert parse_moment("1/3/2026 2:30 PM", "dmy", timezone.utc).hour == 14  # type: ignore[union-attr]  # noqa: UP017
    assert parse_moment("2026-03-01 25:00", "ymd", SHANGHAI) is None


def test_one_clear_value_decides_the_order_of_a_column() -> None:
    assert read_column(["03-04-2017", "13-04-2017"]).orders == ("dmy",)
    assert read_column(["03-04-2017", "04-13-2017"]).orders == ("mdy",)


def test_a_column_that_can_be_read_in_two_ways_names_the_values() -> None:
    reading = read_column(["03-04-2017", "05-05-2017"])
    assert (reading.orders, reading.unclear) == (("dmy", "mdy"), ("03-04-2017",))
    reading = read_column(["1,234", "7"])
    assert (reading.marks, reading.unclear) == ((".", ","), ("1,234",))


def test_whole_numbers_are_clear() -> None:
    assert read_column(["12", "7", ""]).unclear == ()


def test_words_are_neither() -> None:
    reading = read_column(["12", "apples"])
    assert not reading.is_number
    assert not reading.is_day


@given(st.dates(min_value=date(1000, 1, 1)))
def test_every_day_survives_each_way_of_writing(day: date) -> None:
    assert parse_day(day.isoformat(), "ymd") == day
    assert parse_day(f"{day.day}.{day.month}.{day.year:04d}", "dmy") == day
    assert parse_day(f"{day.month}/{day.day}/{day.year:04d}", "mdy") == day


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_every_amount_survives_each_way_of_writing(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parse_number(english, ".") == parse_number(german, ",") == amount


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    read_column([text])
    for order in ORDERS:
        parse_moment(text, order, SHANGHAI)
