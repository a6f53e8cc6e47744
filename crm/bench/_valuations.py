"""Valuations that are measured, each in a process of its own, see `_rescore.py`; and pandas with lifetimes beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from crm.bench._contest import ONE_THREAD, Contender, run_contender
from crm.bench._orders_company import orders_company_of
from crm.bench._people import orders_of
from crm.house.home import ROOT


@dataclass(frozen=True)
class Valuation:
    stages: dict[str, tuple[float, float]]  # name → CPU seconds of the worker and of its backend
    peak_mb: float  # of the worker
    customers: int

    @property
    def cpu(self) -> float:
        return sum(sum(both) for both in self.stages.values())

    def tell(self, title: str) -> None:
        print(f"\n{title}: {self.cpu:.2f} CPU s, peak {self.peak_mb:.0f} MB")
        for stage, (worker, backend) in self.stages.items():
            print(f"  {stage:<22} worker {worker:8.2f}  PostgreSQL {backend:8.2f}", flush=True)


def value(customers: int, how: str, changed: int = 0) -> Valuation:
    """Run a valuation of the company with so many customers: "first", "full", "again" or "changed"."""
    environment = os.environ | ONE_THREAD | {"DATABASE_URL": orders_company_of(customers)}
    command = [sys.executable, "-m", "crm.bench._rescore", how, str(changed)]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return Valuation({name: (both[0], both[1]) for name, both in found["stages"].items()}, found["peak_mb"], found["customers"])


def by_pandas_and_lifetimes(customers: int) -> tuple[float, float]:
    """CPU seconds to get the orders out of PostgreSQL into a table of pandas, both sides; and from such a table to tiers."""
    folder = str(orders_of(customers))
    database = {"DATABASE_URL": orders_company_of(customers)}
    reading = run_contender(Contender("pandas reads", ("_orders_in_pandas", "read", folder), is_reference=False), database)
    return reading["cpu"], run_contender(Contender("lifetimes", ("_models_in_memory", "lifetimes-whole", folder)))["cpu"]
