"""The timeline of a customer's contact points, newest first, by key."""

from __future__ import annotations

from django.db.models import Exists, OuterRef
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from customers.models import ContactPoint, Customer
from customers.models.contact_point import ContactPointQuerySet
from customers.views.choice import Choice
from customers.views.timeline_items import items_as_html
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of

PAGE_SIZE = 20
NEWEST_FIRST = Sort("-at", "at", descending=True)
FETCHED = (
    "customer_id",
    "at",
    "kind",
    "channel",
    "direction",
    "stage",
    "subject",
    "body",
    "outcome",
    "minutes",
    "signal",
    "corrects_id",
    "created_by_id",
    "staff__name",
    "contact__name",
)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def timeline(request: SignedInRequest, pk: int) -> HttpResponse:
    """One page of the timeline, as a fragment; without htmx the customer's page with that part of it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user).only("pk"), pk=pk)
    if not request.htmx:
        return HttpResponseRedirect(f"{reverse('customers:detail', args=[pk])}?{request.GET.urlencode()}")
    return render(request, "customers/_timeline.html", timeline_context(request, customer))


def timeline_context(request: SignedInRequest, customer: Customer) -> dict[str, object]:
    kind = request.GET.get("kind", "")
    kind = kind if kind in ContactPoint.Kind else ""
    points = ContactPoint.objects.filter(customer=customer, **({"kind": kind} if kind else {}))
    page = _page(points.select_related("staff", "contact").only(*FETCHED), request.GET.get("cursor", ""))
    return {
        "customer": customer,
        "points": page,
        "items_as_html": items_as_html(page.rows, may_correct=allowed(request.user, Permission.CONTACT_POINT_ADD)),
        "kind": Choice("kind", _("Kind"), ContactPoint.Kind.choices, kind),
    }


def _page(points: ContactPointQuerySet, cursor: str) -> Page[ContactPoint]:
    marked = points.annotate(is_corrected=Exists(ContactPoint.objects.filter(corrects=OuterRef("pk"))))
    try:
        return page_of(marked, NEWEST_FIRST, cursor, size=PAGE_SIZE)
    except BadCursor:
        return page_of(marked, NEWEST_FIRST, size=PAGE_SIZE)
