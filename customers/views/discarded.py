"""Deleting customers, and bringing them back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer
from users.access import Permission, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of

PAGE_SIZE = 50
NEWEST_FIRST = Sort("-deleted", "deleted_at", descending=True)


@require_POST
@needs(Permission.CUSTOMER_DELETE)
def customer_discard(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    customer.discard(by=request.user)
    undo = format_html(
        '<button class="btn btn-sm" hx-post="{}" hx-swap="none">{}</button>', reverse("customers:restore", args=[pk]), _("Bring it back")
    )
    messages.success(request, format_html("{} {}", _("%(customer)s is deleted.") % {"customer": customer}, undo))
    return redirect("customers:list")


@require_POST
@needs(Permission.CUSTOMER_DELETE)
def customer_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.within_reach_of(request.user).discarded(), pk=pk)
    customer.restore(by=request.user)
    messages.success(request, _("%(customer)s is back.") % {"customer": customer})
    address = reverse("customers:detail", args=[pk])
    return HttpResponse(headers={"HX-Redirect": address}) if request.htmx else HttpResponseRedirect(address)


@require_safe
@needs(Permission.CUSTOMER_DELETE)
def customer_discarded(request: SignedInRequest) -> HttpResponse:
    """Deleted customers, the latest first, each with a way back."""
    rows = Customer.objects.within_reach_of(request.user).discarded().select_related("deleted_by")
    rows = rows.only("name", "number", "deleted_at", "deleted_by__name")
    try:
        page = page_of(rows, NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        page = page_of(rows, NEWEST_FIRST, size=PAGE_SIZE)
    return render(request, "customers/customer_discarded.html", {"page": page})
