"""The ways of `bin/bench value rfm` and `refresh`: lines in memory to totals per customer. Amounts are whole cents: sums are exact.

`_answer.py` runs them, the references in an environment without the product's packages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Answer: TypeAlias = Sequence[NDArray[Any]]
Load: TypeAlias = Callable[[str], dict[str, NDArray[Any]]]
Way: TypeAlias = Callable[[Load], Callable[[], Answer]]

FLAT = "SELECT customer, min(day) AS f, max(day) AS l, count(DISTINCT day) AS n, sum(amount) AS s FROM lines GROUP BY customer"
TWICE = (
    "SELECT customer, min(day) AS f, max(day) AS l, count(*) AS n, sum(s) AS s"
    " FROM (SELECT customer, day, sum(amount) AS s FROM lines GROUP BY customer, day) AS days GROUP BY customer"
)


def ours(load: Load) -> Callable[[], Answer]:
    from segmentation.maths import rfm

    lines = load("old")

    def work() -> Answer:
        totals = rfm.aggregate(lines["customer"], lines["day"], lines["amount"])
        return totals.first_day, totals.last_day, totals.days, totals.amount

    return work


def recompute(load: Load) -> Callable[[], Answer]:
    from segmentation.maths import rfm

    old, new = load("old"), load("new")
    lines = {name: np.concatenate((old[name], new[name])) for name in old}

    def work() -> Answer:
        totals = rfm.aggregate(lines["customer"], lines["day"], lines["amount"])
        return totals.first_day, totals.last_day, totals.days, totals.amount

    return work


def refresh(load: Load) -> Callable[[], Answer]:
    from segmentation.maths import rfm

    old, new = load("old"), load("new")
    totals = rfm.aggregate(old["customer"], old["day"], old["amount"])
    few = rfm.Totals.empty(len(totals))
    rfm.merge(few, *(column[:10] for column in new.values()))  # what is loaded at first use is no part of a refresh

    def work() -> Answer:
        again = rfm.merge(totals, **new)
        assert not len(again), "the new lines are of later days"
        return totals.first_day, totals.last_day, totals.days, totals.amount

    return work


def duckdb(statement: str) -> Way:
    def prepare(load: Load) -> Callable[[], Answer]:
        import duckdb  # type: ignore[import-not-found,unused-ignore]  # in the references' environment only
        import pandas as pd

        connection = duckdb.connect(config={"threads": 1})
        given = pd.DataFrame(load("old"), copy=False)
        connection.register("given", given)
        connection.execute("CREATE TABLE lines AS SELECT * FROM given")  # its own format, the best that it can ask for
        connection.unregister("given")
        del given
        return lambda: _ordered(connection.execute(statement).fetchnumpy())

    return prepare


def polars(load: Load) -> Callable[[], Answer]:
    import polars as pl  # type: ignore[import-not-found,unused-ignore]  # in the references' environment only

    lines = pl.DataFrame(load("old"))
    day = pl.col("day")
    measures = (day.min().alias("f"), day.max().alias("l"), day.n_unique().alias("n"), pl.col("amount").sum().alias("s"))

    def work() -> Answer:
        table = lines.lazy().group_by("customer").agg(*measures).collect()
        return _ordered({name: table[name].to_numpy() for name in table.columns})

    return work


def pandas(load: Load) -> Callable[[], Answer]:
    import pandas as pd

    lines = pd.DataFrame(load("old"), copy=False)

    def work() -> Answer:
        days = lines.groupby(["customer", "day"], sort=False)["amount"].sum().reset_index()
        table = days.groupby("customer").agg(f=("day", "min"), l=("day", "max"), n=("day", "size"), s=("amount", "sum")).reset_index()
        return _ordered({str(name): table[name].to_numpy() for name in table.columns})

    return work


def _ordered(table: dict[str, Any]) -> Answer:
    """By customer and in our types; a scatter, which costs next to nothing beside the grouping."""
    customer = np.asarray(table["customer"])
    columns = []
    for name, kind in (("f", np.int32), ("l", np.int32), ("n", np.int32), ("s", np.float64)):
        column = np.empty(len(customer), kind)
        column[customer] = table[name]
        columns.append(column)
    return columns


WAYS: dict[str, Way] = {
    "ours": ours,
    "recompute": recompute,
    "refresh": refresh,
    "duckdb-flat": duckdb(FLAT),
    "duckdb-twice": duckdb(TWICE),
    "polars": polars,
    "pandas": pandas,
}
