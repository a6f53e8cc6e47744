"""Customers to test the models on: the published data where they are, small tables of our own, and simulated companies."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from segmentation.maths.arrays import Floats
from segmentation.maths.mbg_nbd import MbgNbd
from segmentation.maths.order_models import OrderModel
from segmentation.maths.purchases import Purchases

SHARED = Path(__file__).resolve().parents[3].parent / "shared"

# Eleven customers, each of another kind: new today, silent, lapsed, busy, busy and gone, last seen today.
TABLE = Purchases(
    np.array([0, 0, 0, 1, 1, 2, 2, 5, 12, 12, 3]),
    np.array([0, 0, 0, 1, 30.4, 30.43, 8, 20, 38, 15, 39]),
    np.array([0, 12.5, 38.86, 38.86, 35, 38.86, 38, 37, 38.5, 38.86, 39]),
)


def shared(path: str) -> Path:
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{path} is not on this machine")
    return found


def table(path: str) -> dict[str, list[str]]:
    with shared(path).open() as file:
        rows = list(csv.DictReader(file))
    return {name: [row[name] for row in rows] for name in rows[0]}


def cdnow() -> tuple[Purchases, Floats]:
    """The published summary of 2,357 customers in weeks, and their mean repeat spend."""
    columns = {name: np.array(values, dtype=np.float64) for name, values in table("data/clv/cdnow_summary.csv").items()}
    return Purchases(columns["frequency"], columns["recency"], columns["T"]), columns["monetary_value"]


def company(customers: int, seed: int = 0, model: OrderModel | None = None) -> Purchases:
    """Customers of up to three years, in months, whose last orders fall on whole days."""
    rng = np.random.default_rng(seed)
    age = rng.integers(30, 1096, customers) / 30.4375
    bought = (model or MbgNbd(1.2, 4.0, 0.4, 4.0)).simulate(rng, age, 30.4375)
    recency = np.minimum(np.ceil(bought.recency * 30.4375) / 30.4375, age)
    return Purchases(bought.frequency, recency, age, 30.4375)
