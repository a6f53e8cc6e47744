"""What the value engine does as jobs. Imported by workers only: behind it stand numpy, scipy and lifelines."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from customers.jobs import Progress, handles
from segmentation import segments
from segmentation.engine import runs
from segmentation.models import ValueRun


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
    segments.refresh_soon(by=job.requested_by)
    return result_of(run)


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


@handles(segments.REFRESH_JOB)
def refresh_segments(progress: Progress, *, segment_ids: list[int] | None = None) -> dict[str, Any]:
    """Work out who is in which segment, one after the other: it may be stopped between two, or begun again after its worker died."""
    due = segments.refresh_order(segment_ids)
    progress.tick(0, total=len(due))
    refreshed = entered = left = 0
    for done, pk in enumerate(due, 1):
        if (result := segments.refresh_membership(pk)) is not None:
            refreshed, entered, left = refreshed + 1, entered + result.entered, left + result.left
        progress.tick(done)
    return {"segments": refreshed, "entered": entered, "left": left}
