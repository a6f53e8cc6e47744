"""What the page shows when somebody else saved first: each field that both changed, in both versions (ui/conflict.html)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from users.models import Event
from users.records import Record, StaleVersion


@dataclass(frozen=True)
class FieldConflict:
    name: str
    label: str
    mine: str
    theirs: str
    mine_value: str
    theirs_value: str


@dataclass(frozen=True)
class Conflict:
    version: int
    by: str
    at: datetime
    fields: list[FieldConflict]
    kept: dict[str, str] = field(default_factory=dict)  # the other fields, as they are to be posted again

    @classmethod
    def between(cls, form: forms.ModelForm[Any], theirs: Record, expected_version: int) -> Conflict:
        """Sort the form's fields: those that both sides changed are for the person to choose, the others settle themselves."""
        events = list(
            Event.objects.of(theirs.NOUN, theirs.pk).newest_first().select_related("actor")[: max(0, theirs.version - expected_version)]
        )
        before = {name: pair[0] for event in events for name, pair in event.changes.items()}  # the oldest event is read last
        as_it_is = type(form)(instance=theirs)
        fields, kept = [], {}
        for name in form.fields:
            mine, now = form[name], as_it_is[name]
            mine_value, their_value = _posted(mine.value()), _posted(now.value())
            if mine_value == their_value or (name in before and mine_value == _posted(before[name])):
                kept[name] = their_value
            elif name not in before:
                kept[name] = mine_value
            else:
                fields.append(FieldConflict(name, str(mine.label), _shown(mine), _shown(now), mine_value, their_value))
        actor = events[0].actor if events else None
        return cls(theirs.version, actor.name if actor else "", theirs.updated_at, fields, kept)


def conflict_response(
    request: HttpRequest, template: str, form: forms.ModelForm[Any], stale: StaleVersion, **context: object
) -> HttpResponse:
    """The same page with 412: the dialog where fields collide, and otherwise the merged values to look over and save."""
    conflict = Conflict.between(form, stale.current, int(form.data.get("version") or 0))
    page = {"form": form, "conflict": conflict, "kept": conflict.kept, "action": request.get_full_path(), **context}
    return render(request, template, page, status=412)


def _posted(value: Any) -> str:
    return "" if value is None else str(getattr(value, "pk", value))


def _shown(bound: forms.BoundField) -> str:
    """The value as a person reads it: a choice by its words."""
    value = _posted(bound.value())
    choices = getattr(bound.field, "choices", None)
    if choices is None:
        return value
    return next((str(label) for key, label in choices if str(key) == value), value) if value else gettext("none")
