"""The process of a valuation that is measured: `python -m crm.bench._rescore HOW CHANGED`, on the company of DATABASE_URL.

HOW is "first" (nothing has ever been valued, the monthly values are empty), "full" (the same with monthly values that stand),
"again" (a second run over the first one's scores) or "changed" (some customers). Prints JSON: CPU seconds of this process and of
its backend by stage, and the peak of this process's memory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

import django

django.setup()

from django.db import connection  # noqa: E402  (after setup)

from crm.bench._orders_company import AS_OF  # noqa: E402
from customers.jobs import Progress  # noqa: E402
from customers.models import Customer, Job  # noqa: E402
from segmentation.engine import runs  # noqa: E402
from segmentation.models import Stale, ValueRun  # noqa: E402

FORGET = """
    UPDATE customers_job SET state = 'cancelled' WHERE state IN ('waiting', 'running');
    TRUNCATE segmentation_stale, segmentation_score, segmentation_contractoutlook, segmentation_tierdecision, segmentation_runshard,
        segmentation_backtest, segmentation_valuerun CASCADE;
"""
NOTE_ALL = "TRUNCATE segmentation_monthlyvalue; INSERT INTO segmentation_stale (customer_id) SELECT id FROM customers_customer"
# Notes as the triggers write them, of customers spread over the whole company.
NOTE_SOME = """
    TRUNCATE segmentation_stale;
    INSERT INTO segmentation_stale (customer_id)
    SELECT id FROM customers_customer WHERE id %% (SELECT max(id) / %(count)s FROM customers_customer) = 0 ORDER BY id LIMIT %(count)s
"""
TABLES = ("segmentation_score", "segmentation_tierdecision", "segmentation_monthlyvalue", "segmentation_stale", "segmentation_runshard")


@dataclass
class Watch(Progress):
    """Hears of each stage's beginning, and looks at the clocks."""

    job: Job
    stages: dict[str, list[float]] = field(default_factory=dict)  # name → CPU seconds here and in the backend
    stage: str = ""
    seen: tuple[float, float] = (0.0, 0.0)

    def tick(self, done: int, *, total: int | None = None, stage: str | None = None) -> None:
        if stage is not None:
            self.begin(stage)

    def begin(self, stage: str) -> None:
        now = cpu()
        if self.stage:
            self.stages[self.stage] = [round(after - before, 3) for after, before in zip(now, self.seen, strict=True)]
        self.stage, self.seen = stage, cpu()


def cpu() -> tuple[float, float]:
    """CPU seconds so far of this process, and of the process of PostgreSQL that works for it."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    backend = connection.connection.info.backend_pid
    return usage.ru_utime + usage.ru_stime, int(Path(f"/proc/{backend}/schedstat").read_text().split()[0]) / 1e9


def main(how: str, changed: int) -> None:
    execute("SET max_parallel_workers_per_gather = 0; SET statement_timeout = 0")  # a helper's CPU would not be seen
    prepare(how, changed)
    job = Job.objects.create(kind="value-run", title="bench", state=Job.State.RUNNING)
    watch = Watch(job)
    watch.begin("begin")
    kind = ValueRun.Kind.CHANGED if how == "changed" else ValueRun.Kind.FULL
    run = runs.begin(as_of=AS_OF, kind=kind, by=None, job=job)
    runs.complete(run, watch)
    watch.begin("")
    job.finish(Job.State.DONE, result={})
    assert run.kind == kind
    print(json.dumps({"stages": watch.stages, "seconds": run.seconds, **outcome(run)}))


def outcome(run: ValueRun) -> dict[str, Any]:
    peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return {"peak_mb": peak, "customers": run.customers, "equity": run.equity, "tiers": {t: f["customers"] for t, f in run.tiers.items()}}


def prepare(how: str, changed: int) -> None:
    if how in ("first", "full"):
        execute(FORGET)
    if how == "first":
        execute(NOTE_ALL)
    if how == "changed":
        execute(NOTE_SOME, {"count": changed})
        assert Stale.objects.count() == min(changed, Customer.objects.count())
    execute(f"VACUUM ANALYZE {', '.join(TABLES)}")  # what autovacuum would have done in the meantime


def execute(statement: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0)
