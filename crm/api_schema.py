"""The API's description: the OpenAPI document for programs, and a page that shows it to people."""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2
from rest_framework.request import Request
from rest_framework.views import APIView

from users.http import SignedInRequest


class OpenApiDocument(APIView):
    """OpenAPI 3.1 as JSON, the same for every caller who is known."""

    schema = None

    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(document(), content_type="application/json")


@lru_cache(maxsize=1)
def document() -> bytes:
    """Written once per process: it takes seconds, and changes only with the code."""
    with translation.override("en"):
        described = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
        text: bytes = OpenApiJsonRenderer2().render(described, renderer_context={})
        return text


@require_safe
def api_docs(request: SignedInRequest) -> HttpResponse:
    return render(request, "api_docs.html")
