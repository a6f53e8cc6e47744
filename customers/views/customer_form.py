"""Entering and changing customers; deleting them and bringing them back; looking one up for a form's field."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms.customer import CustomerForm
from customers.models import Customer, CustomField
from customers.views.once import done_once, new_token
from users.access import Permission, needs
from users.conflicts import conflict_of
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of
from users.records import StaleVersion

LOOKUP_SIZE = 12
PAGE_SIZE = 50
NEWEST_FIRST = Sort("-deleted", "deleted_at", descending=True)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CUSTOMER_CHANGE)
def customer_add(request: SignedInRequest) -> HttpResponse:
    form = CustomerForm(request.POST or None, instance=Customer(), **_form_options(request))
    if request.method == "POST" and form.is_valid():
        # Who may not assign keeps what is entered to themselves.
        values = {"owner": request.user, "team": request.user.team, **form.values()}

        def add() -> str:
            customer = Customer.add(by=request.user, **values)
            messages.success(request, _("%(customer)s is entered.") % {"customer": customer})
            return reverse("customers:detail", args=[customer.pk])

        try:
            return done_once(request, add)
        except ValidationError as refusal:
            form.add_error(None, refusal)
    return _form_page(request, form, Customer(), status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CUSTOMER_CHANGE)
def customer_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    form = CustomerForm(request.POST or None, instance=customer, **_form_options(request))
    if request.method != "POST" or not form.is_valid():
        return _form_page(request, form, customer, status=422 if form.is_bound else 200)
    try:
        customer.change(by=request.user, expected_version=form.cleaned_data["version"], **form.values())
    except StaleVersion as stale:
        return _conflict_page(request, form, stale)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return _form_page(request, form, customer, status=422)
    messages.success(request, _("The changes are saved."))
    return redirect("customers:detail", pk=pk)


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


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_lookup(request: SignedInRequest) -> HttpResponse:
    """The first customers in reach that match what is typed, as options of a combobox."""
    words = request.GET.get("q", "")[:200].replace("\x00", "").strip()
    found = Customer.objects.visible_to(request.user).matching(words).by_name().only("name", "number", "short_name", "legal_name")
    return render(request, "customers/_lookup.html", {"customers": found[:LOOKUP_SIZE] if words else [], "words": words})


def _form_options(request: SignedInRequest) -> dict[str, Any]:
    return {"user": request.user, "custom_fields": CustomField.objects.in_use()}


def _form_page(request: SignedInRequest, form: CustomerForm, customer: Customer, *, status: int, **extra: Any) -> HttpResponse:
    context = {"form": form, "customer": customer, "once": new_token(), **extra}
    return render(request, "customers/customer_form.html", context, status=status)


def _conflict_page(request: SignedInRequest, form: CustomerForm, stale: StaleVersion) -> HttpResponse:
    current = stale.current
    assert isinstance(current, Customer)
    theirs = CustomerForm(instance=current, **_form_options(request))
    conflict = conflict_of(form, theirs, current=current, seen_version=form.cleaned_data["version"])
    return _form_page(request, form, current, status=412, conflict=conflict)
