"""The ledger of tier decisions: all that the reader may see, and one of them with its answers."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from customers.models import Customer
from segmentation import explaining, wording
from segmentation.models import Tier, TierDecision
from segmentation.views.pages import newest_page, show
from users.access import Permission, needs
from users.http import SignedInRequest

PAGE_SIZE = 40
INPUTS = ("clv", "orders", "contracts", "referrals", "retention_cost", "margin_12m", "revenue_12m")


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def ledger(request: SignedInRequest) -> HttpResponse:
    decisions = TierDecision.objects.visible_to(request.user).select_related("customer", "by")
    page = newest_page(request, _narrowed(request, decisions), size=PAGE_SIZE)
    customer = _customer(request)
    context = {
        "page": page,
        "told": [(decision, wording.drivers(decision.drivers)[:2]) for decision in page.rows],
        "customer": customer,
        "kinds": TierDecision.Kind.choices,
        "tiers": [(str(tier.value), tier.label) for tier in Tier],
        "is_narrowed": any(request.GET.get(name) for name in ("kind", "tier", "since", "until", "customer", "cursor")),
    }
    return show(request, "ledger.html", context)


def _narrowed(request: SignedInRequest, decisions: QuerySet[TierDecision]) -> QuerySet[TierDecision]:
    """What the address asks for; a value that is none of the choices narrows nothing."""
    asked: dict[str, Any] = {name: request.GET.get(name, "") for name in ("kind", "tier", "customer")}
    if asked["kind"] in TierDecision.Kind.values:
        decisions = decisions.filter(kind=asked["kind"])
    if asked["tier"] in {str(tier) for tier in Tier.values}:
        decisions = decisions.filter(tier=int(asked["tier"]))
    if _is_id(asked["customer"]):
        decisions = decisions.filter(customer=int(asked["customer"]))
    if since := _day(request.GET.get("since", "")):
        decisions = decisions.filter(as_of__gte=since)
    if until := _day(request.GET.get("until", "")):
        decisions = decisions.filter(as_of__lte=until)
    return decisions


def _customer(request: SignedInRequest) -> Customer | None:
    asked = request.GET.get("customer", "")
    return Customer.objects.visible_to(request.user).filter(pk=int(asked)).first() if _is_id(asked) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _day(text: str) -> date | None:
    try:
        return parse_date(text.strip())
    except ValueError:
        return None


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def decision(request: SignedInRequest, pk: int) -> HttpResponse:
    """One decision: why this tier, what would make it the next one, and all that went in."""
    found = get_object_or_404(TierDecision.objects.visible_to(request.user).select_related("customer", "by", "rules", "run"), pk=pk)
    context = {
        "decision": found,
        "why": explaining.why(found),
        "drivers": wording.drivers(found.drivers),
        "lift": explaining.what_would_lift(found),
        "next_tier": wording.tier_name(found.tier - 1),
        "inputs": [(wording.INPUTS[name], found.inputs[name]) for name in INPUTS if found.inputs.get(name) is not None],
        "trust": found.inputs.get("trust"),
    }
    return show(request, "decision.html", context)
