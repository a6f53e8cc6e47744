"""Texts anywhere in the database that name a person: found for the copy that they get, and blanked for the erasure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

ERASED = "erased"
APPS = ("users", "customers", "segmentation", "service_center", "analytics")

# Texts that say who or what another row is, and settings of the company: a word in them names that row, not this person.
# Everything else is swept, a later model's texts included.
KEPT = {
    "users.User": "*",
    "users.Team": "*",
    "users.ApiToken": "*",
    "customers.Contact": {"name", "other_name", "search_text", "sort_key", "provenance"},
    "customers.ContactMethod": "*",
    "customers.Address": "*",
    "customers.Customer": "*",
    "customers.Product": "*",
    "customers.CustomField": "*",
    "customers.SourceSystem": {"code", "name"},
    "customers.Counter": "*",
    "customers.Suppression": "*",
    "customers.ExchangeRate": "*",
}


class Mention(NamedTuple):
    table: str
    pk: Any
    field: str
    value: Any


def swept_fields() -> dict[type[models.Model], list[models.Field[Any, Any]]]:
    """Every column that can hold a text somebody wrote, by model."""
    swept: dict[type[models.Model], list[models.Field[Any, Any]]] = {}
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            kept = KEPT.get(model._meta.label, set())
            fields = (
                [] if kept == "*" else [field for field in model._meta.concrete_fields if _holds_text(field) and field.name not in kept]
            )
            if fields:
                swept[model] = fields
    return swept


def _holds_text(field: models.Field[Any, Any]) -> bool:
    is_text = isinstance(field, models.CharField | models.TextField | models.JSONField | ArrayField)
    return is_text and not field.choices and not isinstance(field, models.GeneratedField)


def mentions(words: frozenset[str]) -> Iterator[Mention]:
    """Each text that holds one of the words. Reads whole tables: work for a job or the command line, not for a page."""
    names = pattern(words)
    for model, fields in swept_fields().items():
        for row in _rows_with(model, fields, words):
            for field in fields:
                value = getattr(row, field.attname)
                if blanked(value, names) != value:
                    yield Mention(model._meta.label, row.pk, field.attname, value)


def blank_mentions(words: frozenset[str]) -> int:
    """Put ERASED in place of each of the words; how many rows were changed. Lifts append-only for the transaction."""
    changed, names = 0, pattern(words)
    for model, fields in swept_fields().items():
        for row in _rows_with(model, fields, words):
            values = {field.attname: getattr(row, field.attname) for field in fields}
            new = {name: after for name, value in values.items() if (after := blanked(value, names)) != value}
            if new:
                model._base_manager.filter(pk=row.pk).update(**new)
                changed += 1
    return changed


def pattern(words: frozenset[str]) -> re.Pattern[str]:
    """The words as whole ones: li@example.com is not in ali@example.com. Chinese is written without gaps, so there any place counts."""
    longest_first = sorted(words, key=len, reverse=True)
    parts = [
        re.escape(word) if re.search(r"[\u3400-\u9fff]", word) else rf"(?<![\w@.]){re.escape(word)}(?![\w@])" for word in longest_first
    ]
    return re.compile("|".join(parts) or r"(?!)", re.IGNORECASE)


def blanked(value: Any, names: re.Pattern[str]) -> Any:
    """The value with each name in it blanked, down to the leaves of lists and objects; a number that is one as a whole too."""
    match value:
        case str():
            return names.sub(ERASED, value)
        case dict():
            return {blanked(key, names): blanked(inner, names) for key, inner in value.items()}
        case list():
            return [blanked(inner, names) for inner in value]
        case int() if not isinstance(value, bool) and names.fullmatch(str(value)):
            return ERASED
        case _:
            return value


def _rows_with(model: type[models.Model], fields: list[models.Field[Any, Any]], words: frozenset[str]) -> list[Any]:
    """A first, coarse choice made by the database: one pass over the table, however many words."""
    if not words:
        return []
    quote: Callable[[str], str] = connection.ops.quote_name
    columns = " || ' ' || ".join(f"coalesce({quote(field.column or field.name)}::text, '')" for field in fields)
    table, key = quote(model._meta.db_table), quote(model._meta.pk.column or "id")
    likes = [f"%{_like(form)}%" for word in words for form in {word, _as_json(word)}]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key} FROM {table} WHERE ({columns}) ILIKE ANY(%s)", [likes])  # noqa: S608 (names of our own columns)
        found = [row[0] for row in cursor.fetchall()]
    return list(model._base_manager.filter(pk__in=found))


def _like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _as_json(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
