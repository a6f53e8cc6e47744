"""The page of one contact, its form, and its consents."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers import actions
from customers.forms.contact import Addresses, ConsentForm, ContactForm, Methods, Positions
from customers.models import Address, Consent, Contact, ContactMethod, ContactPoint, Customer, Position
from customers.queries import origins_of
from customers.views.ids import asked_id
from customers.views.once import done_once, new_token
from customers.views.timeline_items import ICONS
from users.access import Permission, allowed, needs
from users.conflicts import Conflict, conflict_of
from users.http import SignedInRequest
from users.records import StaleVersion

POINTS_SHOWN = 20


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def contact_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    consents = list(Consent.objects.filter(contact=contact).order_by("withdrawn_at", "purpose", "channel", "-pk")[:100])
    points = ContactPoint.objects.visible_to(request.user).filter(contact=contact).select_related("staff", "customer").newest_first()
    context = {
        "contact": contact,
        "places": _places(request, contact),
        "methods": ContactMethod.objects.filter(contact=contact),
        "addresses": Address.objects.filter(contact=contact).order_by("pk"),
        "running": [consent for consent in consents if consent.withdrawn_at is None],
        "withdrawn": [consent for consent in consents if consent.withdrawn_at],
        "consent_form": ConsentForm(),
        "points": points[:POINTS_SHOWN],
        "icons": ICONS,
        "origins": origins_of(contact),
        "can_change": allowed(request.user, Permission.CONTACT_CHANGE),
        "can_log": allowed(request.user, Permission.CONTACT_POINT_ADD),
        "can_erase": allowed(request.user, Permission.PERSON_ERASE),
    }
    return render(request, "customers/contact_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONTACT_CHANGE)
def contact_add(request: SignedInRequest) -> HttpResponse:
    return _edit(request, Contact())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.CONTACT_CHANGE)
def contact_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    return _edit(request, get_object_or_404(Contact.objects.visible_to(request.user), pk=pk))


@require_POST
@needs(Permission.CONTACT_CHANGE)
def consent_give(request: SignedInRequest, pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    form = ConsentForm(request.POST)
    if form.is_valid():
        given = actions.give_consent(by=request.user, contact=contact, **form.cleaned_data)
        messages.success(request, _("The consent is noted.") if given else _("This consent runs already."))
    else:
        messages.error(request, " ".join(f"{form.fields[name].label}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    return redirect("customers:contact", pk=pk)


@require_POST
@needs(Permission.CONTACT_CHANGE)
def consent_withdraw(request: SignedInRequest, pk: int, consent_pk: int) -> HttpResponse:
    contact = get_object_or_404(Contact.objects.visible_to(request.user), pk=pk)
    actions.withdraw_consent(by=request.user, consent=get_object_or_404(Consent, pk=consent_pk, contact=contact))
    messages.success(request, _("The consent is withdrawn."))
    return redirect("customers:contact", pk=pk)


def _places(request: SignedInRequest, contact: Contact) -> Any:
    return (
        Position.objects.visible_to(request.user).filter(contact=contact).select_related("customer", "reports_to").order_by("until", "pk")
    )


def _edit(request: SignedInRequest, contact: Contact) -> HttpResponse:
    form, sets = _forms(request, contact)
    if request.method != "POST" or not all([form.is_valid(), *(rows.is_valid() for rows in sets.values())]):
        return _form_page(request, contact, form, sets, status=422 if form.is_bound else 200)

    def save() -> str:
        saved = actions.save_contact(
            by=request.user,
            contact=None if contact.pk is None else contact,
            expected_version=form.cleaned_data["version"],
            values=form.values(),
            **{name: _rows(rows) for name, rows in sets.items()},
        )
        messages.success(request, _("%(contact)s is saved.") % {"contact": saved})
        return reverse("customers:contact", args=[saved.pk])

    try:
        return done_once(request, save)
    except StaleVersion as stale:
        theirs = ContactForm(instance=cast(Contact, stale.current))
        conflict = conflict_of(form, theirs, current=stale.current, seen_version=form.cleaned_data["version"])
        return _form_page(request, contact, form, sets, status=412, conflict=conflict)
    except ValidationError as refusal:
        form.add_error(None, [text for texts in refusal.message_dict.values() for text in texts])
    except IntegrityError:  # somebody added the same place or number in the same moment
        form.add_error(None, _("Somebody changed this contact at the same time. Reload the page and try again."))
    return _form_page(request, contact, form, sets, status=422)


def _forms(request: SignedInRequest, contact: Contact) -> tuple[ContactForm, dict[str, Any]]:
    data = request.POST if request.method == "POST" else None
    customer = _customer_asked_for(request)
    sets = {
        "positions": Positions(
            data,
            instance=contact,
            prefix="positions",
            queryset=Position.objects.visible_to(request.user),
            user=request.user,
            initial=[{"customer": customer.pk}] if customer and contact.pk is None else None,
        ),
        "methods": Methods(data, instance=contact, prefix="methods"),
        "addresses": Addresses(data, instance=contact, prefix="addresses"),
    }
    return ContactForm(data, instance=contact), sets


def _customer_asked_for(request: SignedInRequest) -> Customer | None:
    asked = asked_id(request.GET.get("customer", ""))
    return get_object_or_404(Customer.objects.visible_to(request.user), pk=asked) if asked else None


def _rows(rows: Any) -> actions.Rows:
    """What a formset asks for. A form's instance is a copy that already holds what was typed: the row is read anew."""
    names = [name for name in rows.form._meta.fields if name != rows.fk.name]
    goes, stays = rows.deleted_forms, [form for form in rows.initial_forms if form not in rows.deleted_forms and form.has_changed()]
    model = rows.model
    return actions.Rows(
        added=[{name: form.cleaned_data[name] for name in names} for form in rows.extra_forms if _is_new(form) and form not in goes],
        changed=[(model.objects.get(pk=form.instance.pk), {name: form.cleaned_data[name] for name in names}) for form in stays],
        removed=[form.instance for form in goes if form.instance.pk],
    )


def _is_new(form: Any) -> bool:
    return bool(form.has_changed() and form.cleaned_data)


def _form_page(
    request: SignedInRequest, contact: Contact, form: ContactForm, sets: dict[str, Any], *, status: int, conflict: Conflict | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"contact": contact, "form": form, **sets, "once": new_token(), "customer": _customer_asked_for(request)}
    if conflict:
        chosen = {"csrfmiddlewaretoken", "version", "once", *(field.name for field in conflict.fields)}
        context["conflict"] = conflict
        context["kept"] = {name: value for name, value in request.POST.items() if name not in chosen}
    return render(request, "customers/contact_form.html", context, status=status)
