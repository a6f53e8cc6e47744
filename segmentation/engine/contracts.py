"""Contracts as the renewal models see them: chains of terms, how many renewals each has passed, and how it ended.

A contract that follows another one is its renewal: because it says so (`renews`), or because it is of the same customer and
product and begins about when the other ends. An open-ended contract is renewed each year by not being cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np

from segmentation.engine.extent import NO_DAY, Extent, day_number
from segmentation.engine.packing import Columns
from segmentation.engine.reading import read
from segmentation.facts import in_base
from segmentation.maths.arrays import Flags, Ints
from segmentation.maths.purchases import MONTH, YEAR

GRACE_DAYS = 62  # so late a renewal may be signed before the contract counts as lost
EARLY_DAYS = 31
LONGEST_TERM = 120  # months

CONTRACTS = f"""
    SELECT signed.id, signed.customer_id AS customer, coalesce(signed.product_id, 0) AS product, coalesce(signed.renews_id, 0) AS renews,
           signed.starts_on - DATE '1970-01-01' AS starts, coalesce(signed.ends_on - DATE '1970-01-01', {NO_DAY}) AS ends,
           coalesce(signed.cancelled_on - DATE '1970-01-01', {NO_DAY}) AS cancelled,
           coalesce(signed.recurring_amount * rate.of_day, 0) / period.months AS revenue,
           coalesce(signed.recurring_cost * rate.of_day, 0) / period.months AS cost,
           signed.service_grade AS grade, (signed.renewal = 'automatic')::int AS automatic
    FROM customers_contract AS signed
    CROSS JOIN LATERAL (SELECT {in_base("signed.currency", "signed.starts_on")} AS of_day) AS rate
    CROSS JOIN LATERAL (SELECT CASE signed.period WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months) AS period
    WHERE {{extent}} AND signed.starts_on <= %(as_of)s
    ORDER BY signed.customer_id, coalesce(signed.product_id, 0), signed.starts_on, signed.id
"""
KINDS = {
    "id": "int8", "customer": "int8", "product": "int8", "renews": "int8", "starts": "int4", "ends": "int4", "cancelled": "int4",
    "revenue": "float8", "cost": "float8", "grade": "int4", "automatic": "int4",
}  # fmt: skip


def read_contracts(extent: Extent, values: Mapping[str, Any], *, as_of: date) -> Columns:
    """The last contract of each chain: one row each, in the order of customers.

    `passed` renewals; `lost` 1 where it ended without another; `running` 1 where it still brings something; `term` and `left` in
    months, of the term under way and of what is left of it; `revenue` and `margin` a month; `next_renewal` as a day, NO_DAY where
    there is none; and what was known when it was signed, for the hazards: `grade`, `automatic`.
    """
    signed = read(CONTRACTS.format(extent=extent.where("signed.customer_id")), values, KINDS)
    today = day_number(as_of)
    former = _former(signed)
    position = _position_in_chain(former)
    is_last = np.ones(len(former), dtype=bool)
    is_last[former[former >= 0]] = False
    last = {name: column[is_last] for name, column in signed.items()}
    return _outcome(last, position[is_last], today)


def _former(signed: Columns) -> Ints:
    """The place of the contract that each one renews, -1 where it is the first of its chain."""
    count = len(signed["id"])
    former = np.full(count, -1, dtype=np.int64)
    if count > 1:
        same = (signed["customer"][1:] == signed["customer"][:-1]) & (signed["product"][1:] == signed["product"][:-1])
        gap = signed["starts"][1:].astype(np.int64) - signed["ends"][:-1].astype(np.int64)
        follows = same & (signed["ends"][:-1] != NO_DAY) & (gap >= -EARLY_DAYS) & (gap <= GRACE_DAYS)
        former[1:][follows] = np.flatnonzero(follows)
    by_id = np.argsort(signed["id"], kind="stable")
    named = np.flatnonzero(signed["renews"] > 0)
    if len(named):
        at = np.searchsorted(signed["id"][by_id], signed["renews"][named])
        known = (at < count) & (signed["id"][by_id[np.minimum(at, count - 1)]] == signed["renews"][named])
        earlier = by_id[at[known]]
        forward = signed["starts"][earlier] < signed["starts"][named[known]]  # a contract cannot renew a later one, nor itself
        former[named[known][forward]] = earlier[forward]
    return _one_successor_each(former)


def _one_successor_each(former: Ints) -> Ints:
    """Where two contracts claim to renew the same one, the first does; the other begins a chain of its own."""
    claims = np.flatnonzero(former >= 0)
    _unique, first = np.unique(former[claims], return_index=True)
    kept = np.full(len(former), -1, dtype=np.int64)
    kept[claims[first]] = former[claims[first]]
    return kept


def _position_in_chain(former: Ints) -> Ints:
    """How many contracts stand before each in its chain, by doubling: steps as the logarithm of the longest chain."""
    position = (former >= 0).astype(np.int64)
    jump = former.copy()
    while (jump >= 0).any():
        ahead = jump >= 0
        position[ahead] += position[jump[ahead]]
        jump[ahead] = jump[jump[ahead]]
    return position


def _outcome(last: Columns, position: Ints, today: int) -> Columns:
    is_open = last["ends"] == NO_DAY
    is_cancelled: Flags = (last["cancelled"] != NO_DAY) & (last["cancelled"] <= today)
    running = ~is_cancelled & (is_open | (last["ends"] >= today))
    until = np.where(is_cancelled, last["cancelled"], today)
    years = np.where(is_open, np.maximum(until - last["starts"], 0) // YEAR, 0).astype(np.int64)
    lost = is_cancelled | (~is_open & (last["ends"] < today - GRACE_DAYS))
    next_renewal = np.where(is_open, last["starts"] + np.rint((years + 1) * YEAR).astype(np.int64), last["ends"].astype(np.int64) + 1)
    term = np.where(is_open, 12, np.rint((last["ends"] - last["starts"] + 1.0) / MONTH))
    return {
        "id": last["id"],
        "customer": last["customer"],
        "passed": position + years,
        "lost": lost.astype(np.int32),
        "running": running.astype(np.int32),
        "term": np.clip(term, 1, LONGEST_TERM).astype(np.int64),
        "left": np.where(running, np.ceil(np.maximum(next_renewal - today, 0) / MONTH), 0).astype(np.int64),
        "next_renewal": np.where(running, next_renewal, NO_DAY).astype(np.int64),
        "revenue": last["revenue"],
        "margin": last["revenue"] - last["cost"],
        "grade": last["grade"],
        "automatic": last["automatic"],
    }
