"""A survivors table from a CSV file: columns period and survivors, period 0 being the cohort. Strict, and exact about what is wrong."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

PERIOD, SURVIVORS = "period", "survivors"
MOST_PERIODS = 10_000


class BadTable(ValueError):
    """The file cannot be used; the message names the row, counted as a spreadsheet does: the header is row 1."""


def read_survivors(path: Path) -> list[float]:
    """Survivors after 0, 1, 2 … periods. The rows may come in any order; other columns are passed over."""
    rows: dict[int, tuple[int, float]] = {}
    for number, period, survivors in _rows(path):
        if period in rows:
            raise BadTable(f"row {number}: period {period} is in row {rows[period][0]} already.")
        rows[period] = number, survivors
    if not rows:
        raise BadTable(f"{path} has no rows below its header.")
    ordered = sorted(rows)
    _check_gaps(ordered, rows)
    _check_numbers(ordered, rows)
    return [rows[period][1] for period in ordered]


def _rows(path: Path) -> Iterator[tuple[int, int, float]]:
    if not path.is_file():
        raise BadTable(f"There is no file {path}.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            at = _columns(next(reader, []))
            for number, cells in enumerate(reader, start=2):
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) <= max(at):
                    raise BadTable(f"row {number}: it has {len(cells)} columns, the header has more.")
                yield number, _period(number, cells[at[0]]), _survivors(number, cells[at[1]])
    except UnicodeDecodeError as error:
        raise BadTable(f"{path} is not a text file in UTF-8.") from error
    except csv.Error as error:
        raise BadTable(f"{path} is not a CSV file: {error}.") from error


def _columns(header: list[str]) -> tuple[int, int]:
    names = [name.strip().lower() for name in header]
    if missing := [name for name in (PERIOD, SURVIVORS) if name not in names]:
        raise BadTable(f"row 1: there is no column {' and no column '.join(missing)}.")
    return names.index(PERIOD), names.index(SURVIVORS)


def _period(number: int, text: str) -> int:
    try:
        period = int(text)
    except ValueError:
        raise BadTable(f"row {number}: period {text.strip()!r} is not a whole number.") from None
    if not 0 <= period <= MOST_PERIODS:
        raise BadTable(f"row {number}: period {period} is not between 0 and {MOST_PERIODS}.")
    return period


def _survivors(number: int, text: str) -> float:
    try:
        survivors = float(text)
    except ValueError:
        raise BadTable(f"row {number}: survivors {text.strip()!r} is not a number.") from None
    if not math.isfinite(survivors):
        raise BadTable(f"row {number}: survivors {text.strip()!r} is not a number.")
    if survivors < 0:
        raise BadTable(f"row {number}: survivors {text.strip()} is negative.")
    return survivors


def _check_gaps(ordered: list[int], rows: dict[int, tuple[int, float]]) -> None:
    for expected, period in enumerate(ordered):
        if period != expected:
            raise BadTable(f"row {rows[period][0]}: period {expected} is missing before period {period}.")


def _check_numbers(ordered: list[int], rows: dict[int, tuple[int, float]]) -> None:
    if rows[0][1] <= 1:
        raise BadTable(f"row {rows[0][0]}: a cohort of {rows[0][1]:g} tells nothing; period 0 holds the size of the cohort.")
    if len(ordered) < 2:
        raise BadTable(f"row {rows[0][0]}: period 0 alone tells nothing about retention.")
    for period in ordered[1:]:
        number, survivors = rows[period]
        if survivors > rows[period - 1][1]:
            raise BadTable(f"row {number}: {survivors:g} survivors are more than the {rows[period - 1][1]:g} of the period before.")
