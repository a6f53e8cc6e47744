"""An import run from upload to undo: each step is a function here, called by the pages, the API and the command line alike."""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.imports import reading
from customers.imports.chunks import Engine, Tell
from customers.imports.fields import DAY, DECIMAL, MATCHED_BY, MOMENT, WHOLE, fields_of
from customers.imports.memory import merged, propose, remember, usual_match
from customers.imports.parents import CODES as PARENT_CODES
from customers.imports.parents import tie_parents
from customers.imports.problems import BadFile
from customers.imports.reading import Form
from customers.imports.superiors import CODES as SUPERIOR_CODES
from customers.imports.superiors import tie_superiors
from customers.maths.written_forms import MARKS, ORDERS, read_column
from customers.models import ImportProblem, ImportRun, Job, SourceSystem
from users.models import Event, Team, User

ROWS_EXAMINED = 10_000  # from which the form of numbers and days is told
ROWS_SHOWN = 5
State = ImportRun.State
CAN_BE_MAPPED = (State.UPLOADED, State.MAPPED, State.CHECKED, State.FAILED, State.CANCELLED)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "big5", "cp1252", "latin-1", "cp1250", "cp932")


@transaction.atomic
def start(*, by: User | None, kind: str, source_code: str, name: str, content: IO[bytes]) -> ImportRun:
    """Keep the file and say what it looks like; the mapping is what this source's last file had, else a guess.

    Raises BadFile where it is no table. `kind` is an ImportRun.Kind; a source that is not known yet is made.
    """
    if kind not in ImportRun.Kind:
        raise ValidationError({"kind": _("One of: %(choices)s.") % {"choices": ", ".join(ImportRun.Kind.values)}})
    if by is None and not Team.objects.exists():
        raise BadFile(_("There is no team yet that a record could belong to: make one first."))
    form = reading.detect(content)
    inspection = inspect(content, form)
    source = _source(source_code)
    run = ImportRun(kind=kind, source=source, by=by, file_name=Path(name).name[:200] or "file", inspection=inspection)
    run.file_size = content.seek(0, io.SEEK_END)
    content.seek(0)
    run.file.save(f"{kind}.{form.type}", File(content), save=False)  # our own name: theirs is only shown
    propose(run)
    run.save()
    return run


def inspect(content: IO[bytes], form: Form) -> dict[str, Any]:
    """What the file looks like: its form, its columns, how each writes numbers and days, and its first rows."""
    columns = reading.header(content, form)
    sample = [cells for _number, cells in itertools.islice(reading.rows(content, form), ROWS_EXAMINED)]
    described = []
    for place, name in enumerate(columns):
        values = [cells[place] for cells in sample if place < len(cells)]
        examples = list(dict.fromkeys(value.replace("\x00", "␀")[:80] for value in values if value.strip()))[:3]
        described.append({"name": name, "examples": examples, **asdict(read_column(values))})
    shown = [[cell.replace("\x00", "␀")[:80] for cell in cells[: len(columns)]] for cells in sample[:ROWS_SHOWN]]
    return {"form": asdict(form), "columns": described, "rows": shown}


@transaction.atomic
def reread(run: ImportRun, *, encoding: str, separator: str) -> None:
    """Read the file again in another encoding or with another separator; raises BadFile where it does not fit."""
    demand(run, CAN_BE_MAPPED)
    if encoding not in ENCODINGS or separator not in reading.SEPARATORS:
        raise BadFile(_("This encoding or separator is not known."))
    with run.file.open("rb") as content:
        run.inspection = inspect(content, Form("csv", encoding, separator))
    propose(run)
    run.state = State.UPLOADED
    run.save(update_fields=["inspection", "mapping", "options", "state"])


def unclear_columns(run: ImportRun) -> dict[str, dict[str, Any]]:
    """Mapped columns whose numbers or days can be read in several ways, and for which nobody has said which yet."""
    fields = fields_of(run.kind)
    open_questions = {}
    for column in run.inspection["columns"]:
        one = fields.get(run.mapping.get(column["name"], ""))
        given = run.options.get("columns", {}).get(column["name"], {})
        if one is None or not column["unclear"]:
            continue
        if (one.holds in (DAY, MOMENT) and not given.get("order")) or (one.holds in (DECIMAL, WHOLE) and not given.get("mark")):
            open_questions[column["name"]] = column
    return open_questions


