"""Lines of orders for the benchmarks of the value engine: as files of arrays, and in tables of the bench's database."""

from __future__ import annotations

import io
import os
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psycopg2
from numpy.typing import NDArray

from crm.bench._contest import DATA

LINES_PER_CUSTOMER = 10
DAYS = 1461  # four years
FIRST_DAY = 18_262  # 2020-01-01, in days since 1970
AGAIN_THE_SAME_DAY = 0.15  # share of lines that repeat another's customer and day
NEW_SHARE = 0.01
SEED = 7
ROWS_AT_ONCE = 500_000


def lines_of(count: int) -> Path:
    """The folder with `count` lines in random order, and with 1 % new ones of the week after; made where it is not there yet."""
    folder = DATA / f"lines_{count}_seed_{SEED}"
    if (folder / "complete").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    chance, customers = np.random.default_rng(SEED), max(1, count // LINES_PER_CUSTOMER)
    appetite = np.cumsum(chance.gamma(1.2, 1.0, customers))
    customer = np.searchsorted(appetite, chance.random(count) * appetite[-1]).clip(max=customers - 1).astype(np.int32)
    day = (FIRST_DAY + chance.integers(0, DAYS, count)).astype(np.int32)
    again, model = chance.random(count) < AGAIN_THE_SAME_DAY, chance.integers(0, count, count)
    customer, day = np.where(again, customer[model], customer), np.where(again, day[model], day)
    customer[chance.permutation(count)[:customers]] = np.arange(customers)  # everybody has a line
    _save(folder, "old", customer, day, np.floor(chance.lognormal(11, 1, count)))
    new = int(count * NEW_SHARE)
    later = FIRST_DAY + DAYS - 1 + chance.integers(0, 7, new)  # from the last day on
    _save(folder, "new", chance.integers(0, customers, new), later, np.floor(chance.lognormal(11, 1, new)))
    (folder / "complete").touch()
    return folder


def filled(count: int) -> Path:
    """The same lines, and both kinds in tables: value_lines, value_new_lines; filled where they are not there yet."""
    folder = lines_of(count)
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT obj_description(to_regclass('value_new_lines'), 'pg_class')")
        if cursor.fetchone() == (folder.name,):
            return folder
        cursor.execute("SET statement_timeout = 0")
        for table, which in (("value_lines", "old"), ("value_new_lines", "new")):
            _fill(cursor, table, folder, which)
        cursor.execute(f"COMMENT ON TABLE value_new_lines IS '{folder.name}'")
    return folder


def _fill(cursor: Any, table: str, folder: Path, which: str) -> None:
    cursor.execute(f"DROP TABLE IF EXISTS {table}")
    cursor.execute(f"CREATE TABLE {table} (customer_id bigint NOT NULL, day date NOT NULL, amount float8 NOT NULL)")
    columns = [np.load(folder / f"{which}_{name}.npy") for name in ("customer", "day", "amount")]
    for start in range(0, len(columns[0]), ROWS_AT_ONCE):
        customer, day, amount = (column[start : start + ROWS_AT_ONCE] for column in columns)
        rows = zip(customer.tolist(), day.astype("datetime64[D]").astype(str).tolist(), amount.tolist(), strict=True)
        cursor.copy_expert(f"COPY {table} FROM STDIN", io.StringIO("".join(f"{c}\t{d}\t{a}\n" for c, d, a in rows)))
    cursor.execute(f"VACUUM (ANALYZE) {table}")


def _save(folder: Path, which: str, customer: NDArray[np.integer], day: NDArray[np.integer], amount: NDArray[np.float64]) -> None:
    for name, column in (("customer", customer.astype(np.int32)), ("day", day.astype(np.int32)), ("amount", amount)):
        np.save(folder / f"{which}_{name}.npy", column)
