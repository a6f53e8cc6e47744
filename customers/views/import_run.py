"""The import wizard: upload, match columns, check, import, result, undo. Each page asks `customers.imports.runs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from customers.forms.import_run import FormForm, HintForm, MappingForm, UploadForm
from customers.imports import again, runs
from customers.imports.problems import BadFile, explain
from customers.models import ImportProblem, ImportRun, SourceSystem
from customers.views.once import done_once, new_token
from users.access import Permission, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of
from users.models import Event
from users.spreadsheets import csv_download

PAGE_SIZE = 25
NEWEST_FIRST = Sort("-id", "id", descending=True)
IN_ORDER = Sort("row", "row_number")
MOST_NAMES = 30  # unknown names offered for a hint
UNKNOWN = ("customer_unknown", "product_unknown", "owner_unknown", "parent_unknown", "superior_unknown", "bad_choice", "bad_country")
State = ImportRun.State


@require_safe
@needs(Permission.IMPORT_RUN)
def import_list(request: SignedInRequest) -> HttpResponse:
    visible = ImportRun.objects.visible_to(request.user).select_related("source", "by").defer("inspection", "mapping", "options")
    return render(request, "customers/import_list.html", {"page": _page(visible, NEWEST_FIRST, request)})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.IMPORT_RUN)
def import_add(request: SignedInRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, initial={"kind": request.GET.get("kind", "")})
    if request.method == "POST" and form.is_valid():
        try:
            return done_once(request, lambda: _upload(request, form))
        except BadFile as error:
            form.add_error("file", str(error))
        except ValidationError as error:
            form.add_error("source", error.messages[0])
    sources = SourceSystem.objects.exclude(code=SourceSystem.STEWARD).values_list("name", flat=True)[:50]
    context = {"form": form, "sources": sources, "once": new_token()}
    return render(request, "customers/import_upload.html", context, status=422 if form.errors else 200)


def _upload(request: SignedInRequest, form: UploadForm) -> str:
    file = form.cleaned_data["file"]
    run = runs.start(by=request.user, kind=form.cleaned_data["kind"], source_code=form.cleaned_data["source"], name=file.name, content=file)
    return reverse("customers:import-columns", args=[run.pk])


@require_safe
@needs(Permission.IMPORT_RUN)
def import_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """Where the run stands: what to do next, how far it is, or what came of it."""
    run = _visible(request, pk)
    if run.state == State.UPLOADED:
        return HttpResponseRedirect(reverse("customers:import-columns", args=[pk]))
    context = _detail_context(request, run)
    if not request.htmx:
        return render(request, "customers/import_detail.html", context)
    if not context["is_working"]:
        return HttpResponseClientRefresh()  # the whole page says another thing now
    return render(request, "customers/import_detail.html#status", context)


def _detail_context(request: SignedInRequest, run: ImportRun) -> dict[str, Any]:
    problems = ImportProblem.objects.filter(run=run)
    chosen = request.GET.get("severity", "")
    if chosen in ImportProblem.Severity:
        problems = problems.filter(severity=chosen)
    page = _page(problems.only("row_number", "column", "value", "code", "parameters", "severity"), IN_ORDER, request)
    job = run.job
    return {
        "run": run,
        "job": job,
        "is_working": job is not None and not job.is_finished,
        "page": page,
        "explained": [(one, explain(one.code, one.parameters)) for one in page.rows],
        "severities": ImportProblem.Severity.choices,
        "severity": chosen,
        "names": _unknown_names(run) if run.state in (State.CHECKED, State.DONE) else [],
        "can_start": run.state in (State.MAPPED, State.CHECKED),
        "can_map": run.state in runs.CAN_BE_MAPPED,
        "can_import_again": run.state in again.ENDED and again.waiting_rows(run).exists(),
        "can_undo": run.state in (State.DONE, State.CANCELLED, State.FAILED) and run.rows_done > 0,
        "step": _step(run),
    }


def _unknown_names(run: ImportRun) -> list[dict[str, Any]]:
    """Names in the file that nobody knows, the most frequent first, each to be explained once for all its rows."""
    problems = ImportProblem.objects.filter(run=run, code__in=UNKNOWN).exclude(value="")
    counted = problems.values_list("value", "column").annotate(rows=Count("pk")).order_by("-rows", "value")
    return [{"value": value, "column": column, "rows": rows} for value, column, rows in counted[:MOST_NAMES]]


def _step(run: ImportRun) -> int:
    return {State.UPLOADED: 2, State.MAPPED: 3, State.CHECKED: 4}.get(State(run.state), 5)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.IMPORT_RUN)
def import_columns(request: SignedInRequest, pk: int) -> HttpResponse:
    """Match the columns of the file with our fields, and say how unclear ones are to be read."""
    run = _visible(request, pk)
    if run.state not in runs.CAN_BE_MAPPED:
        return HttpResponseRedirect(reverse("customers:import", args=[pk]))
    form = MappingForm(request.POST or None, run=run, initial={"match_by": run.options.get("match_by", "")})
    if request.method == "POST" and form.is_valid() and _save_mapping(run, form):
        return HttpResponseRedirect(reverse("customers:import", args=[pk]))
    context = {"run": run, "form": form, "form_form": FormForm(initial=run.inspection["form"]), "step": 2}
    return render(request, "customers/import_columns.html", context, status=422 if form.errors else 200)


def _save_mapping(run: ImportRun, form: MappingForm) -> bool:
    try:
        runs.set_mapping(run, mapping=form.mapping, options=form.options)
    except ValidationError as error:
        form.add_error(None, ValidationError(error.messages))
        return False
    if unclear := runs.unclear_columns(run):
        form.add_error(None, _("Say how these columns are to be read: %(columns)s.") % {"columns": ", ".join(unclear)})
        return False
    runs.launch(run, dry_run=True)
    return True


@require_POST
@needs(Permission.IMPORT_RUN)
def import_reread(request: SignedInRequest, pk: int) -> HttpResponse:
    """Read the file with another encoding or separator."""
    run = _visible(request, pk)
    form = FormForm(request.POST)
    try:
        if form.is_valid():
            runs.reread(run, **form.cleaned_data)
        else:
            messages.error(request, _("This encoding or separator is not known."))
    except (BadFile, ValidationError) as error:
        messages.error(request, error.messages[0] if isinstance(error, ValidationError) else str(error))
    return HttpResponseRedirect(reverse("customers:import-columns", args=[pk]))


@require_POST
@needs(Permission.IMPORT_RUN)
def import_check(request: SignedInRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda run: runs.launch(run, dry_run=True))


@require_POST
@needs(Permission.IMPORT_RUN)
def import_launch(request: SignedInRequest, pk: int) -> HttpResponse:
    return _act(request, pk, runs.launch)


@require_POST
@needs(Permission.IMPORT_RUN)
def import_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    return _act(request, pk, runs.cancel)


@require_POST
@needs(Permission.IMPORT_RUN)
def import_undo(request: SignedInRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda run: runs.launch_undo(run, by=request.user))


def _act(request: SignedInRequest, pk: int, act: Any) -> HttpResponse:
    try:
        act(_visible(request, pk))
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return HttpResponseRedirect(reverse("customers:import", args=[pk]))


@require_POST
@needs(Permission.IMPORT_RUN)
def import_hint(request: SignedInRequest, pk: int) -> HttpResponse:
    """Teach the source what one of its spellings means; the next check or import of its files knows it."""
    run = _visible(request, pk)
    form = HintForm(request.POST)
    if form.is_valid():
        runs.add_hint(run, by=request.user, **form.cleaned_data)
        is_done = run.state == State.DONE
        messages.success(
            request,
            _("Noted. Import the waiting rows again to use it.") if is_done else _("Noted. Check the file again to see what it changes."),
        )
    else:
        messages.error(request, _("Say what the name means."))
    return HttpResponseRedirect(reverse("customers:import", args=[pk]))


@require_POST
@needs(Permission.IMPORT_RUN)
def import_again(request: SignedInRequest, pk: int) -> HttpResponse:
    """The rows that waited for an answer, as an import of their own."""
    run = _visible(request, pk)
    try:
        run = again.import_again(run, by=request.user)
    except ValidationError as refusal:
        messages.info(request, refusal.messages[0])
    return HttpResponseRedirect(reverse("customers:import", args=[run.pk]))


@require_safe
@needs(Permission.IMPORT_RUN)
def import_problems(request: SignedInRequest, pk: int) -> HttpResponseBase:
    """The rows that did not go in, as received and with the reasons: to be mended and imported again."""
    run = _visible(request, pk)
    Event.record(Event.Action.EXPORTED, noun="import_run", by=request.user, object_id=run.pk, label=str(run))
    return csv_download(f"import-{run.pk}-problems.csv", _problem_rows(run))


def _problem_rows(run: ImportRun) -> Iterator[list[str]]:
    columns = [column["name"] for column in run.inspection["columns"]]
    yield [*columns, _("Row"), _("Column"), _("Problem")]
    left_out = ImportProblem.objects.filter(run=run).exclude(severity=ImportProblem.Severity.WARNING)
    for one in left_out.order_by("row_number", "pk").iterator(chunk_size=2000):
        yield [*(one.row.get(name, "") for name in columns), str(one.row_number), one.column, explain(one.code, one.parameters)]


def _visible(request: SignedInRequest, pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.visible_to(request.user).select_related("source", "by", "job"), pk=pk)


def _page(queryset: Any, sort: Sort, request: SignedInRequest) -> Page[Any]:
    try:
        return page_of(queryset, sort, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        return page_of(queryset, sort, size=PAGE_SIZE)
