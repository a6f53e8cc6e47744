"""Pages of a list by cursor, on `users.keyset`: nothing is counted, and page 10,000 costs what page 1 costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from users.keyset import BadCursor, Page, Sort, page_of

USUAL_SIZE = 50
LARGEST_SIZE = 200


class CursorPages(BasePagination):
    """Reads `sorts` from the view: the allowed orders, the first being the usual one. `-name` turns an order round."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        sort, size = _sort(request, view.sorts), _size(request)
        try:
            self.page: Page[Any] = page_of(queryset, sort, request.query_params.get("cursor", ""), size=size)
        except BadCursor as error:
            problem = ErrorDetail(_("This cursor does not belong to this list and order; begin again without it."), "invalid_cursor")
            raise ValidationError({"cursor": [problem]}) from error
        self.address = request.build_absolute_uri()
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._link(self.page.next), "previous": self._link(self.page.previous), "results": data})

    def _link(self, cursor: str | None) -> str | None:
        return replace_query_param(self.address, "cursor", cursor) if cursor else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orders = [key for sort in view.sorts for key in (sort.key, f"-{sort.key}")]
        return [
            _parameter(
                "ordering", {"type": "string", "enum": orders, "default": _key(view.sorts[0])}, "A minus sign turns the order round."
            ),
            _parameter("page_size", {"type": "integer", "minimum": 1, "maximum": LARGEST_SIZE, "default": USUAL_SIZE}, "Rows in a page."),
            _parameter("cursor", {"type": "string"}, "The place to go on from, as found in `next` and `previous`."),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _key(sort: Sort) -> str:
    return f"-{sort.key}" if sort.descending else sort.key


def _sort(request: Request, sorts: tuple[Sort, ...]) -> Sort:
    wanted = request.query_params.get("ordering", "")
    if not wanted:
        return sorts[0]
    for sort in sorts:
        if sort.key == wanted.removeprefix("-"):
            return replace(sort, descending=wanted.startswith("-"))
    allowed = ", ".join(sort.key for sort in sorts)
    raise ValidationError({"ordering": [ErrorDetail(_("Order by one of: %(names)s.") % {"names": allowed}, "unknown")]})


def _size(request: Request) -> int:
    text = request.query_params.get("page_size", str(USUAL_SIZE))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LARGEST_SIZE):
        raise ValidationError({"page_size": [ErrorDetail(_("A number from 1 to 200."), "invalid")]})
    return int(text)
