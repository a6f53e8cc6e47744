"""Customers' latent lives, simulated: at which rate they order and when they end. Vectors throughout, no loop over customers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.maths.arrays import Flags, Floats
from segmentation.maths.purchases import Purchases

_NEVER = 1e-300


@dataclass(frozen=True)
class Lives:
    """Orders at `order_rate` until the end, which comes at `end_rate`; both per unit of time, of one shape.

    Where `last_order_ends` (BG and MBG: customers leave with an order), the end is an order itself, on top of those at `order_rate`.
    """

    order_rate: Floats
    end_rate: Floats
    last_order_ends: bool

    def ends(self, rng: np.random.Generator) -> Floats:
        return rng.standard_exponential(self.end_rate.shape) / np.maximum(self.end_rate, _NEVER)

    def history(self, rng: np.random.Generator, age: Floats, gone: Flags, unit_days: float) -> Purchases:
        """What was observed over `age` from the first order on; `gone` marks those who left right after it."""
        end = np.where(gone, 0.0, self.ends(rng))
        watched = np.minimum(end, age)
        orders = rng.poisson(self.order_rate * watched).astype(np.float64)
        recency = np.where(orders > 0, watched * rng.random(len(age)) ** (1 / np.maximum(orders, 1.0)), 0.0)  # the latest of n uniforms
        if self.last_order_ends:
            is_last = (end < age) & ~gone
            orders, recency = np.where(is_last, orders + 1, orders), np.where(is_last, end, recency)
        return Purchases(orders, recency, age, unit_days)

    def future(self, rng: np.random.Generator, starts: Floats, ends: Floats, factors: Floats) -> tuple[Floats, Floats]:
        """Orders to come and the same discounted; `factors` hold between `starts` and `ends`, which follow each other from 0."""
        end = self.ends(rng)
        count, discounted = np.zeros(end.shape), np.zeros(end.shape)
        for start, stop, factor in zip(starts, ends, factors, strict=True):
            orders = rng.poisson(self.order_rate * np.clip(end - start, 0.0, stop - start)).astype(np.float64)
            if self.last_order_ends:
                orders += (end > start) & (end <= stop)
            count += orders
            discounted += factor * orders
        return count, discounted
