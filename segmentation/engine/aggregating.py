"""First stage: the facts of a range of customers, as columns of numbers. One row per customer, in the order of their ids.

What the order models need comes from the orders themselves, what the contract models need from the contracts, and the sums of
money from the monthly values, which are brought up to date on the way for those whose facts have changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from django.conf import settings

from segmentation import monthly
from segmentation.engine.contracts import read_contracts
from segmentation.engine.extent import NO_DAY, VALUED_KINDS, Extent, day_number, extent_of
from segmentation.engine.packing import Columns
from segmentation.engine.reading import align, read, read_facts
from segmentation.facts import in_base
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.purchases import MONTH, summarise
from segmentation.maths.trend import trend
from segmentation.maths.trust import trust
from segmentation.models import RunShard, Stale, ValueRun
from segmentation.trust import FILLED, trust_statement

CUSTOMERS = f"""
    SELECT customer.id AS customer, coalesce(customer.acquired_on, (customer.created_at AT TIME ZONE 'UTC')::date) AS acquired_day,
           hashtext(customer.industry) AS industry, coalesce(customer.referred_by_id, 0) AS referred_by,
           coalesce(score.tier, 0) AS tier, coalesce(score.tier_since - DATE '1970-01-01', {NO_DAY}) AS tier_since,
           coalesce(score.proposed_tier, 0) AS proposed_tier,
           coalesce(score.proposed_since - DATE '1970-01-01', {NO_DAY}) AS proposed_since,
           coalesce(score.proposal IN ('confirm', 'approval'), false)::int AS was_confirming,
           coalesce(array_position(ARRAY['', 'confirm', 'approval', 'trust']::varchar[], score.proposal), 1) - 1 AS was_proposal,
           coalesce(score.is_overridden, false)::int AS was_overridden, coalesce(standing.tier, 0) AS override
    FROM customers_customer AS customer
    LEFT JOIN segmentation_score AS score ON score.customer_id = customer.id
    LEFT JOIN segmentation_tieroverride AS standing
        ON standing.customer_id = customer.id AND standing.ended_at IS NULL AND standing.ends_on >= %(as_of)s
    WHERE {{extent}} AND customer.kind = ANY(%(kinds)s) AND customer.deleted_at IS NULL AND customer.merged_into_id IS NULL
    ORDER BY customer.id
"""
CUSTOMER_KINDS = {
    "customer": "int8", "acquired_day": "date", "industry": "int4", "referred_by": "int8", "tier": "int4", "tier_since": "int4",
    "proposed_tier": "int4", "proposed_since": "int4", "was_confirming": "int4", "was_proposal": "int4", "was_overridden": "int4",
    "override": "int4",
}  # fmt: skip


# The first columns of `trust_statement`.
TRUST = f"""
    SELECT customer, round(completeness * {len(FILLED)}) AS filled, coalesce(freshness_days, {NO_DAY}) AS age_days, sources
    FROM ({{inputs}}) AS inputs (customer, completeness, freshness_days, sources)
"""
TRUST_KINDS = {"customer": "int8", "filled": "int4", "age_days": "int4", "sources": "int8"}


def cents_in_base(amount: str) -> str:
    """An amount of an order in whole cents: a numeric turned into a float goes through text, into an integer it does not."""
    rate = in_base("placed.currency", "placed.ordered_on")
    converted = f"coalesce(round({amount} * ({rate}), 2), 0)"
    return f"100 * CASE WHEN placed.currency = %(base)s THEN {amount} ELSE {converted} END"


ORDERS = f"""
    SELECT placed.customer_id AS customer, placed.ordered_on AS day, {cents_in_base("placed.amount")} AS amount,
           {cents_in_base("placed.cost")} AS cost
    FROM customers_order AS placed
    WHERE {{extent}} AND placed.status <> 'cancelled' AND placed.ordered_on <= %(as_of)s
"""
ORDER_KINDS = {"customer": "int8", "day": "date", "amount": "int8", "cost": "int8"}

SUMS = ("revenue", "margin", "order_margin", "serving", "overdue")
# Twelve months: the running one and the eleven before it. `month` counts from the oldest, 0.
MONTHS = """
    SELECT customer_id AS customer,
           11 - (12 * (date_part('year', %(as_of)s::date) - date_part('year', month))
                 + date_part('month', %(as_of)s::date) - date_part('month', month)) AS month,
           revenue, margin, order_revenue - order_cost AS order_margin, contact_cost + service_cost AS serving, overdue_cost AS overdue
    FROM segmentation_monthlyvalue WHERE {extent} AND month > %(as_of)s::date - interval '12 months' AND month <= %(as_of)s
