"""The history of a customer, field by field: who changed what, when, from what to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.models import Contact, Customer, CustomField, Product
from users.access import Permission, needs
from users.formats import format_day, format_moment
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of
from users.models import Event, Team, User
from users.queries import label_of

PAGE_SIZE = 40
LONGEST_VALUE = 300
NEWEST_FIRST = Sort("-id", "id", descending=True)
NAMED_BY: dict[type[models.Model], str] = {User: "name", Team: "name", Customer: "name", Contact: "name", Product: "name"}


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_history(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user), pk=pk)
    is_all = request.GET.get("of") == "all"
    about = Event.objects.filter(customer_id=customer.pk) if is_all else Event.objects.of(Customer.NOUN, customer.pk)
    events = about.select_related("actor")
    try:
        page = page_of(events, NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        page = page_of(events, NEWEST_FIRST, size=PAGE_SIZE)
    reader = HistoryReader(page.rows)
    rows = [(event, reader.noun_of(event), reader.changes_of(event)) for event in page.rows]
    return render(request, "customers/customer_history.html", {"customer": customer, "page": page, "rows": rows, "is_all": is_all})


class HistoryReader:
    """Says events in people's words: labels for fields, names for ids, one look-up per kind of row for the whole page."""

    def __init__(self, events: list[Event]) -> None:
        self._custom_labels = {field.key: str(field) for field in CustomField.objects.all()} if _touch_custom(events) else {}
        self._names = {model: self._names_of(model, events) for model in NAMED_BY}

    def noun_of(self, event: Event) -> str:
        model = _model_of(event)
        return str(model._meta.verbose_name) if model else event.noun

    def changes_of(self, event: Event) -> list[Change]:
        model, found = _model_of(event), []
        for name, (before, after) in event.changes.items():
            if name == "custom":
                found += self._custom_changes(before or {}, after or {})
            elif not (event.action == Event.Action.CREATED and after in (None, "", [], {})):
                field = _field_of(model, name)
                found.append(Change(label_of(field, name), self._said(field, before), self._said(field, after)))
        return found

    def _custom_changes(self, before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        return [
            Change(self._custom_labels.get(key, key), self._said(None, before.get(key)), self._said(None, after.get(key))) for key in keys
        ]

    def _said(self, field: Any, value: Any) -> str:
        if value is None or value == "" or value == []:
            return ""
        if isinstance(field, models.ForeignKey):
            return self._names.get(field.related_model, {}).get(value, f"#{value}")
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, list):
            return ", ".join(self._said(getattr(field, "base_field", None), one) for one in value)[:LONGEST_VALUE]
        if isinstance(field, models.DateTimeField):
            return format_moment(datetime.fromisoformat(value))
        if isinstance(field, models.DateField):
            return format_day(date.fromisoformat(value))
        choices = dict(getattr(field, "flatchoices", ()) or ())
        return str(choices.get(value, value))[:LONGEST_VALUE]

    def _names_of(self, model: type[models.Model], events: list[Event]) -> dict[int, str]:
        ids = {
            value
            for event in events
            for name, pair in event.changes.items()
            if isinstance(field := _field_of(_model_of(event), name), models.ForeignKey) and field.related_model is model
            for value in pair
            if isinstance(value, int)
        }
        return dict(model._default_manager.filter(pk__in=ids).values_list("pk", NAMED_BY[model])) if ids else {}


def _touch_custom(events: list[Event]) -> bool:
    return any("custom" in event.changes for event in events)


def _model_of(event: Event) -> type[models.Model] | None:
    return _nouns().get(event.noun)


def _nouns() -> dict[str, type[models.Model]]:
    return {noun: model for model in apps.get_models() if isinstance(noun := getattr(model, "NOUN", None), str)}


def _field_of(model: type[models.Model] | None, name: str) -> Any:
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None
