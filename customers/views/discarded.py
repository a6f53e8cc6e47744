"""Deleting customers and contacts, and bringing them back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.models import Contact, Customer, Position
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of

PAGE_SIZE = 50
NEWEST_FIRST = Sort("-deleted", "deleted_at", descending=True)


@require_POST
@needs(Permission.CUSTOMER_DELETE)
def customer_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    customer.discard(by=request.user)
    _say(request, _("%(customer)s is deleted.") % {"customer": customer}, way_back=reverse("customers:restore", args=[pk]))
    return redirect("customers:list")


@require_POST
@needs(Permission.CUSTOMER_DELETE)
def customer_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.within_reach_of(request.user).discarded(), pk=pk)
    customer.restore(by=request.user)
    messages.success(request, _("%(customer)s is back.") % {"customer": customer})
    return _led_to(request, reverse("customers:detail", args=[pk]))


@require_safe
@needs(Permission.CUSTOMER_DELETE)
def customer_discarded(request: SignedInRequest) -> HttpResponse:
    """Deleted customers, the latest first, each with a way back."""
    rows = Customer.objects.within_reach_of(request.user).discarded()
    return _page(request, "customers/customer_discarded.html", rows.only("name", "number", "deleted_at", "deleted_by__name"))


@require_POST
@needs(Permission.CONTACT_CHANGE)
def contact_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    place = Position.objects.visible_to(request.user).filter(contact=contact).order_by("until", "pk").first()
    contact.discard(by=request.user)
    _say(request, _("%(contact)s is deleted.") % {"contact": contact}, way_back=reverse("customers:contact-restore", args=[pk]))
    return redirect("customers:detail", pk=place.customer_id) if place else redirect("customers:list")


@require_POST
@needs(Permission.CONTACT_CHANGE)
def contact_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.within_reach_of(request.user).discarded(), pk=pk)
    contact.restore(by=request.user)
    messages.success(request, _("%(contact)s is back.") % {"contact": contact})
    return _led_to(request, reverse("customers:contact", args=[pk]))


@require_safe
@needs(Permission.CONTACT_CHANGE)
def contact_discarded(request: SignedInRequest) -> HttpResponse:
    """Deleted contacts, the latest first, each with a way back."""
    rows = Contact.objects.within_reach_of(request.user).discarded()
    return _page(request, "customers/contact_discarded.html", rows.only("name", "other_name", "deleted_at", "deleted_by__name"))


def _say(request: SignedInRequest, what: str, *, way_back: str) -> None:
    """A message that what has just been deleted can be brought back at once."""
    button = format_html('<button class="btn btn-sm" hx-post="{}" hx-swap="none">{}</button>', way_back, _("Bring it back"))
    messages.success(request, format_html("{} {}", what, button))


def _led_to(request: SignedInRequest, address: str) -> HttpResponse:
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else HttpResponseRedirect(address)


def _page(request: SignedInRequest, template: str, rows: QuerySet[Any]) -> HttpResponse:
    rows = rows.select_related("deleted_by")
    try:
        page = page_of(rows, NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        page = page_of(rows, NEWEST_FIRST, size=PAGE_SIZE)
    return render(request, template, {"page": page, "can_restore_customers": allowed(request.user, Permission.CUSTOMER_DELETE)})
