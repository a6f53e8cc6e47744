"""The page of one customer: the facts beside, and one tab of what there is to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from customers.forms.contact_point import QUICK_ID, ContactPointForm
from customers.models import Address, Asset, Contract, Customer, CustomField, Invoice, Opportunity, Order
from customers.models.customer import Channel
from customers.queries import family_of, origins_of, people_and_ways, standing_of
from customers.views.once import new_token
from customers.views.timeline import timeline_context
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of

TAB_SIZE = 25
PEOPLE_BESIDE = 6
PEOPLE_AT_MOST = 200


@dataclass(frozen=True)
class Tab:
    """One kind of facts about the customer: how it is read and in which order."""

    label: Promise
    rows: Callable[[Customer], QuerySet[Any]] | None = None
    sort: Sort | None = None


TABS = {
    "overview": Tab(_("Timeline")),
    "contacts": Tab(_("Contacts")),
    "purchases": Tab(
        _("Purchases"),
        lambda customer: Order.objects.filter(customer=customer).select_related("owner").prefetch_related("lines__product"),
        Sort("-ordered_on", "ordered_on", descending=True),
    ),
    "opportunities": Tab(
        _("Opportunities"),
        lambda customer: Opportunity.objects.filter(customer=customer).select_related("product", "owner"),
        Sort("-id", "id", descending=True),
    ),
    "contracts": Tab(
        _("Contracts"),
        lambda customer: Contract.objects.filter(customer=customer).select_related("product"),
        Sort("-starts_on", "starts_on", descending=True),
    ),
    "assets": Tab(
        _("Assets"), lambda customer: Asset.objects.filter(customer=customer).select_related("product"), Sort("-id", "id", descending=True)
    ),
    "invoices": Tab(
        _("Invoices"), lambda customer: Invoice.objects.filter(customer=customer), Sort("-issued_on", "issued_on", descending=True)
    ),
    "family": Tab(_("Group of companies")),
}


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user).select_related("owner", "team", "score"), pk=pk)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else "overview"
    origins = origins_of(customer)
    people, ways = people_and_ways(customer, most=PEOPLE_AT_MOST if tab == "contacts" else PEOPLE_BESIDE + 1)
    context = {
        "customer": customer,
        "tab": tab,
        "tabs": {key: tab.label for key, tab in TABS.items()},
        "tab_template": f"customers/_tab_{tab}.html",
        "standing": standing_of(customer),
        "people": people,
        "people_beside": people[:PEOPLE_BESIDE],
        "ways": ways,
        "addresses": Address.objects.filter(customer=customer).order_by("pk")[:10],
        "origins": origins,
        "sources": {name: origin.system for origin in origins for name in origin.fields},
        "custom_facts": custom_facts(customer),
        "channels": [Channel(value).label for value in customer.preferred_channels if value in Channel],
        "today": timezone.localdate(),
        **_relatives_beside(request, customer, with_subsidiaries=tab != "family"),
        **_rights(request),
        **_tab_context(request, customer, tab),
    }
    return render(request, "customers/customer_detail.html", context)


def custom_facts(customer: Customer) -> list[tuple[CustomField, Any]]:
    """The custom fields that have a value here; dates as dates."""
    fields = CustomField.objects.in_use() if customer.custom else []
    return [
        (field, parse_date(value) if field.kind == CustomField.Kind.DATE else value)
        for field in fields
        if (value := customer.custom.get(field.key)) is not None
    ]


def _tab_context(request: SignedInRequest, customer: Customer, tab: str) -> dict[str, Any]:
    if tab == "overview":
        return {**timeline_context(request, customer), "log_line": _log_line(get_language()), "once": new_token()}
    if tab == "family":
        return {"family": family_of(customer, reader=request.user)}
    chosen = TABS[tab]
    if chosen.rows is None or chosen.sort is None:
        return {}
    rows = chosen.rows(customer)
    try:
        return {"page": page_of(rows, chosen.sort, request.GET.get("cursor", ""), size=TAB_SIZE)}
    except BadCursor:
        return {"page": page_of(rows, chosen.sort, size=TAB_SIZE)}


@lru_cache(maxsize=len(settings.LANGUAGES))
def _log_line(language: str | None) -> SafeString:
    """Kind and subject of the form to log a contact: the same for every customer, and a tenth of the page to render."""
    form = ContactPointForm(customer=Customer(pk=0), auto_id=QUICK_ID)
    return render_to_string("customers/_log_line.html", {"log_form": form})


def _relatives_beside(request: SignedInRequest, customer: Customer, *, with_subsidiaries: bool) -> dict[str, Any]:
    """The parent company and the first subsidiaries, where the reader may see them."""
    near = Customer.objects.visible_to(request.user).only("name", "number")
    return {
        "parent": near.filter(pk=customer.parent_id).first() if customer.parent_id else None,
        "subsidiaries": list(near.filter(parent=customer).by_name()[:6]) if with_subsidiaries else [],
    }


def _rights(request: SignedInRequest) -> dict[str, bool]:
    return {
        "can_change": allowed(request.user, Permission.CUSTOMER_CHANGE),
        "can_discard": allowed(request.user, Permission.CUSTOMER_DELETE),
        "can_change_contacts": allowed(request.user, Permission.CONTACT_CHANGE),
        "can_log": allowed(request.user, Permission.CONTACT_POINT_ADD),
    }
