"""The ways of `bin/bench value rfm-sql` and `refresh`: lines in PostgreSQL to totals per customer; `_answer.py` runs them.

All answer with sums over the customers, so that SQL needs to send a single row: what is compared is the work, not the transfer
of its result. Ours pays for the transfer of every line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import psycopg2
from numpy.typing import NDArray

from segmentation.engine.copying import Block, Column, read_query, read_table
from segmentation.maths import rfm

Answer: TypeAlias = Sequence[NDArray[Any]]
Load: TypeAlias = Callable[[str], dict[str, NDArray[Any]]]
Way: TypeAlias = Callable[[Load], Callable[[], Answer]]

COLUMNS = (Column("customer", "customer_id", "int8"), Column("day", "day", "date"), Column("amount", "amount", "float8"))
MEASURES = "count(*), sum(days), sum(last_day - first_day), sum(amount)"
FLAT = (
    f"SELECT {MEASURES} FROM (SELECT customer_id, min(day) AS first_day, max(day) AS last_day, count(DISTINCT day) AS days,"
    " sum(amount) AS amount FROM value_lines GROUP BY customer_id) AS totals"
)
TWICE = (
    f"SELECT {MEASURES} FROM (SELECT customer_id, min(day) AS first_day, max(day) AS last_day, count(*) AS days, sum(amount) AS amount"
    " FROM (SELECT customer_id, day, sum(amount) AS amount FROM value_lines GROUP BY customer_id, day) AS by_day"
    " GROUP BY customer_id) AS totals"
)
SETTINGS = "SET statement_timeout = 0; SET max_parallel_workers_per_gather = 0; SET work_mem = '1GB'; SET hash_mem_multiplier = 2"

connection = psycopg2.connect(os.environ["DATABASE_URL"])
connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
cursor = connection.cursor()
cursor.execute(SETTINGS)
BACKEND = connection.info.backend_pid


def sql(statement: str) -> Way:
    def work() -> Answer:
        cursor.execute(statement)
        return (np.array([float(figure) for figure in cursor.fetchone() or ()]),)

    return lambda _load: work


def by_table(load: Load) -> Callable[[], Answer]:
    customers, days = _ranges(load)

    def work() -> Answer:
        gathering = rfm.Gathering(customers, days)
        for block in read_table(cursor, "value_lines", COLUMNS):
            gathering.add(**block)
        return _sums(gathering.totals())

    return work


def by_query(load: Load) -> Callable[[], Answer]:
    customers, days = _ranges(load)

    def work() -> Answer:
        gathering = rfm.Gathering(customers, days)
        read_query(cursor, "SELECT * FROM value_lines", COLUMNS, lambda block: gathering.add(**block))
        return _sums(gathering.totals())

    return work


def recompute(load: Load) -> Callable[[], Answer]:
    customers, days = _ranges(load)

    def work() -> Answer:
        gathering = rfm.Gathering(customers, days)
        for table in ("value_lines", "value_new_lines"):
            for block in read_table(cursor, table, COLUMNS):
                gathering.add(**block)
        return _arrays(gathering.totals())

    return work


def refresh(load: Load) -> Callable[[], Answer]:
    old = load("old")
    totals = rfm.aggregate(old["customer"], old["day"], old["amount"])

    def take(block: Block) -> None:
        assert not len(rfm.merge(totals, **block)), "the new lines are of later days"

    def work() -> Answer:
        for block in read_table(cursor, "value_new_lines", COLUMNS, pages=1 << 20):  # one block: a second one could hold an earlier day
            take(block)
        return _arrays(totals)

    return work


def _ranges(load: Load) -> tuple[int, tuple[int, int]]:
    """How many customers there are, and the first and last day: what a job knows from two small queries."""
    old, new = load("old"), load("new")
    return int(old["customer"].max()) + 1, (int(old["day"].min()), int(new["day"].max()))


def _sums(totals: rfm.Totals) -> Answer:
    span = (totals.last_day - totals.first_day).astype(np.int64)
    return (np.array([len(totals), totals.days.sum(), span.sum(), totals.amount.sum()], np.float64),)


def _arrays(totals: rfm.Totals) -> Answer:
    return totals.first_day, totals.last_day, totals.days, totals.amount


WAYS: dict[str, Way] = {
    "sql-flat": sql(FLAT),
    "sql-twice": sql(TWICE),
    "table": by_table,
    "query": by_query,
    "recompute": recompute,
    "refresh": refresh,
}
