"""Every error of the API as one shape: RFC 9457 problem details, application/problem+json.

{"type", "title", "status", "detail", "instance", "errors": [{"field", "code", "message"}]}; `field` is a dotted path into the body
("lines.0.amount") or the name of a query parameter, and empty for what concerns the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, TypedDict

from django.utils.translation import gettext as _
from rest_framework import exceptions

CONTENT_TYPE = "application/problem+json"


class FieldError(TypedDict):
    field: str
    code: str
    message: str


class BadRequest(exceptions.APIException):
    status_code = HTTPStatus.BAD_REQUEST
    default_code = "bad_request"


class Conflict(exceptions.APIException):
    status_code = HTTPStatus.CONFLICT
    default_code = "conflict"


class PreconditionFailed(exceptions.APIException):
    """The record has another version than If-Match named."""

    status_code = HTTPStatus.PRECONDITION_FAILED
    default_code = "stale_version"

    def __init__(self, current_version: object) -> None:
        super().__init__(_("The record has changed since you read it; it is now at version %(version)s.") % {"version": current_version})
        self.current_version = current_version


class PreconditionRequired(exceptions.APIException):
    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_code = "version_required"


class PayloadTooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(_("The body is larger than 5 MiB."))


class Unprocessable(exceptions.APIException):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"


class Unavailable(exceptions.APIException):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_code = "unavailable"


def problem_body(status: int, *, code: str, detail: str, instance: str) -> dict[str, Any]:
    return {
        "type": f"urn:pareto:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "instance": instance,
    }


def flattened(detail: Any, path: str = "") -> Iterator[FieldError]:
    """DRF's nested errors as a list."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from flattened(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from flattened(inner, f"{path}.{index}".lstrip(".") if isinstance(inner, dict | list) else path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
