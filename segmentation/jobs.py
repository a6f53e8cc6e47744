"""What the value engine does as jobs. Imported by workers only: behind it stand numpy, scipy and lifelines."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone

from customers.jobs import Progress, handles
from segmentation import segments
from segmentation.engine import replay, runs
from segmentation.engine.migrating import note_transitions
from segmentation.growth import estimate_growth
from segmentation.models import RuleVersion, Scenario, ValueRun
from segmentation.scenarios import outcome_of


@handles("value-run")
def value_run(progress: Progress, *, as_of: str | None = None, extent: str = ValueRun.Kind.FULL) -> dict[str, Any]:
    """Value the company: anew, or go on where a worker died."""
    day = date.fromisoformat(as_of) if as_of else timezone.localdate()
    try:
        run = _unfinished(progress) or runs.begin(as_of=day, kind=extent, by=progress.job.requested_by, job=progress.job)
    except runs.UnderWay:
        return {"skipped": "under_way"}
    except runs.NothingToDo:
        return {"skipped": "nothing_changed"}
    runs.complete(run, progress)
    if run.kind == ValueRun.Kind.FULL:
        estimate_growth(run)
        note_transitions(run)
    segments.refresh_soon(by=progress.job.requested_by)
    return result_of(run)


@handles("value-history")
def value_history(progress: Progress, *, days: list[str]) -> dict[str, Any]:
    """Value the company as of several days of its past and today, so that it begins with a history of its tiers."""
    run = _unfinished(progress)
    if run is not None:
        runs.complete(run, progress)
    done = {day.isoformat() for day in ValueRun.objects.published().filter(job=progress.job).values_list("as_of", flat=True)}
    for day in [date.fromisoformat(day) for day in days if day not in done]:
        run = runs.begin(as_of=day, kind=ValueRun.Kind.FULL, by=progress.job.requested_by, job=progress.job)
        runs.complete(run, progress)
    if run is not None:
        estimate_growth(run)
        note_transitions(run)
    return {"days": days}


def _unfinished(progress: Progress) -> ValueRun | None:
    """The run that this job had begun when its worker died."""
    return ValueRun.objects.select_related("rules").filter(job=progress.job, state=ValueRun.State.RUNNING).first()


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
