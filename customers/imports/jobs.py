"""Imports as jobs: checked, run and undone by a worker. Each may be killed at any point and is then taken up again."""

from __future__ import annotations

from typing import Any

from customers.imports import runs, undoing
from customers.imports.chunks import Superseded
from customers.jobs import Cancelled, Progress, handles
from customers.models import ImportRun

State = ImportRun.State


@handles("check_import")
def check_import(progress: Progress, run_id: int) -> dict[str, Any]:
    run = _run(run_id)
    progress.tick(0, total=runs.sum_rows(run), stage="check")
    runs.check(run, progress.tick)
    return {"counts": run.counts}


@handles("import")
def do_import(progress: Progress, run_id: int) -> dict[str, Any]:
    run = _run(run_id)
    if run.state != State.RUNNING:
        return {"counts": run.counts}
    progress.tick(run.rows_done, total=run.rows_total, stage="import")
    try:
        runs.work(run, progress.tick)
    except Cancelled:
        runs.finish(_run(run_id), State.CANCELLED)
        raise
    except Superseded:
        return {}
    except Exception:
        runs.finish(_run(run_id), State.FAILED)  # what is written stays, and can be undone or gone on with
        raise
    return {"counts": _run(run_id).counts}


@handles("undo_import")
def undo_import(progress: Progress, run_id: int) -> dict[str, Any]:
    try:
        return undoing.undo(_run(run_id), progress.tick)
    except Exception:
        runs.finish(_run(run_id), State.FAILED)
        raise


def _run(run_id: int) -> ImportRun:
    return ImportRun.objects.select_related("source", "by").get(pk=run_id)
