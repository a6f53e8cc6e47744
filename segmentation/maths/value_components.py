"""The parts of every customer's value as arrays, and as the few cells that `what_if` computes with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats
from segmentation.maths.what_if import Basis, Cell, Changes, Outcome
from segmentation.maths.what_if import what_if as what_if_cells

WIDTH = 0.01  # of retention, in one cell: holds the change of equity to some 0.1 % of it (test_what_if.py)

Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class ValueComponents:
    """Per customer, shape (n,); `Cell` says what each amount is. ValueError for lengths that differ, unknown numbers, bad rates."""

    tier: Texts
    order_value: Floats
    contract_value: Floats
    referral_value: Floats
    retention_cost: Floats
    margin_per_year: Floats
    serving_cost_per_year: Floats
    retention: Floats  # per year
    basis: Basis

    def __post_init__(self) -> None:
        if any(one.shape != self.tier.shape for one in (*self._amounts, self.retention)) or self.tier.ndim != 1:
            raise ValueError("the components must have one and the same length")
        if not all(np.all(np.isfinite(one)) for one in self._amounts) or not np.all((self.retention >= 0) & (self.retention <= 1)):
            raise ValueError("components are numbers, and retention lies between 0 and 1")

    @property
    def _amounts(self) -> tuple[Floats, ...]:
        return (
            self.order_value,
            self.contract_value,
            self.referral_value,
            self.retention_cost,
            self.margin_per_year,
            self.serving_cost_per_year,
        )

    def cells(self, width: float = WIDTH) -> list[Cell]:
        """Customers of one tier whose yearly retention lies in one step of `width`, summed; width 0 keeps each customer apart.

        A cell's retention is the mean over its customers, weighted by the size of what they bring. Ordered by tier and retention.
        """
        tiers, code = np.unique(self.tier, return_inverse=True)
        if width > 0:
            steps = int(np.ceil(1 / width)) + 1
            key = code * steps + np.minimum((self.retention / width).astype(np.int64), steps - 1)
        else:
            key = np.arange(len(code))
        kinds, first, place = np.unique(key, return_index=True, return_inverse=True)
        weight = np.abs(self.order_value + self.contract_value) + 1e-9
        mean = np.bincount(place, weight * self.retention) / np.bincount(place, weight) if len(kinds) else np.zeros(0)
        sums = [np.bincount(place, amount, len(kinds)).tolist() for amount in self._amounts]
        count = np.bincount(place, minlength=len(kinds)).tolist()
        names = [str(tiers[code[i]]) for i in first]
        rows = zip(names, count, np.clip(mean, 0.0, 1.0).tolist(), *sums, strict=True)
        return [Cell(name, float(number), rate, *amounts) for name, number, rate, *amounts in rows]


def what_if(components: ValueComponents, changes: Changes, width: float = WIDTH) -> Outcome:
    """`what_if.what_if` on all customers."""
    return what_if_cells(components.cells(width), components.basis, changes)
