"""The monthly value table: `MonthlyValue`, added up from the facts in the database, set by set.

A customer's rows depend on the customer's facts, the exchange rates, the rules and the day, and on nothing else. So rows made anew
for those that changed (`Stale` says who) and for those whom time alone has changed (`due`) equal rows made anew for all. What stays
the same is not written, so that a refresh of all leaves no dead rows behind.
"""

# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Min

from customers.models import Customer
from segmentation.facts import MONEY, SOURCES, Customers, IdRange, Source, limited, parameters
from segmentation.models import MonthlyValue, RuleVersion

AT_ONCE = 10_000  # ids per statement of a rebuild: bounds memory, and what a cancelled one has in vain
DIFFERENCES_SHOWN = 20


class Written(NamedTuple):
    """Rows that a refresh changed: put in or replaced, and taken out."""

    written: int
    deleted: int


class MissingRate(NamedTuple):
    """Facts of a noun in a currency that no rate is known for; their amounts are in no row."""

    currency: str
    noun: str
    facts: int


@dataclass(frozen=True)
class Difference:
    """A row that is not what the facts say; None: there is no such row. Amounts in the order of `facts.MONEY`."""

    customer_id: int
    month: date
    stored: tuple[Decimal, ...] | None
    facts: tuple[Decimal, ...] | None


class Checked(NamedTuple):
    rows: int  # that are stored
    differences: int
    shown: list[Difference]  # the first ones


def rebuild(*, as_of: date, rules: RuleVersion, tell: Callable[[int], None] = lambda rows: None) -> Written:
    """Make every row anew, range by range in id order; `tell` hears how many ids are behind after each, and may raise to stop.

    Each range commits by itself. One that was stopped is made whole by running it again.
    """
    written, deleted = 0, 0
    for done, some in id_ranges():
        one = refresh(some, as_of=as_of, rules=rules)
        written, deleted = written + one.written, deleted + one.deleted
        tell(done)
    return Written(written, deleted)


@transaction.atomic
def refresh(customers: Customers, *, as_of: date, rules: RuleVersion) -> Written:
    """Make the rows of some customers anew from their facts up to `as_of`. Rows that stay as they are get no write."""
    with connection.cursor() as cursor:
        _raise_limits(cursor)
        cursor.execute(*refreshing(customers, as_of=as_of, rules=rules))
        return Written(*cursor.fetchone())


def refreshing(customers: Customers, *, as_of: date, rules: RuleVersion) -> tuple[str, dict[str, Any]]:
    """The one statement of a refresh, and its parameters."""
    return _statement(_REFRESH, customers, as_of, rules)


def due(*, since: date, as_of: date) -> list[int]:
    """Ids of customers whose rows as of the two days differ though no fact changed, and of few others; in either direction of time.

    These are the ones with running contracts, with money overdue, and with facts that were dated ahead.
    """
    if since == as_of:
        return []
    days = {"since": min(since, as_of), "until": max(since, as_of), "zone": settings.TIME_ZONE}
    asked = " UNION ALL ".join(f"({source.due})" for source in SOURCES)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT customer_id FROM ({asked}) AS differing ORDER BY customer_id", days)
        return [row[0] for row in cursor.fetchall()]


def missing_rates(*, as_of: date) -> list[MissingRate]:
    """What `refresh` leaves out for want of an exchange rate, the most facts first. Reads all facts: once per run."""
    asked = " UNION ALL ".join(
        f"SELECT currency, '{source.name}' AS noun, count(*) AS facts FROM ({source.amounts}) AS fact GROUP BY currency"
        for source in SOURCES
        if source.amounts
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, noun, facts FROM ({asked}) AS counted WHERE currency <> %(base)s AND NOT EXISTS"
            " (SELECT FROM customers_exchangerate known WHERE known.currency = counted.currency) ORDER BY facts DESC, currency, noun",
            {"as_of": as_of, "base": settings.BASE_CURRENCY},
        )
        return [MissingRate(*row) for row in cursor.fetchall()]


def check(*, as_of: date, rules: RuleVersion) -> Checked:
    """Compare every row with the facts; changes nothing."""
    differences, shown = 0, list[Difference]()
    for _done, some in id_ranges():
        count, first_ones = _check(some, as_of=as_of, rules=rules)
        differences, shown = differences + count, [*shown, *first_ones][:DIFFERENCES_SHOWN]
    return Checked(MonthlyValue.objects.count(), differences, shown)