@transaction.atomic
def set_mapping(run: ImportRun, *, mapping: dict[str, str], options: dict[str, Any] | None = None) -> None:
    """Say which column holds what. `options`: match_by (a field) and columns ({column: {order, mark, scale}}).

    Raises ValidationError naming what is wrong: an unknown column or field, a field twice, a required one missing.
    """
    demand(run, CAN_BE_MAPPED)
    fields = fields_of(run.kind)
    columns = [column["name"] for column in run.inspection["columns"]]
    mapping = {column: name for column, name in mapping.items() if name}
    errors = [_("The file has no column %(name)s.") % {"name": name} for name in mapping if name not in columns]
    errors += [_("There is no field %(name)s.") % {"name": name} for name in mapping.values() if name not in fields]
    doubles = {name for name in mapping.values() if list(mapping.values()).count(name) > 1}
    errors += [_("Two columns are matched to %(field)s.") % {"field": fields[name].label} for name in doubles if name in fields]
    missing = [one.label for one in fields.values() if one.required and one.name not in mapping.values()]
    errors += [_("No column is matched to %(field)s.") % {"field": label} for label in missing]
    given = _checked_options(options or {}, columns)
    run.options = {**run.options, **given, "columns": merged(run.options.get("columns", {}), given.get("columns", {}))}
    run.mapping = mapping
    if run.options.get("match_by") not in mapping.values():
        run.options["match_by"] = usual_match(run)
    if run.options["match_by"] not in MATCHED_BY[run.kind]:
        names = ", ".join(str(fields[name].label) for name in MATCHED_BY[run.kind] if name in fields)
        errors.append(_("Match a column that identifies each row: %(fields)s.") % {"fields": names})
    if errors:
        raise ValidationError({"mapping": errors})
    run.state = State.MAPPED
    run.counts = {}
    run.save(update_fields=["mapping", "options", "state", "counts"])
    remember(run)


@transaction.atomic
def add_hint(run: ImportRun, *, by: User | None, spelling: str, meaning: str) -> None:
    """Teach the run's source what one of its spellings means."""
    source = SourceSystem.objects.select_for_update().get(pk=run.source_id)
    before = source.hints.get(spelling)
    source.hints = source.hints | {spelling: meaning}
    source.save(update_fields=["hints"])
    changes = {spelling: [before, meaning]}
    Event.record(Event.Action.CHANGED, noun="source_system", by=by, object_id=source.pk, label=str(source), changes=changes)


def launch(run: ImportRun, *, dry_run: bool = False) -> Job:
    """Queue the check of the whole file, or the import itself; raises ValidationError where the run is not ready for it."""
    title = _("Check of %(file)s") if dry_run else _("Import of %(file)s")
    with transaction.atomic():
        run = _ready_run(run)
        if run.job and not run.job.is_finished:
            raise ValidationError({"state": _("The check of this file is still under way.")})
        if not dry_run:
            _begin(run)
        kind = "check_import" if dry_run else "import"
        run.job = Job.start(kind, by=run.by, title=title % {"file": run.file_name}, run_id=run.pk)
        run.save(update_fields=["job"])
    return run.job


def cancel(run: ImportRun) -> None:
    """Stop after the chunk that is under way; what is written stays, and can be undone."""
    if run.job:
        run.job.request_cancel()
        settle_abandoned()


@transaction.atomic
def launch_undo(run: ImportRun, *, by: User | None) -> Job:
    """Queue the taking back of what the run did."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    demand(run, (State.DONE, State.CANCELLED, State.FAILED))
    run.state = State.UNDOING
    run.job = Job.start("undo_import", by=by, title=_("Undo of the import of %(file)s") % {"file": run.file_name}, run_id=run.pk)
    run.save(update_fields=["state", "job"])
    return run.job


def import_path(
    path: Path,
    *,
    kind: str,
    source_code: str,
    by: User | None,
    mapping: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    dry_run: bool = False,
    tell: Tell = lambda _done: None,
) -> ImportRun:
    """Import a file here and now, as the command line and the demo do. Raises BadFile and ValidationError."""
    with path.open("rb") as content:
        run = start(by=by, kind=kind, source_code=source_code, name=path.name, content=content)
    set_mapping(run, mapping=mapping or run.mapping, options=options or {})
    with transaction.atomic():
        run = _ready_run(run)
        if not dry_run:
            _begin(run)
    (check if dry_run else work)(run, tell)
    run.refresh_from_db()
    return run


def check(run: ImportRun, tell: Tell) -> None:
    """Validate the file and count what its import would do now. Safe to run again: the last check's findings go."""
    ImportProblem.objects.filter(run=run).delete()
    engine = _engine(run)
    counts = engine.check(tell)
    updated = ImportRun.objects.filter(pk=run.pk, state__in=CAN_BE_MAPPED).update(
        state=State.CHECKED, counts=dict(counts), rows_total=sum_rows(run)
    )
    if updated:
        run.refresh_from_db()


def work(run: ImportRun, tell: Tell) -> None:
    """Do the rows that are still to be done, and end the run."""
    engine = _engine(run)
    engine.work(tell)
    tie_parents(engine, tell)
    tie_superiors(engine, tell)
    with transaction.atomic():
        run = ImportRun.objects.select_for_update().get(pk=run.pk)
        if run.state == State.RUNNING:
            finish(run, State.DONE)
    _analyze()


def finish(run: ImportRun, state: str) -> None:
    """Leave the run in its last state, and on record."""
    run.state, run.finished_at = state, timezone.now()
    orphans = ImportProblem.objects.filter(run=run, code__in=PARENT_CODES + SUPERIOR_CODES).count()
    run.counts = {**run.counts, "to_do": run.counts.get("to_do", 0) + orphans}
    run.save(update_fields=["state", "finished_at", "counts"])
    _settle_what_it_took_up(run)
    action = Event.Action.IMPORTED if state == State.DONE else Event.Action.CHANGED
    Event.record(action, noun="import_run", by=run.by, object_id=run.pk, label=str(run), changes={"counts": [None, run.counts]})


