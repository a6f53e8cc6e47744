"""Why a customer has its value: the reasons in the order of their weight, as JSON for ledger and score.

A weight is money where there is any, and a share of the year's margin where not. Reasons without weight are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from segmentation.engine.extent import NO_DAY
from segmentation.engine.packing import Columns
from segmentation.maths.arrays import Floats

QUIET_DAYS = 365  # without an order, from which on that is a reason
RENEWAL_NEAR = 180  # days
LITTLE_TRUST = 0.3

# The weights (n,), a template of the reason's JSON, and the figures that go into it.
Reason: TypeAlias = tuple[Floats, str, tuple[Floats, ...]]


def drivers_of(columns: Columns, today: int) -> list[bytes]:
    """A JSON list for each customer, shape (n,)."""
    at, weights, texts = [], [], list[str]()
    for weight, template, figures in _reasons(columns, today):
        chosen = np.flatnonzero(weight > 0)
        at.append(chosen)
        weights.append(weight[chosen])
        if figures:
            texts += [template % row for row in zip(*(figure[chosen].tolist() for figure in figures), strict=True)]
        else:
            texts += [template] * len(chosen)
    customer = np.concatenate(at)
    order = np.lexsort((-np.concatenate(weights), customer))
    ordered = [texts[place] for place in order.tolist()]
    ends = np.cumsum(np.bincount(customer, minlength=len(columns["customer"]))).tolist()
    return [f"[{','.join(ordered[start:end])}]".encode() for start, end in zip([0, *ends], ends, strict=False)]


def _reasons(columns: Columns, today: int) -> Iterator[Reason]:
    count = len(columns["customer"])
    clv_contracts, clv_orders = columns["clv_contracts"], columns["clv_orders"]
    yield (
        np.abs(clv_contracts),
        '{"code":"contracts","amount":%.2f,"count":%d}',
        (clv_contracts, columns["contracts"]),
    )
    yield np.abs(clv_orders), '{"code":"orders","amount":%.2f,"expected":%.1f}', (clv_orders, columns["expected_orders_12m"])
    for name in ("referrals", "retention_cost"):
        amount = columns[f"clv_{name}"]
        yield np.abs(amount), f'{{"code":"{name}","amount":%.2f}}', (amount,)
    yield columns["overdue_12m"], '{"code":"overdue","amount":%.2f}', (columns["overdue_12m"],)
    yield np.abs(columns["trend"] * columns["margin_12m"]), '{"code":"trend","change":%.3f}', (columns["trend"],)
    silent = np.where(columns["last_day"] == NO_DAY, 0, today - columns["last_day"])
    yield np.where(silent > QUIET_DAYS, 0.01, 0.0), '{"code":"no_order","days":%d}', (silent,)
    yield from _renewals(columns, today)
    yield np.where(columns["trust"] < LITTLE_TRUST, 0.005, 0.0), '{"code":"low_trust","trust":%.2f}', (columns["trust"],)
    is_new = (columns["orders"] == 0) & (columns["contracts"] == 0)
    yield np.where(is_new, 0.002, np.zeros(count)), '{"code":"new_customer"}', ()


def _renewals(columns: Columns, today: int) -> Iterator[Reason]:
    """A renewal that comes soon weighs half of what contracts bring; of some its probability is not known."""
    left, chance = columns["next_renewal"] - today, columns["renewal_probability"]
    is_near = (columns["next_renewal"] != NO_DAY) & (left <= RENEWAL_NEAR)
    weight, known = np.where(is_near, 0.5 * np.abs(columns["clv_contracts"]), 0.0), ~np.isnan(chance)
    yield np.where(known, weight, 0.0), '{"code":"renewal_due","days":%d,"probability":%.3f}', (left, chance)
    yield np.where(known, 0.0, weight), '{"code":"renewal_due","days":%d,"probability":null}', (left,)
