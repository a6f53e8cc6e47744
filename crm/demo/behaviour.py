"""How customers come, buy and go: arrays in, arrays out.

Purchasing follows the story of BG/NBD: while a customer is with us, orders come at random at the customer's own rate, and
after each order the customer may leave for good with the customer's own probability. Rates and probabilities differ
from customer to customer, and so do amounts, so that a fifth of the customers bring some four fifths of the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crm.demo.copying import Bools, Days, Floats, Ints

HORIZON_DAYS = 8 * 365
GROWTH = 0.6  # below 1: more customers came lately than at the beginning
YEARLY_ORDERS_SHAPE, YEARLY_ORDERS_SCALE = 1.3, 6.2  # Gamma
LEAVING_A, LEAVING_B = 1.0, 19.0  # Beta, per order
TYPICAL_AMOUNT, AMOUNT_SPREAD, ORDER_SPREAD = 2_200.0, 1.3, 0.6  # log-normal
MOST_ORDERS = 400

# How likely an order of the month waits for the end of its quarter: budgets are spent then, and little is bought in the holidays.
WAITS_FOR_QUARTER_END = np.array([0.15, 0.35, 0.0, 0.1, 0.15, 0.0, 0.25, 0.35, 0.0, 0.1, 0.1, 0.0])


@dataclass(frozen=True)
class Lives:
    """One entry per customer: when it came, and what it is like as a buyer."""

    begun_on: Days
    buys: Bools
    yearly_orders: Floats
    leaving: Floats
    amount: Floats  # of a usual order, in the base currency


@dataclass(frozen=True)
class Purchases:
    """One entry per order, by day: whose (place of the customer in its batch), when, and about how much."""

    customer: Ints
    ordered_on: Days
    amount: Floats


def draw_lives(rng: np.random.Generator, count: int, today: np.datetime64, buyers: float) -> Lives:
    age = (HORIZON_DAYS * (1 - rng.random(count) ** GROWTH)).astype(np.int64)
    return Lives(
        begun_on=today - age,
        buys=rng.random(count) < buyers,
        yearly_orders=rng.gamma(YEARLY_ORDERS_SHAPE, YEARLY_ORDERS_SCALE, count),
        leaving=rng.beta(LEAVING_A, LEAVING_B, count).clip(1e-4),
        amount=rng.lognormal(np.log(TYPICAL_AMOUNT), AMOUNT_SPREAD, count),
    )


def draw_purchases(rng: np.random.Generator, lives: Lives, today: np.datetime64) -> Purchases:
    """All orders of these customers up to today; the first is on the day when the customer came."""
    age = (today - lives.begun_on).astype(np.int64)
    counts = np.where(lives.buys, 1 + rng.poisson(lives.yearly_orders * age / 365), 0).clip(max=MOST_ORDERS)
    customer = np.repeat(np.arange(len(counts)), counts)
    rank = np.arange(len(customer)) - np.repeat(counts.cumsum() - counts, counts)
    offset = np.where(rank == 0, 0, (rng.random(len(customer)) * age[customer]).astype(np.int64))
    offset = offset[np.lexsort((offset, customer))]
    stayed = rank < rng.geometric(lives.leaving)[customer]
    customer, day = customer[stayed], lives.begun_on[customer[stayed]] + offset[stayed]
    day = _with_seasons(rng, day, today)
    amount = lives.amount[customer] * rng.lognormal(0, ORDER_SPREAD, len(customer))
    order = np.argsort(day, kind="stable")
    return Purchases(customer[order], day[order], amount[order])


def last_days(count: int, purchases: Purchases, otherwise: Days) -> Days:
    """The day of each customer's last order; for those without one, what `otherwise` says."""
    last = otherwise.copy()
    last[purchases.customer] = purchases.ordered_on  # by day, so the latest one stays
    assert len(last) == count
    return last


def _with_seasons(rng: np.random.Generator, day: Days, today: np.datetime64) -> Days:
    month = day.astype("M8[M]")
    in_quarter = month.astype(np.int64) % 3
    waits = rng.random(len(day)) < WAITS_FOR_QUARTER_END[month.astype(np.int64) % 12]
    closing = (month + (2 - in_quarter)).astype("M8[D]") + rng.integers(10, 28, len(day))
    moved = np.where(waits, closing, day)
    weekend = (moved.astype(np.int64) + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    moved = np.where(weekend, moved - 2, moved)
    result: Days = np.where(moved > today, day, moved)
    return result
