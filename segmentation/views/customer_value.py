"""What one customer is worth and why: the panel of the customer's page, and what people decide about its tier."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import Customer
from customers.views.once import done_once, new_token
from segmentation import actions, figures, portfolio, wording
from segmentation.boundaries import edge
from segmentation.charts import interval_bar
from segmentation.customer_list import trend_mark
from segmentation.explaining import lift_to
from segmentation.forms.tier import DecisionForm, OverrideForm
from segmentation.models import Score, Tier, TierDecision, TierOverride
from segmentation.queries import value_over_time
from segmentation.views.pages import show
from users.access import Permission, allowed, needs
from users.http import SignedInRequest

RENEWALS_SHOWN = 5
DECISIONS_SHOWN = 4


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_value(request: SignedInRequest, pk: int) -> HttpResponse:
    """The panel for the customer's page; opened by itself, a page around it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user).select_related("score__run__rules"), pk=pk)
    context = {"customer": customer, **_panel(request, customer)}
    return render(request, f"segmentation/customer_value.html{'#panel' if request.htmx else ''}", context)


def _panel(request: SignedInRequest, customer: Customer) -> dict[str, Any]:
    score: Score | None = getattr(customer, "score", None)
    rights = {
        "can_override": allowed(request.user, Permission.TIER_OVERRIDE),
        "can_approve": allowed(request.user, Permission.TIER_APPROVE),
    }
    if score is None:
        return {"score": None, "override": portfolio.standing_override(customer), **rights}
    decisions = TierDecision.objects.filter(customer=customer).select_related("by", "rules").newest_first()[:DECISIONS_SHOWN]
    renewals = portfolio.renewals_of(customer, RENEWALS_SHOWN)
    return {
        "score": score,
        "rules": score.run.rules,
        "interval": interval_bar(
            score.clv,
            (score.clv_low_80, score.clv_high_80),
            (score.clv_low_95, score.clv_high_95),
            label=_("Intervals of the lifetime value"),
        ),
        "interval_80": figures.interval((score.clv_low_80, score.clv_high_80)),
        "interval_95": figures.interval((score.clv_low_95, score.clv_high_95)),
        "parts": _parts(score),
        "drivers": wording.drivers(score.drivers),
        "steps": _steps(score),
        "trend": trend_mark(score.trend),
        "chart": figures.value_over_time(value_over_time(customer, until=score.as_of)),
        "renewals": [(one, wording.drivers(one.drivers)) for one in renewals],
        "decisions": list(decisions),
        "override": portfolio.standing_override(customer),
        **rights,
    }


def _parts(score: Score) -> list[tuple[str, Any]]:
    """The value's parts, which add up to it."""
    return [
        (_("Contracts"), score.clv_contracts),
        (_("Orders"), score.clv_orders),
        (_("Referrals"), score.clv_referrals),
        (_("Cost of keeping"), -score.clv_retention_cost),
    ]


def _steps(score: Score) -> dict[str, Any]:
    """How far it is to the next tier, and how far down to the own one's boundary."""
    boundaries, value = score.run.boundaries, score.value
    above = edge(boundaries, score.tier - 1) if score.tier > Tier.PLATINUM else None
    own = edge(boundaries, score.tier)
    return {
        "up_tier": wording.tier_name(score.tier - 1),
        "up_at": above,
        "up_share": None if above is None or above <= 0 else float(min(max(value / above, 0), 1)),
        "up_missing": score.distance_up,
        "up_texts": lift_to(score.tier - 1, value=value, boundaries=boundaries, rules=score.run.rules) if above is not None else [],
        "own_at": own,
        "own_share": None if own is None or value <= 0 else float(min(max((value - own) / value, 0), 1)),
        "own_above": score.distance_down,
        "own_room": abs(score.distance_down or 0),
        "is_below": (score.distance_down or 0) < 0,
    }


# ── Decisions of people ───────────────────────────────────────────────────────────────────────────────────────────────


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.TIER_OVERRIDE)
def tier_override(request: SignedInRequest, pk: int) -> HttpResponse:
    """Set the customer's tier against the rules, until a day."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user).select_related("score"), pk=pk)
    form = OverrideForm(request.POST if request.method == "POST" else None, by=request.user)

    def override() -> str:
        actions.override_tier(customer=customer, by=request.user, **form.cleaned_data)
        messages.success(request, _("%(customer)s is now in %(tier)s.") % _names(customer, form.cleaned_data["tier"]))
        return _page_of(customer)

    if form.is_bound and form.is_valid():
        try:
            return done_once(request, override)
        except ValidationError as refusal:
            form.add_error(None, refusal)
    context = {"customer": customer, "form": form, "once": new_token(), "standing": portfolio.standing_override(customer)}
    return show(request, "tier_override.html", context, status=422 if form.is_bound else 200)


@require_POST
@needs(Permission.TIER_OVERRIDE)
def override_end(request: SignedInRequest, pk: int) -> HttpResponse:
    override = get_object_or_404(TierOverride.objects.visible_to(request.user).select_related("customer"), pk=pk)
    try:
        actions.end_override(override=override, by=request.user)
    except actions.Superseded:
        return _superseded(request, override.customer)
    messages.success(request, _("The override has ended. The next run decides by the rules."))
    return redirect(_page_of(override.customer))


@require_POST
@needs(Permission.TIER_APPROVE)
def move_approve(request: SignedInRequest, pk: int) -> HttpResponse:
    return _decided(request, pk, is_approved=True)


@require_POST
@needs(Permission.TIER_APPROVE)
def move_refuse(request: SignedInRequest, pk: int) -> HttpResponse:
    return _decided(request, pk, is_approved=False)


def _decided(request: SignedInRequest, pk: int, *, is_approved: bool) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _superseded(request, customer)
    act = actions.approve_move if is_approved else actions.refuse_move
    try:
        decision = act(customer=customer, by=request.user, **form.cleaned_data)
    except actions.Superseded:
        return _superseded(request, customer)
    text = _("%(customer)s is now in %(tier)s.") if is_approved else _("%(customer)s stays in %(tier)s.")
    messages.success(request, text % _names(customer, decision.tier))
    return redirect(_page_of(customer))


def _superseded(request: SignedInRequest, customer: Customer) -> HttpResponse:
    """What was on the screen is no longer so: nothing is written, and the page shows what stands now."""
    score = Score.objects.filter(customer=customer).select_related("run").first()
    return show(request, "superseded.html", {"customer": customer, "score": score}, status=409)


def _names(customer: Customer, tier: int) -> dict[str, str]:
    return {"customer": customer.name, "tier": wording.tier_name(tier)}


def _page_of(customer: Customer) -> str:
    return reverse("customers:detail", args=[customer.pk])
