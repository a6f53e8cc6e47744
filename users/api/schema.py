"""The OpenAPI document: what drf-spectacular reads off the views, plus what all of them share: errors, versions, repeatable POSTs."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS

from users.api.problems import CONTENT_TYPE
from users.api.serializers import Problem
from users.records import Record

ERRORS = {
    400: "A value, a parameter or the body is not valid; `errors` names each.",
    401: "No token, or one that is not valid.",
    403: "The token's scopes or the role do not allow this.",
    404: "There is no such record, or not for you.",
    409: "The same Idempotency-Key is being worked on, or other records stand in the way.",
    412: "The record has changed since the version in If-Match.",
    413: "The body is larger than 5 MiB.",
    415: "The body is not application/json.",
    422: "The Idempotency-Key was used for another request.",
    428: "If-Match is missing.",
    429: "Too many calls; Retry-After says when to go on.",
    503: "A server behind the API is away; Retry-After says when to try again.",
}
HAS_BODY = {400, 413, 415}

IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=True, description='The ETag that you edit, such as "3".')
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="An ETag that you hold: 304 if it is still true."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Your own name for this request: sent again, it happens once. Kept 24 hours.",
)
ETAG = OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 201], description="The record's version.")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself
    target_class = "users.api.authentication.TokenAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, made on your profile's page of tokens."}


class NounSchema(AutoSchema):
    def get_tags(self) -> list[str]:
        """One chapter for each noun."""
        return [self.path.removeprefix("/api/v1/").split("/")[0]]

    def get_response_serializers(self) -> Any:
        view: Any = self.view
        if self._action == "list" and hasattr(view, "row_serializer"):
            return view.row_serializer()(context=view.get_serializer_context())
        return super().get_response_serializers()

    def get_override_parameters(self) -> list[Any]:
        found = list(super().get_override_parameters())
        if self._is_versioned:
            found += [IF_MATCH] if self.method in ("PUT", "PATCH", "DELETE") else []
            found += [IF_NONE_MATCH] if self._action == "retrieve" else []
            found += [ETAG] if self._action != "list" else []
        return found + ([IDEMPOTENCY_KEY] if self.method == "POST" else [])

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        if self._action == "retrieve" and self._is_versioned:
            operation["responses"]["304"] = {"description": "You hold the current version."}
        content = {CONTENT_TYPE: {"schema": self.resolve_serializer(Problem, "response").ref}}
        for status in sorted(self._error_codes):
            operation["responses"].setdefault(str(status), {"description": ERRORS[status], "content": content})
        return operation

    @property
    def _action(self) -> str:
        return str(getattr(self.view, "action", "") or "")

    @property
    def _is_versioned(self) -> bool:
        model = getattr(self.view, "model", None)
        return isinstance(model, type) and issubclass(model, Record) and self._action != "bulk"

    @property
    def _error_codes(self) -> set[int]:
        codes = {401, 403, 429, 503}
        if self._action == "list":
            codes |= {400}
        if "{" in self.path:
            codes |= {404}
        if self.method not in SAFE_METHODS and self.method != "DELETE":
            codes |= HAS_BODY
        if self.method in ("PUT", "PATCH", "DELETE"):
            codes |= {409, 412, 428}
        return codes | ({409, 422} if self.method == "POST" else set())


def close_requests(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """drf-spectacular's hook: say of bodies that unknown fields are refused. Items of a bulk call have fields of their own."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and name != "BulkItemRequest":
            schema["additionalProperties"] = False
    return result
