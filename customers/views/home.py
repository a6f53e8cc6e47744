from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from customers.models import Contract, Customer, ImportProblem, ImportRun, Opportunity
from customers.queries import count_up_to, latest_contact_points, own_customers_by_status
from customers.views.timeline_items import ICONS
from users.access import Permission, allowed
from users.http import SignedInRequest

LOOK_AHEAD_DAYS = 90
SHOWN = 8
COUNTED_TO = 99


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What this person has to know today; everything read is bounded, whatever the size of the company."""
    user, today = request.user, timezone.localdate()
    ending = Contract.objects.visible_to(user).filter(ends_on__range=(today, today + timedelta(days=LOOK_AHEAD_DAYS)), cancelled_on=None)
    contracts = list(ending.select_related("customer").order_by("ends_on", "pk")[: SHOWN + 1])
    open_opportunities = count_up_to(Opportunity.objects.visible_to(user).without_customer(), COUNTED_TO)
    open_rows = count_up_to(ImportProblem.objects.visible_to(user).to_do(), COUNTED_TO)
    context = {
        "is_empty": not Customer.objects.visible_to(user).by_name().values("pk")[:1],
        "statuses": own_customers_by_status(user),
        "points": latest_contact_points(user, most=SHOWN),
        "icons": ICONS,
        "contracts": contracts[:SHOWN],
        "more_contracts": len(contracts) > SHOWN,
        "look_ahead_days": LOOK_AHEAD_DAYS,
        "to_do": {"opportunities": open_opportunities, "rows": open_rows},
        "imports": ImportRun.objects.visible_to(user).select_related("source")[:5],
        "can_add": allowed(user, Permission.CUSTOMER_CHANGE),
        "can_import": allowed(user, Permission.IMPORT_RUN),
        "today": today,
    }
    return render(request, "customers/home.html", context)
