"""What if retention, margin, cost or interest were others: scenarios, kept with what really came."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from customers.views.once import done_once, new_token
from segmentation import actions, figures, portfolio, wording
from segmentation.forms.what_if import RETENTION, ScenarioForm
from segmentation.models import Scenario, Tier, ValueRun
from segmentation.views.pages import STOP_POLLING, newest_page, show
from users.access import Permission, needs
from users.http import SignedInRequest
from users.marks import percent

PAGE_SIZE = 20


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.VALUE_STEER)
def what_if(request: SignedInRequest) -> HttpResponse:
    run = ValueRun.current()
    form = ScenarioForm(request.POST if request.method == "POST" else None)

    def save() -> str:
        scenario = actions.save_scenario(by=request.user, name=form.cleaned_data["name"], changes=form.changes())
        return reverse("segmentation:scenario", args=[scenario.pk])

    if run and form.is_bound and form.is_valid():
        return done_once(request, save)
    if run is None and form.is_bound:
        messages.error(request, _("There is no valuation yet to think on from."))
    scenarios = Scenario.objects.visible_to(request.user).select_related("by", "run", "job")
    page = newest_page(request, scenarios, size=PAGE_SIZE)
    context = {
        "run": run,
        "form": form,
        "retention": [form[f"{RETENTION}{tier.value}"] for tier in Tier],
        "once": new_token(),
        "page": page,
        "told": [(one, changes_of(one), _difference(one)) for one in page.rows],
    }
    return show(request, "what_if.html", context, status=422 if form.is_bound else 200)


@require_safe
@needs(Permission.VALUE_STEER)
def scenario(request: SignedInRequest, pk: int) -> HttpResponse:
    """A scenario: what it changes, what would come of it by tier, and what came since."""
    found = get_object_or_404(Scenario.objects.visible_to(request.user).select_related("by", "run__rules", "job"), pk=pk)
    is_working = found.job is not None and not found.job.is_finished
    context: dict[str, Any] = {
        "scenario": found,
        "job": found.job,
        "is_working": is_working,
        "changes": changes_of(found),
        "difference": _difference(found),
        "rows": _rows(found),
        "actual": portfolio.what_came(found.run.as_of, request.user),
    }
    if request.htmx:
        return render(request, "segmentation/_scenario_result.html", context, status=200 if is_working else STOP_POLLING)
    return show(request, "scenario.html", context)


def changes_of(scenario: Scenario) -> list[str]:
    """What is different in it, in words."""
    changes, said = scenario.changes, []
    for tier, points in sorted((changes.get("retention") or {}).items()):
        said.append(_("Retention in %(tier)s %(points)s points") % {"tier": wording.tier_name(int(tier)), "points": _signed(points, "")})
    if changes.get("margin"):
        said.append(_("Margin %(change)s") % {"change": _signed(changes["margin"], "%")})
    if changes.get("serving_cost"):
        said.append(_("Serving cost %(change)s") % {"change": _signed(changes["serving_cost"], "%")})
    if changes.get("discount_rate") is not None:
        said.append(_("Discount rate %(rate)s a year") % {"rate": percent(changes["discount_rate"], 1)})
    return said


def _signed(share: float, unit: str) -> str:
    return f"{100 * share:+.1f}".rstrip("0").rstrip(".").replace("-", "−") + unit


def _difference(scenario: Scenario) -> float | None:
    result = scenario.result
    return result["then"]["equity"] - result["now"]["equity"] if result.get("then") and result.get("now") else None


def _rows(scenario: Scenario) -> list[dict[str, Any]]:
    """Each tier and all together, now and then."""
    result = scenario.result
    if not result.get("then"):
        return []
    rows = [
        {"tier": int(tier), "now": one["now"], "then": one["then"], "change": one["then"] - one["now"]}
        for tier, one in sorted(result.get("tiers", {}).items())
    ]
    now, then = result["now"], result["then"]
    total = {
        "tier": None,
        "now": now["equity"],
        "then": then["equity"],
        "change": then["equity"] - now["equity"],
        "now_80": figures.interval(now.get("80")),
        "then_80": figures.interval(then.get("80")),
        "change_80": figures.interval((result.get("change") or {}).get("80")),
    }
    return [*rows, total]