def id_ranges(size: int = AT_ONCE) -> Iterator[tuple[int, IdRange]]:
    """(ids up to the range's end, range) over all customers there are."""
    ends = Customer.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        for first in range(ends["first"], ends["last"] + 1, size):
            last = min(first + size - 1, ends["last"])
            yield last - ends["first"] + 1, IdRange(first, last)


def fresh_rows(limit: str) -> str:
    """SQL of the rows that the facts give: customer_id, month, and the columns of MONEY; no row where all are zero.

    `limit` says which customers: a condition with `{rows}` for the name of the table that has the customer_id.
    """
    pieces = " UNION ALL ".join(_piece(source, limit) for source in SOURCES)
    sums = ", ".join(f"coalesce(sum({column}) * 0.01, 0) AS {column}" for column in MONEY)
    something = " OR ".join(f"sum({column}) <> 0" for column in MONEY)
    names = ", ".join(MONEY)
    return f"SELECT customer_id, month, {sums} FROM ({pieces}) AS piece (customer_id, month, {names}) GROUP BY 1, 2 HAVING {something}"


def _piece(source: Source, limit: str) -> str:
    """A source's rows with all columns of MONEY, in whole cents; null where it says nothing, which a sum passes over."""
    columns = ", ".join(f"(100 * made.{column})::bigint" if column in source.columns else "NULL::bigint" for column in MONEY)
    rows = source.rows.format(customers=limit.format(rows="fact"))
    return f"SELECT made.customer_id, made.month, {columns} FROM ({rows}) AS made (customer_id, month, {', '.join(source.columns)})"


def _raise_limits(cursor: Any) -> None:
    """For this transaction: sums of a whole range stay in memory, and may take longer than a page. Compiling costs more than it saves."""
    cursor.execute("SET LOCAL work_mem = '64MB'; SET LOCAL statement_timeout = '15min'; SET LOCAL jit = off")


def _check(some: IdRange, *, as_of: date, rules: RuleVersion) -> tuple[int, list[Difference]]:
    with transaction.atomic(), connection.cursor() as cursor:
        _raise_limits(cursor)
        cursor.execute(*_statement(_CHECK, some, as_of, rules))
        found = cursor.fetchall()
    shown = [Difference(customer, month, _amounts(stored), _amounts(facts)) for customer, month, stored, facts, _count in found]
    return (found[0][-1] if found else 0), shown


def _statement(template: str, customers: Customers, as_of: date, rules: RuleVersion) -> tuple[str, dict[str, Any]]:
    limit, values = limited(customers)
    return template.format(fresh=fresh_rows(limit), stored=limit.format(rows="stored")), values | parameters(as_of, rules)


def _amounts(column_values: list[Decimal] | None) -> tuple[Decimal, ...] | None:
    return None if column_values is None else tuple(column_values)


def _columns(table: str) -> str:
    return ", ".join(f"{table}.{column}" for column in MONEY)


_TABLE = MonthlyValue._meta.db_table
# Of a row that is gone the month is null on the side of the facts; of a new one on the side of what is stored.
_DIFFERING = f"""
    SELECT customer_id, month, stored.revenue IS NOT NULL AS is_stored, fresh.order_cost IS NOT NULL AS is_fact,
        {", ".join(f"stored.{column} AS stored_{column}, fresh.{column}" for column in MONEY)}
    FROM ({{fresh}}) AS fresh FULL JOIN (SELECT * FROM {_TABLE} stored WHERE {{stored}}) AS stored USING (customer_id, month)
    WHERE ({_columns("stored")}) IS DISTINCT FROM ({_columns("fresh")})
"""
_REFRESH = f"""
    WITH differing AS MATERIALIZED ({_DIFFERING}),
    gone AS (
        DELETE FROM {_TABLE} stored USING differing
        WHERE stored.customer_id = differing.customer_id AND stored.month = differing.month AND NOT differing.is_fact
        RETURNING 1
    ),
    written AS (
        INSERT INTO {_TABLE} (customer_id, month, {", ".join(MONEY)})
        SELECT customer_id, month, {", ".join(MONEY)} FROM differing WHERE is_fact
        ON CONFLICT (customer_id, month) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in MONEY)}
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM gone)
"""
_CHECK = f"""
    SELECT customer_id, month, CASE WHEN is_stored THEN ARRAY[{", ".join(f"stored_{column}" for column in MONEY)}] END,
        CASE WHEN is_fact THEN ARRAY[{", ".join(MONEY)}] END, count(*) OVER ()
    FROM ({_DIFFERING}) AS differing ORDER BY customer_id, month LIMIT {DIFFERENCES_SHOWN}
"""
