"""What the value pages share: their tabs, and how a page of rows is cut."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from users.access import Permission, allowed
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of

M = TypeVar("M", bound=Model)

NEWEST_FIRST = Sort("-id", "id", descending=True)
STOP_POLLING = 286  # htmx's own status: the poll ends
OVERVIEW = "segmentation:value"
TABS: tuple[tuple[str, Promise, Permission], ...] = (
    (OVERVIEW, _("Overview"), Permission.CUSTOMER_VIEW),
    ("segmentation:moves", _("Moves"), Permission.CUSTOMER_VIEW),
    ("segmentation:ledger", _("Ledger"), Permission.CUSTOMER_VIEW),
    ("segmentation:rules", _("Rules"), Permission.CUSTOMER_VIEW),
    ("segmentation:runs", pgettext_lazy("valuation", "Runs"), Permission.VALUE_STEER),
    ("segmentation:track-record", _("Track record"), Permission.VALUE_STEER),
    ("segmentation:what-if", _("What if"), Permission.VALUE_STEER),
)


def show(request: SignedInRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the value engine, with the tabs that this person may open."""
    return render(request, f"segmentation/{template}", {"value_tabs": _tabs(request), **context}, status=status)


def _tabs(request: SignedInRequest) -> list[tuple[str, Promise, bool]]:
    """(address, label, whether it is the one open)."""
    found = [(reverse(name), label, name) for name, label, permission in TABS if allowed(request.user, permission)]
    return [(href, label, request.path == href or (name != OVERVIEW and request.path.startswith(href))) for href, label, name in found]


def newest_page(request: SignedInRequest, rows: QuerySet[M], *, size: int) -> Page[M]:
    """The page that the address asks for, newest first; the first one for an address that no page of this list gave out."""
    try:
        return page_of(rows, NEWEST_FIRST, request.GET.get("cursor", ""), size=size)
    except BadCursor:
        return page_of(rows, NEWEST_FIRST, size=size)
