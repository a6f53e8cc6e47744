"""Filters of a list, by an allow-list: `?status=active,dormant&updated_since=2026-01-01T00:00:00Z`.

A noun names its filters; each reads its text with a DRF field, so that a bad value is an error that names the parameter, and
nothing of the query string reaches the ORM as a name. An unknown or repeated parameter is an error too: a misspelt filter that is
silently ignored answers a question that nobody asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

LONGEST_VALUE = 1000
MOST_VALUES = 100
LONGEST_SEARCH = 200


@dataclass(frozen=True)
class Filter:
    """One parameter: `lookup` is where its value goes, `field` reads one value, `many` takes several with commas between.

    `beside` names another parameter without which this one says too little to be found by.
    """

    lookup: str | Callable[[Any], Q]
    field: serializers.Field[Any, Any, Any, Any]
    schema: dict[str, Any]
    many: bool = False
    beside: str = ""

    def narrow(self, queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
        if self.many:
            values = [self.field.run_validation(one) for one in text.split(",")[:MOST_VALUES]]
            return (
                queryset.filter(**{f"{self.lookup}__in": values}) if len(values) > 1 else queryset.filter(**{str(self.lookup): values[0]})
            )
        value = self.field.run_validation(text)
        return queryset.filter(self.lookup(value) if callable(self.lookup) else Q(**{self.lookup: value}))


def choice(lookup: str, choices: Any) -> Filter:
    words = [str(value) for value in choices.values]
    return Filter(lookup, serializers.ChoiceField(choices.choices), {"type": "string", "enum": words}, many=True)


def identity(lookup: str) -> Filter:
    """The id of another record."""
    return Filter(lookup, serializers.IntegerField(min_value=0, max_value=2**63 - 1), {"type": "integer"}, many=True)


def number(lookup: str) -> Filter:
    return Filter(lookup, serializers.IntegerField(min_value=-(2**31), max_value=2**31 - 1), {"type": "integer"})


def amount(lookup: str) -> Filter:
    """A number that may have decimals: money, or a probability."""
    return Filter(lookup, serializers.DecimalField(max_digits=20, decimal_places=6), {"type": "number"})


def day(lookup: str) -> Filter:
    return Filter(lookup, serializers.DateField(), {"type": "string", "format": "date"})


def moment(lookup: str) -> Filter:
    return Filter(lookup, serializers.DateTimeField(), {"type": "string", "format": "date-time"})


def flag(lookup: str | Callable[[Any], Q]) -> Filter:
    return Filter(lookup, serializers.BooleanField(), {"type": "boolean"})


def text(lookup: str | Callable[[Any], Q], *, beside: str = "") -> Filter:
    return Filter(lookup, serializers.CharField(max_length=LONGEST_SEARCH), {"type": "string"}, beside=beside)


class AllowedFilters(BaseFilterBackend):
    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        parameters = single_parameters(request, view)
        for name, value in parameters.items():
            if (one := view.filter_named(name)) is not None:
                if one.beside and one.beside not in parameters:
                    raise ValidationError({one.beside: [ErrorDetail(_("Give this parameter with %(name)s.") % {"name": name}, "required")]})
                queryset = _narrowed(queryset, name, value, one)
        words = request.query_params.get("search", "")
        if view.is_searchable and words:
            queryset = queryset.matching(_search(words))
        return queryset

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = [_documented(name, one) for name, one in view.filters.items()]
        if view.is_searchable:
            search = {"type": "string", "maxLength": LONGEST_SEARCH}
            parameters.append({"name": "search", "in": "query", "required": False, "schema": search, "description": "Words in the name."})
        return parameters


def single_parameters(request: Request, view: Any) -> dict[str, str]:
    """The query string as a plain dict; refuses what the list does not know and what is given twice."""
    errors: dict[str, Any] = {}
    for name, values in request.query_params.lists():
        if name not in PAGE_PARAMETERS and not (name == "search" and view.is_searchable) and view.filter_named(name) is None:
            errors[_shown(name)] = [ErrorDetail(_("This list has no such parameter."), "unknown")]
        elif len(values) > 1:
            errors[name] = [ErrorDetail(_("Give this parameter once; separate several values by commas."), "repeated")]
        elif len(values[0]) > LONGEST_VALUE or "\x00" in values[0]:
            errors[name] = [ErrorDetail(_("This value cannot be read."), "invalid")]
    if errors:
        raise ValidationError(errors)
    return {name: request.query_params[name] for name in request.query_params}


PAGE_PARAMETERS = frozenset({"ordering", "cursor", "page_size"})


def _narrowed(queryset: QuerySet[Any], name: str, value: str, one: Filter) -> QuerySet[Any]:
    try:
        return one.narrow(queryset, value)
    except ValidationError as error:
        raise ValidationError({name: error.detail}) from error


def _search(words: str) -> str:
    if len(words) > LONGEST_SEARCH:
        raise ValidationError({"search": [ErrorDetail(_("Search for at most 200 characters."), "max_length")]})
    return words


def _shown(name: str) -> str:
    """An unknown name as it may be quoted back."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:80]


def _documented(name: str, one: Filter) -> dict[str, Any]:
    found = {"name": name, "in": "query", "required": False, "schema": one.schema}
    if one.many:
        found |= {"schema": {"type": "array", "items": one.schema}, "style": "form", "explode": False}
    if one.beside:
        found |= {"description": f"Only together with `{one.beside}`."}
    return found
