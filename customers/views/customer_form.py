"""Entering and changing customers; looking one up for a form's field."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from customers.forms.customer import CustomerForm
from customers.models import Customer, CustomField
from customers.views.once import done_once, new_token
from users.access import Permission, needs
from users.conflicts import conflict_of
from users.http import SignedInRequest
from users.records import StaleVersion

LOOKUP_SIZE = 12


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
