"""The value of the customers that the reader sees: the pyramid, how concentrated it is, who is about to move and who has moved."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from segmentation import actions, figures, portfolio, wording
from segmentation.models import Score, ValueRun
from segmentation.views.pages import newest_page, show
from users.access import Permission, allowed, needs
from users.http import SignedInRequest

WATCHED = 10
APPROVALS = 10
CONCERNS = 6
CONCENTRATION = ("top_20_share", "share_for_80", "top_1_share", "gini", "hhi", "whale_peak")
MOVES_PER_PAGE = 25
GROUP_LABELS = {
    "industry": gettext_lazy("Industry"),
    "region": gettext_lazy("Region"),
    "team": gettext_lazy("Team"),
    "owner": gettext_lazy("Owner"),
}


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def value(request: SignedInRequest) -> HttpResponse:
    reader, run = request.user, ValueRun.current()
    can_run = allowed(reader, Permission.VALUE_RUN)
    context: dict[str, Any] = {"run": run, "can_run": can_run, "can_steer": allowed(reader, Permission.VALUE_STEER)}
    if run is None:
        return show(request, "value.html", context | {"is_under_way": actions.is_under_way()})
    context |= {
        "rules": run.rules,
        "age_days": (timezone.localdate() - run.as_of).days,
        "pyramid": portfolio.pyramid_of(reader),
        "watch": [(score, wording.drivers(score.drivers)[:1]) for score in portfolio.about_to_move(reader, WATCHED)],
        "approvals": portfolio.waiting_for_approval(reader, APPROVALS) if allowed(reader, Permission.TIER_APPROVE) else [],
        "groupings": GROUP_LABELS,
    }
    if context["can_steer"]:
        context |= {
            "concentration": {name: run.concentration.get(name) for name in CONCENTRATION},
            "lorenz": figures.lorenz(run.concentration),
            "whale": figures.whale(run.concentration),
            "equity_80": figures.interval(run.equity_interval.get("80")),
            "equity_95": figures.interval(run.equity_interval.get("95")),
            "method": wording.said(wording.METHODS, run.equity_interval.get("method")),
            "warnings": [wording.warning(one) for one in run.warnings],
            "transitions": figures.transitions(run.fits.get("transitions")),
            "acquisition": run.fits.get("acquisition") or [],
        }
    return show(request, "value.html", context)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def value_groups(request: SignedInRequest) -> HttpResponse:
    """The small table of value by industry, region, team or owner; opened by itself it leads to the page around it."""
    if not request.htmx:
        return redirect("segmentation:value")
    by = request.GET.get("by", "")
    by = by if by in portfolio.GROUPINGS else "industry"
    context = {"groups": portfolio.groups_of(request.user, by), "by": by, "groupings": GROUP_LABELS}
    return render(request, "segmentation/_value_groups.html", context)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def concerns_me(request: SignedInRequest) -> HttpResponse:
    """For the home page: own customers that are about to move, and moves that wait for this person's word."""
    if not request.htmx:
        return redirect("home")
    return render(request, "segmentation/_concerns.html", {"concerns": portfolio.concerns_of(request.user, CONCERNS)})


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def moves(request: SignedInRequest) -> HttpResponse:
    """Who moved in a period and why, and the migration matrix from its beginning to its end."""
    since, until, error = _period(request)
    page = newest_page(request, portfolio.moves_between(request.user, since, until), size=MOVES_PER_PAGE)
    context = {
        "since": since,
        "until": until,
        "error": error,
        "page": page,
        "told": [(decision, wording.drivers(decision.drivers)[:2]) for decision in page.rows],
        "migration": None if request.GET.get("cursor") else portfolio.migrations(request.user, since, until),
        "is_valued": Score.objects.visible_to(request.user).exists(),
        "run_days": _run_days(request),
    }
    return show(request, "moves.html", context)


def _period(request: SignedInRequest) -> tuple[date, date, str]:
    """(the day before it begins, its last day, what is wrong with the address): the last quarter unless said otherwise."""
    usual = portfolio.last_quarter(timezone.localdate())
    asked = [request.GET.get(name, "").strip() for name in ("since", "until")]
    if not any(asked):
        return *usual, ""
    try:
        given = [parse_date(text) if text else None for text in asked]
    except ValueError:
        given = [None, None]
    since, until = given
    if since is None or until is None or since > until:
        return *usual, _("Give a first and a last day; the first is not after the last.")
    return since, until, ""


def _run_days(request: SignedInRequest) -> list[date]:
    """Days of the last runs, offered where a period is asked for."""
    runs = ValueRun.objects.visible_to(request.user).published().full().order_by("-pk").values_list("as_of", flat=True)
    return sorted(set(runs[:24]), reverse=True)


@require_POST
@needs(Permission.VALUE_RUN)
def run_start(request: SignedInRequest) -> HttpResponse:
    try:
        actions.start_run(by=request.user)
    except actions.RunUnderWay:
        messages.info(request, _("A valuation is under way already."))
    else:
        messages.success(request, _("The valuation has begun."))
    return redirect("segmentation:runs")
