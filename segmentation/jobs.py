"""What the value engine does as jobs. Imported by workers only: behind it stand numpy, scipy and lifelines."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from customers.jobs import Progress, handles
from segmentation.engine import replay, runs
from segmentation.models import RuleVersion, Scenario, ValueRun
from segmentation.scenarios import outcome_of


@handles("value-run")
def value_run(progress: Progress, *, as_of: str | None = None, extent: str = ValueRun.Kind.FULL) -> dict[str, Any]:
    """Value the company: anew, or go on where a worker died."""
    job = progress.job
    run = ValueRun.objects.select_related("rules").filter(job=job, state=ValueRun.State.RUNNING).first()
    if run is None:
        try:
            day = date.fromisoformat(as_of) if as_of else timezone.localdate()
            run = runs.begin(as_of=day, kind=extent, by=job.requested_by, job=job)
        except runs.UnderWay:
            return {"skipped": "under_way"}
        except runs.NothingToDo:
            return {"skipped": "nothing_changed"}
    runs.complete(run, progress)
    return result_of(run)


@handles("scenario")
def scenario(progress: Progress, *, scenario: int) -> dict[str, Any]:
    """Compute a saved what-if on its run."""
    found = Scenario.objects.select_related("run__rules").get(pk=scenario)
    found.result = outcome_of(found.run, found.changes)
    found.save(update_fields=["result"])
    return {"scenario": found.pk}


@handles("rules-preview")
def rules_preview(progress: Progress, *, rules: int) -> dict[str, Any]:
    """Who would move under a draft of the rules."""
    return replay.preview(RuleVersion.objects.get(pk=rules))


def result_of(run: ValueRun) -> dict[str, Any]:
    """What a run came to, as the command line and the page of the job show it."""
    return {
        "run": run.pk,
        "as_of": run.as_of.isoformat(),
        "kind": run.kind,
        "customers": run.customers,
        "tiers": {tier: figures["customers"] for tier, figures in run.tiers.items()},
        "equity": run.equity,
        "equity_interval": run.equity_interval,
        "is_indicative": run.is_indicative,
        "seconds": run.seconds,
        "warnings": run.warnings,
    }
