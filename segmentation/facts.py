"""What a customer brings and costs, read from the facts: one piece of SQL per kind of fact, and the list of them.

`segmentation.monthly` adds the pieces up. A higher app that owns further facts (service minutes, parts, travel) appends a
`Source` of its own to `SOURCES` when it starts (`AppConfig.ready` in `crm/`, which sees both apps), and gives its tables
the trigger of migration 0002, so that a change is noted. Nothing else has to be told: rebuilding, refreshing, checking,
`due` and `missing_rates` all go through the list.

All SQL has these parameters, and no others:

    as_of     the day up to and including which facts count
    base      the base currency
    zone      the company's time zone: which day, and so which month, a moment falls on
    channels, minute_rates   two arrays of one length: what a minute through a channel costs, in the base currency
    capital_rate   what overdue money costs a year, as a share of it
    since, until   (in `due` only) two days, since < until

A percent sign in it is written twice. Where the base currency, the time zone or the rules change, all rows are made anew.
"""

# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from customers.models.customer import CustomerQuerySet
from segmentation.models import RuleVersion

MONEY = ("order_revenue", "order_cost", "contract_revenue", "contract_cost", "contact_cost", "service_cost", "overdue_cost")


@dataclass(frozen=True)
class Source:
    """One kind of fact.

    `rows` selects customer_id, month (its first day) and the columns that it fills, in that order, any number of rows per
    customer and month, in the base currency and rounded to the cent. Its main table is called `fact`, and `{customers}` stands
    where its customers are limited. `due` selects the customer_id of those whose rows differ between two days though no
    fact changed. `amounts` selects the currency of each fact with an amount, for the count of what no rate is known for; empty
    where all money is in the base currency.
    """

    name: str
    columns: tuple[str, ...]
    rows: str
    due: str
    amounts: str = ""


def in_base(currency: str, day: str) -> str:
    """SQL of what one unit of a currency was worth on a day: by the newest rate of that day or before, else by the oldest of all.

    Null where the currency has no rate: an amount that nobody can convert is left out and counted, never taken one to one.
    """
    rates = f"SELECT known.rate FROM customers_exchangerate known WHERE known.currency = {currency}"
    newest = f'{rates} AND known."on" <= {day} ORDER BY known."on" DESC LIMIT 1'
    oldest = f'{rates} ORDER BY known."on" LIMIT 1'
    return f"CASE WHEN {currency} = %(base)s THEN 1 ELSE coalesce(({newest}), ({oldest})) END"


def first_day(moment: str) -> str:
    """SQL of the first day of the month; of a timestamp and not of a date, which would go through the session's time zone."""
    return f"date_trunc('month', ({moment})::timestamp)::date"


def end_of_day(parameter: str) -> str:
    """SQL of the moment at which a day ends in the company's time zone."""
    return f"((%({parameter})s::date + 1)::timestamp AT TIME ZONE %(zone)s)"


# Few contact points are corrections; said twice, so that the planner begins at those in the index and leaves the rest of it.
IS_STANDING = "NOT EXISTS (SELECT FROM customers_contactpoint later WHERE later.corrects_id = {point}.id AND later.corrects_id IS NOT NULL)"

ORDERS = Source(
    name="order",
    columns=("order_revenue", "order_cost"),
    rows=f"""
        SELECT fact.customer_id, {first_day("fact.ordered_on")}, round(fact.amount * rate.of_day, 2), round(fact.cost * rate.of_day, 2)
        FROM customers_order fact CROSS JOIN LATERAL (SELECT {in_base("fact.currency", "fact.ordered_on")} AS of_day) AS rate
        WHERE {{customers}} AND fact.status <> 'cancelled' AND fact.ordered_on <= %(as_of)s
    """,
    due="SELECT customer_id FROM customers_order WHERE ordered_on > %(since)s AND ordered_on <= %(until)s",
    amounts="SELECT currency FROM customers_order WHERE status <> 'cancelled' AND ordered_on <= %(as_of)s",
)

