"""Rows that waited for an answer, imported again once somebody has given it.

They become the file of a run of their own, so checks, progress, result and undo are those of any import, and a row that is
there already is found by its key. When that run is done the old questions count as resolved: what is still open it has asked
anew. When it fails, is cancelled or undone they come back.
"""

from __future__ import annotations

import csv
import io
import tempfile
from typing import IO

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from customers.imports import parents, runs, superiors
from customers.imports.reading import Form
from customers.models import Customer, ImportProblem, ImportRun
from customers.models.import_run import ImportProblemQuerySet
from users.models import User

NAMES_A_CUSTOMER = ("customer_unknown", "customer_unclear", "parent_unknown", "parent_unclear")
CODES = (*NAMES_A_CUSTOMER, *parents.CODES, *superiors.CODES)  # questions that another look may find answered
ENDED = (ImportRun.State.DONE, ImportRun.State.FAILED, ImportRun.State.CANCELLED)
FORM = Form("csv", "utf-8", ",")


def waiting_rows(run: ImportRun) -> ImportProblemQuerySet:
    """The questions of a run that another look may find answered."""
    return ImportProblem.objects.filter(run=run, code__in=CODES).to_do()


@transaction.atomic
def say_which_customer(problem: ImportProblem, *, by: User, customer: Customer) -> None:
    """Teach the row's source whom it means by the name that nobody knew; for all rows and files of that source."""
    if problem.code not in NAMES_A_CUSTOMER or not problem.value:
        raise ValidationError({"customer": _("This row does not ask for a customer.")})
    runs.add_hint(problem.run, by=by, spelling=problem.value, meaning=customer.number)


@transaction.atomic
def import_again(run: ImportRun, *, by: User) -> ImportRun:
    """Start a run over the rows of this one that wait; raises ValidationError where none does."""
    run = ImportRun.objects.select_related("source").select_for_update(of=("self",)).get(pk=run.pk)
    runs.demand(run, ENDED)
    if not waiting_rows(run).exists():
        raise ValidationError({"state": _("No row of this import waits for an answer.")})
    with tempfile.TemporaryFile() as content:
        _write_rows(run, content)
        again = ImportRun(
            kind=run.kind, source=run.source, by=by, file_name=run.file_name, mapping=run.mapping, state=ImportRun.State.MAPPED
        )
        again.inspection = {**run.inspection, **runs.inspect(content, FORM), "columns": run.inspection["columns"]}
        again.options = {**run.options, "again": run.pk}
        again.options.pop("undone_to", None)
        again.file_size = content.seek(0, io.SEEK_END)
        content.seek(0)
        again.file.save(f"{run.kind}.csv", File(content), save=False)
    try:
        again.save()
        waiting_rows(run).update(again_in=again)
        runs.launch(again)
    except Exception:
        again.file.delete(save=False)  # the rows go with the transaction, the file does not
        raise
    again.refresh_from_db()
    return again


def _write_rows(run: ImportRun, content: IO[bytes]) -> None:
    """The waiting rows as received, each once, in the order of the file."""
    columns = [column["name"] for column in run.inspection["columns"]]
    text = io.TextIOWrapper(content, encoding=FORM.encoding, newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    rows = waiting_rows(run).order_by("row_number", "pk").distinct("row_number").values_list("row", flat=True)
    for row in rows.iterator(chunk_size=2000):
        writer.writerow([row.get(name, "") for name in columns])
    text.flush()
    text.detach()