"""
MONTH_KINDS = {"customer": "int8", "month": "int4", **dict.fromkeys(SUMS, "float8")}


def read_orders(where: str, values: dict[str, Any]) -> Columns:
    """Order lines in no order: customer, day, and amount and cost in the base currency."""
    lines = read_facts(ORDERS.format(extent=where), values, ORDER_KINDS)
    return lines | {name: lines[name] * 0.01 for name in ("amount", "cost")}


def aggregate_shard(run: ValueRun, shard: RunShard) -> Columns:
    """The columns of one shard."""
    extent = extent_of(run, shard)
    _refresh_monthly(run, extent)
    values = {**extent.values, "as_of": run.as_of, "kinds": list(VALUED_KINDS), "base": settings.BASE_CURRENCY}
    columns = read(CUSTOMERS.format(extent=extent.where("customer.id")), values, CUSTOMER_KINDS)
    customers = columns["customer"]
    columns |= align(customers, _orders(run, extent, values))
    columns |= _year(extent, values, customers)
    columns["trust"] = _trust(run, extent, customers)
    contracts = read_contracts(extent, values, as_of=run.as_of)
    ours = np.isin(contracts["customer"], customers)  # and not those of prospects, or of customers who are deleted
    columns |= {f"contract_{name}": column[ours] for name, column in contracts.items()}
    if extent.ids is not None:
        columns["only"] = np.array(extent.ids, dtype=np.int64)
    return columns


def _refresh_monthly(run: ValueRun, extent: Extent) -> None:
    """Bring the monthly values up to date of all whom this run has a note of."""
    noted = Stale.objects.filter(run_id=run.pk, customer_id__range=(extent.first, extent.last))
    monthly.refresh(sorted(set(noted.values_list("customer_id", flat=True))), as_of=run.as_of, rules=run.rules)


def _orders(run: ValueRun, extent: Extent, values: dict[str, Any]) -> Columns:
    """Of each customer with orders: order days, recency and age in months, what a mean repeat order brings, and sums over all."""
    lines = read_orders(extent.where("placed.customer_id"), values)
    summary = summarise(lines["customer"], lines["day"], lines["amount"], end=day_number(run.as_of), unit_days=MONTH)
    buyers, count, seen = summary.customers, len(summary.customers), summary.purchases
    at = np.searchsorted(buyers, lines["customer"])
    is_buyer = buyers[np.minimum(at, count - 1)] == lines["customer"] if count else np.zeros(len(at), dtype=bool)
    at, day, amount = at[is_buyer], lines["day"][is_buyer], lines["amount"][is_buyer]
    margin = amount - lines["cost"][is_buyer]
    first_day = day_number(run.as_of) - np.rint(seen.age * MONTH).astype(np.int64)
    repeat = day != first_day[at]
    return {
        "customer": buyers.astype(np.int64),
        "orders": seen.frequency + 1,  # 0 where `align` finds none
        "recency": seen.recency,
        "age": seen.age,
        "spend": summary.spend,
        "spend_margin": np.bincount(at[repeat], margin[repeat], count) / np.maximum(seen.frequency, 1),
        "order_revenue": np.bincount(at, amount, count),
        "order_margin": np.bincount(at, margin, count),
    }


def _year(extent: Extent, values: dict[str, Any], customers: Ints) -> Columns:
    """Sums of the last twelve months, and whether the margin grows: the last six beside the six before, where it is no noise."""
    rows = read_facts(MONTHS.format(extent=extent.where("customer_id")), values, MONTH_KINDS)
    at = np.minimum(np.searchsorted(customers, rows["customer"]), max(len(customers) - 1, 0))
    known = customers[at] == rows["customer"] if len(customers) else np.zeros(len(at), dtype=bool)
    at = at[known]
    months = np.zeros((len(customers), 12))
    months[at, rows["month"][known]] = rows["margin"][known]
    found = {f"{name}_12m": np.bincount(at, rows[name][known], len(customers)) for name in SUMS}
    change = trend(months)
    return {**found, "trend": np.where(change.direction != 0, change.share, np.where(np.isnan(change.share), np.nan, 0.0))}


def _trust(run: ValueRun, extent: Extent, customers: Ints) -> Floats:
    """How far the data of each customer can be trusted, 0 to 1."""
    statement, values = trust_statement(extent.customers, as_of=run.as_of)
    rows = read_facts(TRUST.format(inputs=statement), values, TRUST_KINDS)
    age_days = np.where(rows["age_days"] == NO_DAY, np.nan, np.maximum(rows["age_days"], 0))
    at = align(customers, {**rows, "age_days": age_days})
    return trust(at["filled"], len(FILLED), at["age_days"], at["sources"]).score