# A contract earns by the day. Period p runs from starts_on + p periods to the day before the next one begins, counted from the
# start, so that the 31st comes back after February, and each brings the same amount whatever its days. Earned up to a day =
# amount × (whole periods before it + days of the period under way ÷ days that the period has): amount × days ÷ period_days. A
# month brings what is earned up to its end − what is earned up to its beginning, each rounded to the cent: the months of a full
# period add up to the amount exactly. The last day counts; the day of cancelling does not. A month's share is converted at the
# rate of the share's first day.
_SHARE = (
    "round({0} * rate.of_day * running.days / running.period_days, 2)"
    " - round({0} * rate.of_day * running.days_before / running.period_days_before, 2)"
)
CONTRACTS = Source(
    name="contract",
    columns=("contract_revenue", "contract_cost"),
    rows=f"""
        SELECT fact.customer_id, running.month, {_SHARE.format("fact.recurring_amount")}, {_SHARE.format("fact.recurring_cost")}
        FROM (
            SELECT fact.*, least(fact.ends_on, fact.cancelled_on - 1, %(as_of)s::date) + 1 AS stops_on,
                CASE fact.period WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months
            FROM customers_contract fact WHERE {{customers}}
        ) AS fact
        CROSS JOIN LATERAL (
            SELECT upto.month, period.ends - period.begins AS period_days,
                whole.periods * (period.ends - period.begins) + upto.day - period.begins AS days,
                lag(period.ends - period.begins, 1, 1) OVER in_order AS period_days_before,
                lag(whole.periods * (period.ends - period.begins) + upto.day - period.begins, 1, 0) OVER in_order AS days_before
            FROM (
                SELECT month::date, least((month + interval '1 month')::date, fact.stops_on) AS day
                FROM generate_series(
                    date_trunc('month', fact.starts_on::timestamp), fact.stops_on - interval '1 day', interval '1 month'
                ) AS month
            ) AS upto
            CROSS JOIN LATERAL (
                SELECT (12 * (date_part('year', upto.day) - date_part('year', fact.starts_on))
                    + date_part('month', upto.day) - date_part('month', fact.starts_on))::integer / fact.months AS periods OFFSET 0
            ) AS begun
            CROSS JOIN LATERAL (
                SELECT begun.periods
                    - (fact.starts_on + make_interval(months => begun.periods * fact.months) > upto.day)::integer AS periods OFFSET 0
            ) AS whole
            CROSS JOIN LATERAL (
                SELECT (fact.starts_on + make_interval(months => whole.periods * fact.months))::date AS begins,
                    (fact.starts_on + make_interval(months => (whole.periods + 1) * fact.months))::date AS ends OFFSET 0
            ) AS period
            WINDOW in_order AS (ORDER BY upto.month)
        ) AS running
        CROSS JOIN LATERAL (SELECT {in_base("fact.currency", "greatest(running.month, fact.starts_on)")} AS of_day OFFSET 0) AS rate
        WHERE fact.starts_on < fact.stops_on
    """,
    due="""
        SELECT customer_id FROM customers_contract
        WHERE starts_on <= %(until)s AND (ends_on > %(since)s OR ends_on IS NULL)
            AND (cancelled_on > %(since)s::date + 1 OR cancelled_on IS NULL)
    """,
    amounts="SELECT currency FROM customers_contract WHERE starts_on <= %(as_of)s",
)

COST_OF_CONTACT = "round(coalesce(fact.cost, fact.minutes * minute.rate), 2)"
MINUTE_RATE = (
    "LEFT JOIN unnest(%(channels)s::text[], %(minute_rates)s::numeric[]) AS minute (channel, rate) ON minute.channel = fact.channel"
)
CONTACT_POINTS = Source(
    name="contact_point",
    columns=("contact_cost",),
    rows=f"""
        SELECT fact.customer_id, {first_day("fact.at AT TIME ZONE %(zone)s")}, {COST_OF_CONTACT}
        FROM customers_contactpoint fact {MINUTE_RATE}
        WHERE {{customers}} AND (fact.cost IS NOT NULL OR fact.minutes > 0) AND fact.at < {end_of_day("as_of")}
            AND {IS_STANDING.format(point="fact")}
    """,
    due=f"SELECT customer_id FROM customers_contactpoint WHERE at >= {end_of_day('since')} AND at < {end_of_day('until')}",
)

