"""Pages by key: the next page begins after the last row seen, one step down an index whatever the depth, and nothing is counted.

A cursor is that row's place in the order, and nothing else; who may see which rows is the queryset's affair.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

M = TypeVar("M", bound=models.Model)

LONGEST_CURSOR = 1000


class BadCursor(ValueError):
    """A cursor that no page of this order gave out."""


@dataclass(frozen=True)
class Sort:
    """An order by one column, descending or not, made total by a second one in the same direction.

    The column is a field or an annotation that is never null; an index on (column, tie) must exist. The tie is the primary key
    but where that has several columns: there the two together find a row.
    """

    key: str  # as the address says it: "name"; descending "-name"
    column: str
    descending: bool = False
    tie: str = "pk"

    def columns(self, *, backwards: bool = False) -> tuple[str, str]:
        sign = "-" if self.descending != backwards else ""
        return f"{sign}{self.column}", f"{sign}{self.tie}"


@dataclass(frozen=True)
class Page(Generic[M]):
    rows: list[M]
    next: str | None  # cursors of the neighbours; None where there is none
    previous: str | None


def page_of(queryset: models.QuerySet[M], sort: Sort, cursor: str = "", *, size: int) -> Page[M]:
    """The page of `size` rows at the cursor, the first one for an empty cursor; raises BadCursor."""
    backwards, place = _read(queryset, sort, cursor) if cursor else (False, None)
    ordered = queryset.order_by(*sort.columns(backwards=backwards))
    if place:
        ordered = ordered.filter(_beyond(sort, place, backwards=backwards))
    rows = list(ordered[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    if not rows:
        return Page(rows, None, None)
    after = _write(rows[-1], sort, backwards=False) if has_more or backwards else None
    before = _write(rows[0], sort, backwards=True) if (has_more if backwards else place) else None
    return Page(rows, after, before)


def _beyond(sort: Sort, place: tuple[Any, Any], *, backwards: bool) -> Q:
    value, tie = place
    word = "lt" if sort.descending != backwards else "gt"
    # The first, redundant condition is the one that the index can begin at.
    return Q(**{f"{sort.column}__{word}e": value}) & (Q(**{f"{sort.column}__{word}": value}) | Q(**{f"{sort.tie}__{word}": tie}))


def _write(row: models.Model, sort: Sort, *, backwards: bool) -> str:
    place = ["b" if backwards else "f", sort.key, getattr(row, sort.column), getattr(row, sort.tie)]
    text = json.dumps(place, default=_exactly, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _exactly(value: Any) -> str:
    """Times, dates and decimals in full: Django's encoder cuts a time at milliseconds, which would skip or repeat rows."""
    return value.isoformat() if isinstance(value, date) else str(value)


def _read(queryset: models.QuerySet[M], sort: Sort, cursor: str) -> tuple[bool, tuple[Any, Any]]:
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise BadCursor(cursor[:40])
        way, key, value, tie = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if key != sort.key or way not in ("f", "b") or value is None or tie is None or "\x00" in str(value):
            raise BadCursor(cursor)
        value = _column(queryset, sort.column).to_python(value)
        if isinstance(value, datetime):
            value = value.astimezone(UTC)  # the database refuses odd offsets
        return way == "b", (value, _column(queryset, sort.tie).to_python(tie))
    except (ValueError, TypeError, OverflowError, RecursionError, ValidationError) as error:
        raise BadCursor(cursor[:40]) from error


def _column(queryset: models.QuerySet[M], name: str) -> models.Field[Any, Any]:
    if annotation := queryset.query.annotations.get(name):
        return annotation.output_field
    options = queryset.model._meta
    return options.pk if name == "pk" else options.get_field(name)  # type: ignore[return-value]
