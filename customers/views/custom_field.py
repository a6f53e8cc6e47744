"""The fields that an administrator adds to the customer."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.forms.custom_field import CustomFieldForm
from customers.models import CustomField
from customers.views.once import done_once, new_token
from users.access import Permission, needs
from users.conflicts import conflict_of
from users.http import SignedInRequest
from users.records import StaleVersion


@require_safe
@needs(Permission.FIELD_MANAGE)
def custom_field_list(request: SignedInRequest) -> HttpResponse:
    fields = list(CustomField.objects.order_by("position", "pk")[:500])
    context = {"fields": [field for field in fields if not field.archived_at], "archived": [field for field in fields if field.archived_at]}
    return render(request, "customers/custom_field_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.FIELD_MANAGE)
def custom_field_add(request: SignedInRequest) -> HttpResponse:
    form = CustomFieldForm(request.POST if request.method == "POST" else None)

    def add() -> str:
        field = CustomField.add(by=request.user, **form.values())
        messages.success(request, _("%(field)s is now a field of every customer.") % {"field": field})
        return reverse("customers:custom-fields")

    if form.is_bound and form.is_valid():
        try:
            return done_once(request, add)
        except IntegrityError:
            form.add_error("key", _("This key is taken."))
    return _form_page(request, form, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.FIELD_MANAGE)
def custom_field_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    field = get_object_or_404(CustomField, pk=pk)
    form = CustomFieldForm(request.POST if request.method == "POST" else None, instance=field)
    if not form.is_bound or not form.is_valid():
        return _form_page(request, form, status=422 if form.is_bound else 200)
    try:
        field.change(by=request.user, expected_version=form.cleaned_data["version"], **form.values())
    except StaleVersion as stale:
        theirs = CustomFieldForm(instance=cast(CustomField, stale.current))
        conflict = conflict_of(form, theirs, current=stale.current, seen_version=form.cleaned_data["version"])
        return _form_page(request, form, status=412, conflict=conflict)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return _form_page(request, form, status=422)
    messages.success(request, _("The changes are saved."))
    return redirect("customers:custom-fields")


@require_POST
@needs(Permission.FIELD_MANAGE)
def custom_field_archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take the field out of forms and filters, or put it back; the values stay with the customers."""
    field = get_object_or_404(CustomField, pk=pk)
    field.change(by=request.user, archived_at=None if field.archived_at else timezone.now())
    return redirect("customers:custom-fields")


def _form_page(request: SignedInRequest, form: CustomFieldForm, *, status: int, **extra: Any) -> HttpResponse:
    return render(request, "customers/custom_field_form.html", {"form": form, "once": new_token(), **extra}, status=status)
