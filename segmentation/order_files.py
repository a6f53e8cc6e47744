"""Files of orders as arrays: a transaction log with a line per order, or a summary with a row per customer. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from customers.imports import reading
from customers.imports.problems import BadFile
from customers.maths.written_forms import parse_day
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.purchases import FITTING, LeftOut, Purchases, misfits, summarise

EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Customers:
    """One row per customer, in the order in which the file names them first. `spend` is None where the file has no amounts."""

    ids: list[str]
    purchases: Purchases
    spend: Floats | None
    left_out: LeftOut
    end: date | None = None  # of observation; a summary does not tell it


def read_log(
    path: Path,
    *,
    id_column: str,
    date_column: str,
    amount_column: str | None,
    unit_days: float,
    end: date | None,
    today: date,
    allow_returns: bool = False,
) -> Customers:
    """A transaction log, one line per order or invoice line, days written year first. BadFile names the row that cannot be.

    Lines of one customer and day are summed. A negative line nets with its day; a day that ends below zero is a wrong file, since a
    later credit note cannot be told from a wrong sign, unless `allow_returns`: then such days are left out and counted. Lines
    after `end` (default: the last day of the file) are left out; lines after `today` are refused.
    """
    if end is not None and end > today:
        raise BadFile(f"The end of observation, {end}, lies in the future.")
    rows = _Columns(path, [id_column, date_column] + ([amount_column] if amount_column else []))
    ids: dict[str, int] = {}
    days: dict[str, int] = {}
    numbers, codes, when, amounts = [], [], [], []
    for number, cells in rows:
        day = days.get(cells[1])
        if day is None:
            day = days[cells[1]] = _day(cells[1], number, date_column, today)
        if not cells[0]:
            raise BadFile(f"Row {number}: {id_column} is empty.")
        numbers.append(number)
        codes.append(ids.setdefault(cells[0], len(ids)))
        when.append(day)
        if amount_column:
            amounts.append(cells[2])
    if not codes:
        raise BadFile("The file has no rows under its header.")
    row_at, who, on = np.array(numbers), np.array(codes, dtype=np.int64), np.array(when, dtype=np.int64)
    amount = _numbers(amounts, row_at, amount_column) if amount_column else None
    last = int(on.max()) if end is None else end.toordinal() - EPOCH
    if amount is not None and not allow_returns:
        _refuse_returns(row_at, who, on, amount, last)
    summary = summarise(who, on, amount, end=last, unit_days=unit_days)
    names = list(ids)
    return Customers(
        [names[code] for code in summary.customers.tolist()],
        summary.purchases,
        None if amount is None else summary.spend,
        summary.left_out,
        date.fromordinal(last + EPOCH),
    )


def read_summary(path: Path, *, id_column: str | None, unit_days: float) -> Customers:
    """A table with the columns frequency, recency, T and, where there is one, monetary_value. BadFile names the row that cannot be."""
    wanted = ["frequency", "recency", "T"]
    rows = _Columns(path, wanted + ([id_column] if id_column else []), optional="monetary_value")
    numbers, table = [], []
    for number, cells in rows:
        numbers.append(number)
        table.append(cells)
    if not table:
        raise BadFile("The file has no rows under its header.")
    row_at, columns = np.array(numbers), list(zip(*table, strict=True))
    x, t_x, age = (_numbers(columns[i], row_at, name) for i, name in enumerate(wanted))
    _refuse(misfits(x, t_x, age), row_at, FITTING)
    spend = None
    if rows.has_optional:
        spend = _numbers(columns[-1], row_at, "monetary_value")
        _refuse(spend < 0, row_at, "monetary_value is negative")
    ids = list(columns[len(wanted)]) if id_column else [str(number) for number in numbers]
    return Customers(ids, Purchases(x, t_x, age, unit_days), spend, LeftOut())


def refuse_what_no_model_can_use(customers: Customers) -> None:
    """BadFile where there are too few customers to tell them apart, or none came back."""
    if len(customers.ids) < 2:
        raise BadFile(f"The file has {len(customers.ids)} customer up to the end of observation; a model needs at least two.")
    if not customers.purchases.repeats:
        raise BadFile("No customer has a repeat order: how often customers come back cannot be told from this file.")


class _Columns:
    """The wanted cells of each row, stripped, with the row's number as a spreadsheet counts it."""

    def __init__(self, path: Path, wanted: list[str], optional: str | None = None) -> None:
        if not path.is_file():
            raise BadFile(f"There is no file {path}.")
        self.path = path
        with path.open("rb") as file:
            self.form = reading.detect(file)
            names = reading.header(file, self.form)
        self.has_optional = optional is not None and optional in names
        wanted = wanted + ([optional] if optional and self.has_optional else [])
        if missing := [name for name in wanted if name not in names]:
            raise BadFile(f"Row 1: there is no column {', '.join(missing)}; the file has {', '.join(names)}.")
        self.places = [names.index(name) for name in wanted]
        self.names = wanted

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        with self.path.open("rb") as file:
            for number, cells in reading.rows(file, self.form):
                try:
                    yield number, [cells[place].strip() for place in self.places]
                except IndexError:
                    raise BadFile(f"Row {number}: has only {len(cells)} cells.") from None


def _day(text: str, number: int, column: str, today: date) -> int:
    day = parse_day(text, "ymd")
    if day is None:
        raise BadFile(f"Row {number}: {column} {text[:40]!r} is not a day; write 2024-12-31.")
    if day > today:
        raise BadFile(f"Row {number}: {column} {text[:40]} lies in the future.")
    return day.toordinal() - EPOCH


def _numbers(texts: Any, row_at: NDArray[Any], column: str) -> Floats:
    try:
        values = np.array(texts, dtype=np.float64)
    except ValueError:
        values = np.array([_number(text) for text in texts])
    wrong = ~np.isfinite(values)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise BadFile(f"Row {row_at[place]}: {column} {texts[place][:40]!r} is not a number; write 1234.56.")
    return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _refuse(wrong: NDArray[np.bool_], row_at: NDArray[Any], what: str) -> None:
    if wrong.any():
        raise BadFile(f"Row {row_at[int(np.argmax(wrong))]}: {what}.")


def _refuse_returns(row_at: NDArray[Any], who: Ints, on: Ints, amount: Floats, last: int) -> None:
    """Name the first negative line whose day ends below zero."""
    negative = np.flatnonzero((amount < 0) & (on <= last))
    if not len(negative):
        return
    span = int(on.max()) - int(on.min()) + 1
    key = who * span + (on - int(on.min()))
    concerned = np.isin(key, key[negative])
    _days, place = np.unique(key[concerned], return_inverse=True)
    net = np.round(np.bincount(place, weights=amount[concerned]), 6)
    at_fault = np.flatnonzero(concerned)[(net[place] < 0) & (amount[concerned] < 0)]
    if len(at_fault):
        row = int(at_fault[0])
        raise BadFile(
            f"Row {row_at[row]}: negative amount {amount[row]:g}, and the customer's day ends below zero. "
            "If it is a return, --allow-returns leaves such days out and counts them."
        )
