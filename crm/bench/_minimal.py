"""The yardstick: a Django view that reads one row by its key and says its name. And a count of queries, on request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from customers.models import Customer

COUNT_HEADER = "X-Count-Queries"


@login_not_required
def one_row(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(Customer.objects.only("name").get(pk=pk).name)


def count_queries(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Outermost, so that the queries for session, person and token count as well."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if COUNT_HEADER not in request.headers:
            return get_response(request)
        count = 0

        def counted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
            nonlocal count
            count += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(counted):
            response = get_response(request)
        response[COUNT_HEADER] = str(count)
        return response

    return middleware
