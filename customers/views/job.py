"""Long work under way: what runs, how far it is, what came of it."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.imports import runs
from customers.models import ImportRun, Job
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of
from users.models import Event

PAGE_SIZE = 30
NEWEST_FIRST = Sort("-id", "id", descending=True)
STOP_POLLING = 286  # htmx's own status: the poll ends


@require_safe
def job_list(request: SignedInRequest) -> HttpResponse:
    jobs = Job.objects.visible_to(request.user).select_related("requested_by").defer("arguments", "result", "error")
    try:
        page = page_of(jobs, NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        page = page_of(jobs, NEWEST_FIRST, size=PAGE_SIZE)
    context = {"page": page, "sees_all": allowed(request.user, Permission.JOB_VIEW_ALL)}
    return render(request, "customers/job_list.html", context)


@require_safe
def job_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    """The page; for htmx, which asks every two seconds while the job goes on, the part that changes."""
    job = get_object_or_404(Job.objects.visible_to(request.user).select_related("requested_by"), pk=pk)
    context: dict[str, Any] = {"job": job, "run": ImportRun.objects.filter(job=job).first(), "result": _told(job)}
    context["can_take"] = bool(job.file) and job.state == Job.State.DONE and allowed(request.user, Permission.PERSON_ERASE)
    if request.htmx:
        return render(request, "customers/job_detail.html#state", context, status=STOP_POLLING if job.is_finished else 200)
    return render(request, "customers/job_detail.html", context)


@require_safe
@needs(Permission.PERSON_ERASE)
def job_file(request: SignedInRequest, pk: int) -> FileResponse:
    """What the job made for taking away: so far, the copy of a person's data."""
    job = get_object_or_404(Job.objects.visible_to(request.user).exclude(file=""), pk=pk, state=Job.State.DONE)
    try:
        file = job.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    Event.record(Event.Action.EXPORTED, noun="job", by=request.user, object_id=job.pk, label=job.title)
    name = f"{job.kind.replace('_', '-')}-{job.pk}{PurePath(str(job.file.name)).suffix}"
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")


@require_POST
def job_cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    run = ImportRun.objects.filter(job=job).select_related("job").first()
    if job.is_finished:
        messages.info(request, _("This job has ended already."))
    elif run:
        runs.cancel(run)
    else:
        job.request_cancel()
    return redirect("customers:job", pk=pk)


def _told(job: Job) -> list[tuple[str, object]]:
    """The plain figures of a job's result; what is nested is for its own page."""
    return [(key.replace("_", " "), value) for key, value in job.result.items() if isinstance(value, int | float | str)]
