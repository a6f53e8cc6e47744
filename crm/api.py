"""The REST API's map: every noun under /api/v1/, its OpenAPI document and the page that shows it."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView

from customers.api.customers import CustomerView

NOUNS = {
    "customers": CustomerView,
}


class NothingHere(APIView):
    """Whatever is no address of the API, answered as the API answers."""

    permission_classes = (AllowAny,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound


router = SimpleRouter(use_regex_path=False)
for prefix, view in NOUNS.items():
    router.register(prefix, view, basename=f"api-{prefix}")

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include(router.urls)),
    re_path(r"^.*$", NothingHere.as_view()),
]
