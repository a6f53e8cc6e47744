"""Small files of the tests, and a way to import them without a worker."""

from __future__ import annotations

import io
from typing import Any

from django.db import transaction

from customers.imports import runs
from customers.models import ImportProblem, ImportRun
from users.models import User


def upload(content: str | bytes, kind: str, *, by: User | None, source: str = "erp", name: str = "file.csv") -> ImportRun:
    raw = content.encode() if isinstance(content, str) else content
    return runs.start(by=by, kind=kind, source_code=source, name=name, content=io.BytesIO(raw))


def run_file(
    content: str | bytes,
    kind: str,
    *,
    by: User | None,
    source: str = "erp",
    mapping: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
) -> ImportRun:
    run = upload(content, kind, by=by, source=source)
    runs.set_mapping(run, mapping=mapping or run.mapping, options=options)
    begin(run)
    runs.work(run, lambda _done: None)
    run.refresh_from_db()
    return run


def begin(run: ImportRun) -> None:
    with transaction.atomic():
        runs._begin(runs._ready_run(run))
    run.refresh_from_db()


def counts(run: ImportRun) -> dict[str, int]:
    return {name: count for name, count in run.counts.items() if count}


def problems(run: ImportRun) -> list[tuple[int, str, str]]:
    return list(ImportProblem.objects.filter(run=run).values_list("row_number", "column", "code"))
