"""Logging a contact, and correcting one: the old row stays, the new one stands for it."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from customers.forms.contact_point import QUICK_ID, ContactPointForm
from customers.forms.widgets import Dressed, LookupField
from customers.models import ContactPoint, Customer
from customers.views.ids import asked_id
from customers.views.once import done_once, new_token
from users.access import Permission, needs
from users.http import SignedInRequest


class WhichCustomer(Dressed, forms.Form):
    """Whose contact it was, where the address does not say."""

    customer = LookupField(label=gettext_lazy("Customer"), queryset=Customer.objects.none())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONTACT_POINT_ADD)
def contact_point_add(request: SignedInRequest) -> HttpResponse:
    asked = asked_id(request.POST.get("customer") or request.GET.get("customer", ""))
    if asked is None:
        status = 422 if request.method == "POST" else 200
        return render(request, "customers/contact_point_which.html", {"which": WhichCustomer()}, status=status)
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=asked)
    form = ContactPointForm(request.POST if request.method == "POST" else None, customer=customer)

    def log() -> str:
        ContactPoint.log(by=request.user, customer=customer, **form.cleaned_data)
        messages.success(request, _("The contact point is logged."))
        return reverse("customers:detail", args=[customer.pk])

    return _handle(request, form, customer, log)


@require_safe
@needs(Permission.CONTACT_POINT_ADD)
def contact_point_fields(request: SignedInRequest) -> HttpResponse:
    """The less usual fields of the form on the customer's page: most contacts are logged without them, and they cost a third of it."""
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=asked_id(request.GET.get("customer", "")))
    form = ContactPointForm(customer=customer, auto_id=QUICK_ID)
    return render(request, "customers/_contact_point_fields.html", {"log_form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONTACT_POINT_ADD)
def contact_point_correct(request: SignedInRequest, pk: int) -> HttpResponse:
    point = get_object_or_404(ContactPoint.objects.visible_to(request.user).select_related("customer"), pk=pk)
    form = ContactPointForm(request.POST if request.method == "POST" else None, customer=point.customer, instance=point)

    def correct() -> str:
        original = ContactPoint.objects.select_related("customer").get(pk=pk)  # the form wrote into the instance that it holds
        original.correct(by=request.user, **form.cleaned_data)
        messages.success(request, _("The correction is logged."))
        return reverse("customers:detail", args=[point.customer_id])

    return _handle(request, form, point.customer, correct, corrects=point)


def _handle(request: SignedInRequest, form: ContactPointForm, customer: Customer, act: Callable[[], str], **extra: object) -> HttpResponse:
    if form.is_bound and form.is_valid():
        try:
            return done_once(request, act)
        except ValidationError as refusal:
            form.add_error(None, refusal)
        except IntegrityError:  # a row is corrected by one row
            form.add_error(None, _("Somebody has corrected this contact point already. Reload the customer's page."))
    context = {"form": form, "customer": customer, "once": new_token(), **extra}
    return render(request, "customers/contact_point_form.html", context, status=422 if form.is_bound else 200)
