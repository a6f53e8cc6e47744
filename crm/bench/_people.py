"""Customers for the benchmarks of the models, as files of arrays: frequency, recency and age in weeks, and mean spend."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import numpy as np

from crm.bench._contest import DATA, reference_python
from crm.bench._orders_company import AS_OF, SEED, histories
from segmentation.maths.purchases import Purchases, summarise

# Read as a file: the package's own loader needs setuptools, which has left.
CDNOW = """
import importlib.util, pathlib, sys, numpy, pandas
home = pathlib.Path(importlib.util.find_spec("lifetimes").submodule_search_locations[0])
table = pandas.read_csv(home / "datasets" / "cdnow_customers_summary.csv")
for name in ("frequency", "recency", "T"):
    numpy.save(sys.argv[1] + "/people_" + {"T": "age"}.get(name, name), table[name].to_numpy(float))
"""


def people_of(count: int) -> Path:
    """The folder of the customers of a company of orders, see `_orders_company`; made where it is not there yet."""
    folder = DATA / f"people_{count}_seed_{SEED}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        end = (AS_OF - date(1970, 1, 1)).days
        parts = [summarise(block["customer"], block["day"], block["amount"], end=end) for block in histories(count)]
        for name in ("frequency", "recency", "age"):
            np.save(folder / f"people_{name}", np.concatenate([getattr(part.purchases, name) for part in parts]))
        np.save(folder / "people_spend", np.concatenate([part.spend for part in parts]))
        (folder / "complete").touch()
    return folder


def orders_of(count: int) -> Path:
    """The folder of the same customers' orders: customer, day, amount and cost."""
    folder = DATA / f"orders_{count}_seed_{SEED}"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        blocks = list(histories(count))
        order = np.random.default_rng(SEED).permutation(sum(len(block["day"]) for block in blocks))
        for name, kind in (("customer", np.int32), ("day", np.int32), ("amount", np.float64), ("cost", np.float64)):
            np.save(folder / f"orders_{name}", np.concatenate([block[name] for block in blocks]).astype(kind)[order])
        (folder / "complete").touch()
    return folder


def cdnow() -> Path:
    """The 2,357 customers of CDNOW, as lifetimes brings them."""
    folder = DATA / "cdnow"
    if not (folder / "people_age.npy").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([str(reference_python()), "-c", CDNOW, str(folder)], check=True)
    return folder


def purchases_in(folder: Path) -> Purchases:
    return Purchases(*(np.load(folder / f"people_{name}.npy") for name in ("frequency", "recency", "age")))
