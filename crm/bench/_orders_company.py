"""A company of customers and orders only, as MBG/NBD and Gamma-Gamma have them: ten orders to a customer, in a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import numpy as np
import psycopg2
from numpy.typing import NDArray

from crm.bench._company import kept
from segmentation.engine.copying import write_block

AS_OF = date(2026, 6, 30)
DAYS = 1461  # first orders fall into the four years before AS_OF
RATE, DROPOUT, SPEND = (1.5, 65.0), (0.7, 8.0), (4.0, 3.0, 6000.0)  # per day; Gamma-Gamma's p, q and v
SEED = 11
AT_ONCE = 100_000
KINDS = {"customer": "int8", "day": "int4", "amount": "float8", "cost": "float8"}
STATE = f"complete, seed {SEED}, orders only"

# Keys are checked by construction, and notes of changed facts are asked for by those who measure with them.
PREPARE = """
    SET session_replication_role = replica; SET statement_timeout = 0; SET maintenance_work_mem = '512MB';
    CREATE TEMP TABLE given (customer int8, day int4, amount float8, cost float8);
    INSERT INTO users_team (name, kind, path) SELECT 'Bench', 'company', '1/' WHERE NOT EXISTS (SELECT FROM users_team);
"""
CUSTOMERS = """
    INSERT INTO customers_customer (id, number, legal_name, kind, status, industry, team_id, acquired_on, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT customer, 'C' || customer, 'Customer ' || customer, 'customer', 'active', 'industry ' || customer % 12,
           (SELECT min(id) FROM users_team), DATE '1970-01-01' + min(day), DATE '1970-01-01' + min(day)
    FROM given GROUP BY customer ORDER BY customer
"""
# In the order in which orders come in: of one customer they lie far apart, as in a real company.
ORDERS = """
    INSERT INTO customers_order (number, customer_id, ordered_on, delivered_on, status, currency, amount, cost)
    SELECT 'S' || customer || '-' || row_number() OVER (PARTITION BY customer ORDER BY day), customer,
           DATE '1970-01-01' + day, DATE '1970-01-01' + day,
           'delivered', %(base)s, amount::numeric(18, 2), cost::numeric(18, 2)
    FROM given ORDER BY day
"""


def orders_company_of(customers: int) -> str:
    """The DATABASE_URL; the company is made where it is not there yet."""

    def fill(url: str) -> None:
        print(f"making {customers:,} customers with orders", flush=True)
        with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(PREPARE)
            for block in histories(customers):
                write_block(cursor, "given", KINDS, block)
            cursor.execute("ANALYZE given")
            cursor.execute(CUSTOMERS)
            cursor.execute(ORDERS, {"base": _base_currency()})

    return kept(f"bench_orders_{customers}", STATE, fill)


def _base_currency() -> str:
    from crm.settings import BASE_CURRENCY

    return str(BASE_CURRENCY)


def histories(customers: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Blocks of orders, of some customers each."""
    chance, last_day = np.random.default_rng(SEED), (AS_OF - date(1970, 1, 1)).days
    for first in range(0, customers, AT_ONCE):
        number = np.arange(first, min(first + AT_ONCE, customers)) + 1
        rate, leaves = chance.gamma(RATE[0], 1 / RATE[1], len(number)), chance.beta(*DROPOUT, len(number))
        usual = SPEND[0] * SPEND[2] / chance.gamma(SPEND[1], size=len(number))  # an order's mean
        margin = chance.uniform(0.15, 0.45, len(number))
        day = last_day - chance.integers(0, DAYS, len(number)).astype(np.float64)
        who, days = [], []
        here = np.arange(len(number))
        while len(here):
            who.append(here)
            days.append(np.floor(day[here]))
            here = here[chance.random(len(here)) >= leaves[here]]
            day[here] += 1 + chance.exponential(1 / rate[here])
            here = here[day[here] <= last_day]
        at = np.concatenate(who)
        amount = usual[at] * chance.gamma(SPEND[0], 1 / SPEND[0], len(at))
        yield {"customer": number[at], "day": np.concatenate(days), "amount": amount, "cost": amount * (1 - margin[at])}
