"""The way of `bin/bench value rescore` by which pandas gets the orders: one query, as its manual has it; `_answer.py` runs it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from typing import Any

import psycopg2

connection = psycopg2.connect(os.environ["DATABASE_URL"])
BACKEND = connection.info.backend_pid
QUERY = """
    SELECT customer_id, ordered_on, amount::float8, cost::float8 FROM customers_order
    WHERE status <> 'cancelled' AND ordered_on <= CURRENT_DATE
"""


def read(_load: Any) -> Callable[[], dict[str, float]]:
    import pandas as pd

    def work() -> dict[str, float]:
        with warnings.catch_warnings(action="ignore"):  # pandas would rather have SQLAlchemy around the same connection
            lines = pd.read_sql_query(QUERY, connection)
        return {"lines": float(len(lines))}

    return work


WAYS = {"read": read}