# An invoice is overdue from the day after it is due to the day of its payment. Over a month that is linear: its amount × days after
# due − each payment × days after both due and paid, never below zero. Only invoices not paid in time have such months,
# and only up to the month of the last payment where that settled it. Converted at the rate of the day of issue.
INVOICES = Source(
    name="invoice",
    columns=("overdue_cost",),
    rows=f"""
        SELECT fact.customer_id, late.month,
            round(greatest(fact.amount * (late.closes - late.opens) - paid.amount_days, 0) * {in_base("fact.currency", "fact.issued_on")}
                * %(capital_rate)s / 365, 2)
        FROM customers_invoice fact
        CROSS JOIN LATERAL (
            SELECT CASE WHEN sum(payment.amount) >= fact.amount THEN max(payment.paid_on) ELSE %(as_of)s::date END AS until
            FROM customers_payment payment WHERE payment.invoice_id = fact.id AND payment.paid_on <= %(as_of)s
        ) AS settled
        CROSS JOIN LATERAL (
            SELECT month::date, greatest(fact.due_on, month::date - 1) AS opens,
                least((month + interval '1 month')::date - 1, %(as_of)s::date) AS closes
            FROM generate_series(date_trunc('month', fact.due_on + interval '1 day'), settled.until::timestamp, interval '1 month') AS month
            WHERE fact.due_on < settled.until
        ) AS late
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(payment.amount * greatest(late.closes - greatest(late.opens, payment.paid_on), 0)), 0) AS amount_days
            FROM customers_payment payment WHERE payment.invoice_id = fact.id AND payment.paid_on <= %(as_of)s
        ) AS paid
        WHERE {{customers}} AND fact.due_on < %(as_of)s AND fact.amount > 0
    """,
    due="""
        SELECT customer_id FROM customers_invoice WHERE due_on < %(until)s AND paid_amount < amount
        UNION ALL
        SELECT owing.customer_id FROM customers_payment payment JOIN customers_invoice owing ON owing.id = payment.invoice_id
        WHERE payment.paid_on > %(since)s AND owing.due_on < %(until)s
    """,
    amounts="SELECT currency FROM customers_invoice WHERE due_on < %(as_of)s",
)

SOURCES: list[Source] = [ORDERS, CONTRACTS, CONTACT_POINTS, INVOICES]


@dataclass(frozen=True)
class IdRange:
    """Customers from `first` to `last`, both included: a shard."""

    first: int
    last: int


Customers = IdRange | CustomerQuerySet | Iterable[int]


def limited(customers: Customers) -> tuple[str, dict[str, Any]]:
    """SQL that limits a table with a customer_id, named where `{rows}` stands, to these customers; and its parameters."""
    if isinstance(customers, IdRange):
        return "{rows}.customer_id BETWEEN %(first)s AND %(last)s", {"first": customers.first, "last": customers.last}
    ids = customers.values_list("pk", flat=True) if isinstance(customers, CustomerQuerySet) else customers
    return "{rows}.customer_id = ANY(%(ids)s::bigint[])", {"ids": list(ids)}


def parameters(as_of: date, rules: RuleVersion) -> dict[str, Any]:
    """What the SQL of the sources asks for."""
    return {
        "as_of": as_of,
        "base": settings.BASE_CURRENCY,
        "zone": settings.TIME_ZONE,
        "channels": list(rules.minute_rates),
        "minute_rates": [Decimal(str(rate)) for rate in rules.minute_rates.values()],
        "capital_rate": rules.capital_rate,
    }
