"""Segments as pages: the list, one segment with its members and history, archiving and the file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.db.models import DecimalField, Exists, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.models import Customer
from customers.models.customer import CustomerQuerySet
from customers.views.ids import asked_id
from segmentation.exports import member_rows
from segmentation.models import Membership, Segment
from segmentation.rules import sentence_of
from segmentation.segments import name_tiers
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of
from users.models import Event
from users.spreadsheets import csv_download

PAGE_SIZE = 50
MOST_LISTED = 1000
UNKNOWN_VALUE = Value(-(10**16), output_field=DecimalField(max_digits=18, decimal_places=0))  # below every real one: keyset needs a value
SORTS = {
    sort.key: sort
    for sort in (
        Sort("-clv", "clv_rank", descending=True),
        Sort("clv", "clv_rank"),
        Sort("name", "sort_key"),
        Sort("-name", "sort_key", descending=True),
    )
}
HISTORY = Sort("-id", "id", descending=True)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def segment_list(request: SignedInRequest) -> HttpResponse:
    visible = Segment.objects.visible_to(request.user).select_related("owner").defer("rule")
    shows_archived = request.GET.get("show") == "archived"
    found = visible.archived() if shows_archived else visible.kept()
    just_archived = asked_id(request.GET.get("archived", ""))
    context = {
        "segments": list(found.with_members_seen_by(request.user).order_by("name", "pk")[:MOST_LISTED]),
        "shows_archived": shows_archived,
        "has_archived": visible.archived().exists(),
        "just_archived": visible.archived().filter(pk=just_archived).first() if just_archived else None,
        "can_change": allowed(request.user, Permission.SEGMENT_CHANGE),
    }
    return render(request, "segmentation/segment_list.html", context)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def segment_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    segment = _segment(request, pk)
    tab = "history" if request.GET.get("tab") == "history" else "members"
    sort = SORTS.get(request.GET.get("sort", ""), SORTS["-clv"])
    is_history = tab == "history"
    context = {
        "segment": segment,
        "sentence": sentence_of(segment.rule, request.user),
        "tab": tab,
        "tabs": {"members": _("Members"), "history": _("Who entered and left")},
        "page": _page(request, _history(request, segment), HISTORY) if is_history else _members_page(request, segment, sort),
        "sort": sort.key,
        "can_change": allowed(request.user, Permission.SEGMENT_CHANGE),
        "can_export": allowed(request.user, Permission.CUSTOMER_EXPORT),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "segmentation/segment_detail.html#members", context)
    return render(request, "segmentation/segment_detail.html", context)


@require_POST
@needs(Permission.SEGMENT_CHANGE)
def segment_archive(request: SignedInRequest, pk: int) -> HttpResponse:
    """Out of the list, with an undo at the top of it."""
    segment = _segment(request, pk)
    segment.discard(by=request.user)
    return redirect(f"{reverse('segmentation:segments')}?archived={segment.pk}")


@require_POST
@needs(Permission.SEGMENT_CHANGE)
def segment_restore(request: SignedInRequest, pk: int) -> HttpResponse:
    segment = get_object_or_404(Segment.objects.visible_to(request.user), pk=pk)
    try:
        with transaction.atomic():
            segment.restore(by=request.user)
    except IntegrityError:
        messages.error(request, _("Another segment is called %(segment)s now. Rename that one first.") % {"segment": segment})
        return redirect(f"{reverse('segmentation:segments')}?show=archived")
    messages.success(request, _("%(segment)s is back.") % {"segment": segment})
    return redirect("segmentation:segment", pk=segment.pk)


@require_safe
@needs(Permission.CUSTOMER_EXPORT)
def segment_export(request: SignedInRequest, pk: int) -> HttpResponseBase:
    segment = _segment(request, pk)
    Event.record(Event.Action.EXPORTED, noun=Segment.NOUN, by=request.user, object_id=segment.pk, label=segment.name)
    members = members_of(segment, request).order_by("sort_key", "pk")
    return csv_download(f"segment-{segment.pk}-{timezone.localdate():%Y-%m-%d}.csv", member_rows(members))


def members_of(segment: Segment, request: SignedInRequest) -> CustomerQuerySet:
    """The members in the person's reach, with `entered_at` and `clv_rank`."""
    standing = Membership.objects.standing().filter(segment=segment, customer=OuterRef("pk"))
    members = Customer.objects.visible_to(request.user).filter(Exists(standing))
    return members.annotate(entered_at=Subquery(standing.values("entered_at")[:1]), clv_rank=Coalesce(F("score__clv"), UNKNOWN_VALUE))


def _segment(request: SignedInRequest, pk: int) -> Segment:
    found = Segment.objects.visible_to(request.user).kept().select_related("owner")
    segment: Segment = get_object_or_404(found.with_members_seen_by(request.user), pk=pk)
    return segment


def _history(request: SignedInRequest, segment: Segment) -> Any:
    past = Membership.objects.visible_to(request.user).filter(segment=segment).select_related("customer")
    return past.only("entered_at", "left_at", "customer__name", "customer__number")


def _page(request: SignedInRequest, rows: Any, sort: Sort) -> Page[Any]:
    try:
        return page_of(rows, sort, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        return page_of(rows, sort, size=PAGE_SIZE)


def _members_page(request: SignedInRequest, segment: Segment, sort: Sort) -> Page[Any]:
    shown = ("name", "number", "sort_key", "score__tier", "score__clv", "score__churn_risk")
    page = _page(request, members_of(segment, request).select_related("score").only(*shown), sort)
    name_tiers(page.rows)
    return page
