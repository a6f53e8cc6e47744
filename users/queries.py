from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.translation import gettext_lazy as _

from users.models import Event
from users.models.event import models_by_noun


class FieldChange(NamedTuple):
    """One field of a change, as people read it: the field by its name, choices by their words, a related row by its own name."""

    label: str
    before: Any
    after: Any


def described(events: Iterable[Event]) -> list[tuple[Event, list[FieldChange]]]:
    """Each event with its changes in words. One query per kind of related row, however many events."""
    fields = {(event.noun, name): _field(event.noun, name) for event in events for name in event.changes}
    names = _related_names(events, fields)

    def words(field: models.Field[Any, Any] | None, value: Any) -> Any:
        if field is not None and field.related_model and value is not None:
            return names.get((field.related_model, value), f"#{value}")
        if isinstance(value, dict):  # such as the counts of an import
            return ", ".join(f"{name.replace('_', ' ')} {inner}" for name, inner in value.items() if inner)
        return dict(field.flatchoices).get(value, value) if field is not None and isinstance(value, str) else value

    return [
        (
            event,
            [
                FieldChange(label_of(field, name), words(field, before), words(field, after))
                for name, (before, after) in event.changes.items()
                for field in [fields[event.noun, name]]
            ],
        )
        for event in events
    ]


def _related_names(events: Iterable[Event], fields: dict[tuple[str, str], models.Field[Any, Any] | None]) -> dict[tuple[Any, Any], str]:
    wanted: dict[Any, set[Any]] = defaultdict(set)
    for event in events:
        for name, pair in event.changes.items():
            field = fields[event.noun, name]
            if field is not None and field.related_model:
                wanted[field.related_model].update(value for value in pair if isinstance(value, int))
    return {(model, pk): str(row) for model, pks in wanted.items() for pk, row in model._base_manager.in_bulk(pks).items()}


def _field(noun: str, name: str) -> models.Field[Any, Any] | None:
    """None for a field that is gone by now: it keeps the name it was recorded under."""
    try:
        field = models_by_noun()[noun]._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return None
    return field if isinstance(field, models.Field) else None


# What events tell beside the fields of their record.
_TOLD_BESIDE = {"address": _("network address"), "counts": _("rows"), "source_record": _("source record")}


def label_of(field: models.Field[Any, Any] | None, name: str) -> str:
    return str(field.verbose_name if field is not None else _TOLD_BESIDE.get(name, name))
