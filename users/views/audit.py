from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from itertools import chain
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from users.access import Permission, needs
from users.forms import AuditFilter
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of
from users.models import Event
from users.models.event import EventQuerySet
from users.queries import described
from users.spreadsheets import csv_download

PAGE_SIZE = 50
MOST_EXPORTED = 100_000
NEWEST_FIRST = Sort("newest", "id", descending=True)


@require_safe
@needs(Permission.AUDIT_VIEW)
def audit(request: SignedInRequest) -> HttpResponse:
    """Who did what, when, from what to what; newest first."""
    form = AuditFilter(request.GET)
    try:
        page = page_of(_found(request, form), NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor as error:
        raise BadRequest(_("This page's address is damaged. Begin at the first page.")) from error
    return render(request, "users/audit.html", {"page": page, "form": form, "events": described(page.rows)})


@require_safe
@needs(Permission.AUDIT_VIEW)
def audit_export(request: SignedInRequest) -> HttpResponseBase:
    """The events that fit as CSV, the newest MOST_EXPORTED of them; the export is itself an event."""
    form = AuditFilter(request.GET)
    events = _found(request, form).newest_first()[:MOST_EXPORTED]
    Event.record(Event.Action.EXPORTED, noun="event", by=request.user, label=request.GET.urlencode())
    head = ["id", "at", "who", "e-mail", "action", "noun", "object", "label", "field", "before", "after", "request"]
    return csv_download("audit.csv", chain([head], _lines(events)))


def _found(request: SignedInRequest, form: AuditFilter) -> EventQuerySet:
    """The events that fit; a filter that makes no sense is named on the page and narrows nothing."""
    form.is_valid()
    asked = form.cleaned_data
    events = Event.objects.visible_to(request.user).select_related("actor")
    for name in ("actor", "noun", "action"):
        if value := asked.get(name):
            events = events.filter(**{name: value})
    if day := asked.get("day"):
        events = events.on_day(timezone.make_aware(datetime.combine(day, time.min)))
    return events


def _lines(events: EventQuerySet) -> Iterator[list[Any]]:
    """A line per changed field, and one for an event that changed none."""
    for event in events.iterator(chunk_size=2000):
        actor = [event.actor.name, event.actor.email] if event.actor else ["", ""]
        start = [event.pk, event.at.isoformat(), *actor, event.action, event.noun, event.object_id, event.label]
        for name, (before, after) in event.changes.items() or [("", ("", ""))]:
            yield [*start, name, before, after, event.request_id]