def _settle_what_it_took_up(run: ImportRun) -> None:
    """The questions of an earlier run whose rows this one imported again: answered, or asked anew by this one; else open as before."""
    taken_up = ImportProblem.objects.filter(again_in=run, resolved_at=None)
    if run.state == State.DONE:
        taken_up.update(resolved_at=run.finished_at, resolved_by=run.by)
    else:
        taken_up.update(again_in=None)


def settle_abandoned() -> None:
    """End the runs whose job has ended without them: cancelled while it waited, or given up after its workers died."""
    ended = {Job.State.CANCELLED: State.CANCELLED, Job.State.FAILED: State.FAILED}
    for run in ImportRun.objects.filter(state__in=[State.RUNNING, State.UNDOING], job__state__in=ended).select_related("job"):
        with transaction.atomic():
            locked = ImportRun.objects.select_for_update().get(pk=run.pk)
            if run.job and locked.state == run.state:
                finish(locked, ended[Job.State(run.job.state)])


def sum_rows(run: ImportRun) -> int:
    with run.file.open("rb") as content:
        return reading.count_rows(content, Form(**run.inspection["form"]))


def _engine(run: ImportRun) -> Engine:
    return Engine(run, [column["name"] for column in run.inspection["columns"]])


def _ready_run(run: ImportRun) -> ImportRun:
    """The run, locked, if it can be checked or started."""
    run = ImportRun.objects.select_related("source", "by", "job").select_for_update(of=("self",)).get(pk=run.pk)
    demand(run, (State.MAPPED, State.CHECKED))
    if unclear := unclear_columns(run):
        names = ", ".join(_question(column) for column in unclear.values())
        raise ValidationError({"options": _("Say how these columns are to be read: %(columns)s.") % {"columns": names}})
    return run


def _question(column: dict[str, Any]) -> str:
    """The column with a value that can be read in several ways, and the ways, as the options name them."""
    return f"{column['name']} ({column['unclear'][0]}: {' / '.join(column['orders'] or column['marks'])})"


def _begin(run: ImportRun) -> None:
    ImportProblem.objects.filter(run=run).delete()
    run.state, run.rows_done, run.counts, run.rows_total = State.RUNNING, 0, {}, sum_rows(run)
    run.save(update_fields=["state", "rows_done", "counts", "rows_total"])


def demand(run: ImportRun, states: tuple[str, ...]) -> None:
    if run.state not in states:
        raise ValidationError({"state": _("This import is in the state “%(state)s”.") % {"state": run.get_state_display()}})


def _source(code: str) -> SourceSystem:
    code = code.strip().lower()
    source = SourceSystem.objects.filter(code=code).first()
    if source is None:
        source = SourceSystem(code=code, name=code)
        source.full_clean()
        source.save()
    if code == SourceSystem.STEWARD:
        raise ValidationError({"source": _("This source is for what people enter here; give the file's source a name of its own.")})
    return source


def _checked_options(options: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """The options with everything in them known; a wrong one is named."""
    checked: dict[str, Any] = {}
    if "match_by" in options:
        checked["match_by"] = str(options["match_by"])
    given = options.get("columns", {})
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        raise ValidationError({"options": _("columns must say {column: {order, mark, scale}}.")})
    for column, one in given.items():
        fits = one.get("order", "") in ("", *ORDERS) and one.get("mark", "") in ("", *MARKS) and _is_scale(one.get("scale", 1))
        if column not in columns or not fits:
            raise ValidationError({"options": _("The options of column %(name)s are not known.") % {"name": column}})
    if given:
        checked["columns"] = {column: {name: str(value) for name, value in one.items()} for column, one in given.items()}
    return checked


def _is_scale(value: Any) -> bool:
    try:
        return 0 < float(value) <= 1e12
    except (TypeError, ValueError):
        return False


def _analyze() -> None:
    """Let the planner know of many new rows at once, rather than when autovacuum comes by."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE customers_customer, customers_contact, customers_order, customers_contactpoint")


def read_mapping_file(path: Path) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """A mapping written as JSON: {"columns": {column: field}, "options": {…}, "hints": {spelling: meaning}}."""
    try:
        given = json.loads(path.read_text("utf-8"))
        mapping, options, hints = given["columns"], given.get("options", {}), given.get("hints", {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadFile(_("The mapping file %(name)s is not readable: %(reason)s") % {"name": path.name, "reason": error}) from error
    if not all(isinstance(one, dict) for one in (mapping, options, hints)):
        raise BadFile(_("The mapping file %(name)s needs objects for columns, options and hints.") % {"name": path.name})
    return {str(k): str(v) for k, v in mapping.items()}, options, {str(k): str(v) for k, v in hints.items()}
