"""Valuations of the company: the one under way, those that were, and what each found."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from customers.models import Job
from segmentation import actions, figures, portfolio, wording
from segmentation.models import ValueRun
from segmentation.views.pages import newest_page, show
from users.access import Permission, allowed, needs
from users.http import SignedInRequest

PAGE_SIZE = 30
Stage = ValueRun.Stage


@require_safe
@needs(Permission.VALUE_STEER)
def run_list(request: SignedInRequest) -> HttpResponse:
    """The runs; for htmx, which asks every two seconds while one is under way, the part that changes."""
    job = Job.objects.unfinished().filter(kind=actions.RUN_JOB).order_by("pk").first()
    context: dict[str, Any] = {"job": job, **_stages_of(job), "can_run": allowed(request.user, Permission.VALUE_RUN)}
    if request.htmx and not request.htmx.history_restore_request:
        return HttpResponseClientRefresh() if job is None else render(request, "segmentation/_under_way.html", context)
    runs = ValueRun.objects.visible_to(request.user).select_related("rules", "requested_by").defer("fits", "concentration", "tiers")
    context |= {"page": newest_page(request, runs, size=PAGE_SIZE), "equity": figures.equity(portfolio.equity_over_time(request.user))}
    return show(request, "runs.html", context)


@require_safe
@needs(Permission.VALUE_STEER)
def run_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(ValueRun.objects.visible_to(request.user).select_related("rules", "requested_by", "job"), pk=pk)
    is_running = run.state == ValueRun.State.RUNNING
    context: dict[str, Any] = {"run": run, "job": run.job if is_running else None, **_stages(run)}
    context["can_run"] = allowed(request.user, Permission.VALUE_RUN)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "segmentation/_under_way.html", context) if is_running else HttpResponseClientRefresh()
    context |= {
        "fits": _fits(run),
        "hazards": _hazards(run),
        "warnings": [wording.warning(one) for one in run.warnings],
        "equity_80": figures.interval(run.equity_interval.get("80")),
        "equity_95": figures.interval(run.equity_interval.get("95")),
        "method": wording.said(wording.METHODS, run.equity_interval.get("method")),
        "layers": [(int(tier), one) for tier, one in sorted(run.tiers.items())],
        "back_tests": run.back_tests.order_by("-cut_off"),
    }
    return show(request, "run.html", context)


@require_POST
@needs(Permission.VALUE_RUN)
def run_cancel(request: SignedInRequest) -> HttpResponse:
    """Ask the valuation under way to stop; what others read stays as it was."""
    job = Job.objects.unfinished().filter(kind=actions.RUN_JOB).order_by("pk").first()
    if job is None:
        messages.info(request, _("No valuation is under way."))
    else:
        job.request_cancel()
        messages.success(request, _("The valuation stops at its next safe point; what stood before stands."))
    return redirect("segmentation:runs")


def _stages_of(job: Job | None) -> dict[str, Any]:
    run = ValueRun.objects.filter(job=job).first() if job else None
    return {"running": run, **_stages(run)} if run else {"running": None}


def _stages(run: ValueRun) -> dict[str, Any]:
    """Each stage with its seconds, and how it stands: done, now or to come."""
    order = list(Stage.values)
    at = order.index(run.stage) if run.state == ValueRun.State.RUNNING else len(order)
    stages = [
        (label, run.seconds.get(stage), "done" if place < at or stage in run.seconds else "now" if place == at else "")
        for place, (stage, label) in enumerate(Stage.choices)
    ]
    return {"stages": stages, "seconds": sum(value for value in run.seconds.values() if isinstance(value, int | float))}


def _fits(run: ValueRun) -> list[dict[str, Any]]:
    """What was fitted, each with the models that were tried, the chosen one first."""
    found = []
    for subject, label in wording.SUBJECTS.items():
        fitted = run.fits.get(subject) or {}
        models, chosen = fitted.get("models") or {}, fitted.get("chosen")
        if fitted and subject != "hazards":
            rows = [
                _model(name, model, is_chosen=name == chosen) for name, model in sorted(models.items(), key=lambda one: one[0] != chosen)
            ]
            found.append({"key": subject, "label": label, "why": wording.said(wording.REASONS, fitted.get("why")), "models": rows})
    return found


def _model(name: str, model: dict[str, Any], *, is_chosen: bool) -> dict[str, Any]:
    errors = model.get("se") or {}
    return {
        "name": wording.MODELS.get(name, name),
        "is_chosen": is_chosen,
        "params": [(key, value, errors.get(key)) for key, value in (model.get("params") or {}).items()],
        "log_likelihood": model.get("log_likelihood"),
        "aic": model.get("aic"),
        "converged": model.get("converged"),
        "status": "" if model.get("status") == "not_converged" else wording.said(wording.STATUSES, model.get("status")),
        "notes": model.get("notes") or [],
    }


def _hazards(run: ValueRun) -> dict[str, Any]:
    """What raises the risk that a contract is not renewed, by Cox's model."""
    found = run.fits.get("hazards") or {}
    errors = found.get("se") or {}
    rows = [(wording.said(wording.COVARIATES, name), value, errors.get(name)) for name, value in (found.get("coefficients") or {}).items()]
    return {**found, "rows": rows, "status_text": wording.said(wording.STATUSES, found.get("status"))} if found else {}
