"""Two people edited one record: what each wrote, field by field, for the person who came second to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import localize

from users.models import Event
from users.records import Record, StaleVersion


@dataclass(frozen=True)
class Field:
    """One field in both versions: as people read it, and as the form posts it."""

    name: str
    label: str
    mine: str
    theirs: str
    mine_value: str
    theirs_value: str
    keep_theirs: bool  # only they changed it


@dataclass(frozen=True)
class Conflict:
    version: int
    by: str
    at: datetime
    fields: list[Field]
    kept: dict[str, str]  # what both have alike, to be sent along


def conflict_of(mine: forms.BaseForm, theirs: forms.BaseForm, *, current: Record, seen_version: int) -> Conflict:
    """Compare a form as posted with one freshly made from the record as it is now."""
    before = _before(current, seen_version)
    last = Event.objects.of(current.NOUN, current.pk).select_related("actor").newest_first().first()
    fields, kept = [], {}
    for name in theirs.fields:
        if name == "version" or name not in mine.fields:
            continue
        my_value, their_value = _posted(mine[name]), _posted(theirs[name])
        if my_value == their_value:
            kept[name] = my_value
            continue
        is_theirs_alone = name in before and before[name] == my_value
        fields.append(
            Field(
                name=name,
                label=str(mine[name].label),
                mine=_read(mine[name], my_value),
                theirs=_read(theirs[name], their_value),
                mine_value=my_value,
                theirs_value=their_value,
                keep_theirs=is_theirs_alone,
            )
        )
    return Conflict(current.version, last.actor.name if last and last.actor else "", current.updated_at, fields, kept)


def conflict_response(
    request: HttpRequest, template: str, form: forms.ModelForm[Any], stale: StaleVersion, **context: object
) -> HttpResponse:
    """The same page with 412 and the dialog (ui/conflict.html), for a form whose fields are all there is to the record."""
    theirs = type(form)(instance=stale.current)
    conflict = conflict_of(form, theirs, current=stale.current, seen_version=int(form.data.get("version") or 0))
    page = {"form": form, "conflict": conflict, "kept": conflict.kept, "action": request.get_full_path(), **context}
    return render(request, template, page, status=412)


def _before(current: Record, seen_version: int) -> dict[str, str]:
    """The values that the person had on screen, of the fields that others changed since."""
    steps = max(0, min(current.version - seen_version, 100))
    before: dict[str, str] = {}
    for event in Event.objects.of(current.NOUN, current.pk).exclude(action=Event.Action.CREATED).newest_first()[:steps]:
        for name, (old, _new) in event.changes.items():
            if name == "custom":
                before |= {f"custom_{key}": _text(value) for key, value in (old or {}).items()}
            else:
                before[name] = _text(old)  # older events come later and overwrite
    return before


def _posted(field: forms.BoundField) -> str:
    return _text(field.value())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _read(field: forms.BoundField, value: str) -> str:
    """The value as a person reads it: a choice by its label, a chosen row by its name."""
    if isinstance(field.field, forms.ModelChoiceField):
        row = field.field.queryset.filter(pk=value).first() if value.isdecimal() and field.field.queryset is not None else None
        return str(row or "")
    if isinstance(field.field, forms.ChoiceField):
        labels = {str(key): str(label) for key, label in list(field.field.choices)}  # type: ignore[arg-type]
        return ", ".join(labels.get(part, part) for part in value.split(", ")) if value else ""
    return str(localize(value))
