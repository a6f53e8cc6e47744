"""From whatever was raised to a problem: DRF's EXCEPTION_HANDLER."""

from __future__ import annotations

import logging
import re
from typing import Any

from django.core import signals
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.db.models import ProtectedError
from django.http import Http404
from django.utils.translation import gettext as _
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.fields import get_error_detail
from rest_framework.response import Response
from rest_framework.views import set_rollback

from users.api.problems import (
    CONTENT_TYPE,
    BadRequest,
    Conflict,
    FieldError,
    PayloadTooLarge,
    PreconditionFailed,
    Unavailable,
    flattened,
    problem_body,
)
from users.records import StaleVersion

logger = logging.getLogger("django.request")

RETRY_AFTER_SECONDS = 30


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER: never None, so no error leaves the API as anything but a problem."""
    set_rollback()
    known = _known(exc)
    if known is None:
        return _own_mistake(exc, context)
    response = problem(
        known.status_code,
        code=_code(known),
        detail=_detail(known),
        instance=context["request"].path,
        errors=list(flattened(known.detail)) if isinstance(known, exceptions.ValidationError) else [],
    )
    _add_headers(response, known)
    return response


def problem(status: int, *, code: str, detail: str, instance: str, errors: list[FieldError] | None = None) -> Response:
    body = problem_body(status, code=code, detail=detail, instance=instance)
    return Response(body | ({"errors": errors} if errors else {}), status=status, content_type=CONTENT_TYPE)


def _known(exc: Exception) -> exceptions.APIException | None:
    match exc:
        case exceptions.APIException():
            return exc
        case DjangoValidationError():
            return exceptions.ValidationError(_own_names(get_error_detail(exc)))
        case StaleVersion():
            return PreconditionFailed(exc.current.version)
        case Http404():
            return exceptions.NotFound()
        case DjangoPermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return PayloadTooLarge()
        case SuspiciousOperation() | UnicodeError():
            return BadRequest(_("The request cannot be read."))
        case DataError():
            return BadRequest(_("A value is out of the range that can be stored."))
        case ProtectedError():
            return Conflict(_("Other records refer to this one."))
        case IntegrityError():
            return violated_rule(exc)
        case OperationalError() | InterfaceError() | RedisError():
            logger.error("a server behind the API is out of reach", exc_info=exc)
            return Unavailable(_("The service is not available for the moment."))
    return None


def violated_rule(exc: IntegrityError, constraints: Any = ()) -> exceptions.APIException:
    """A rule that the database holds, as a client's error. The database decides, so that of two twins at once one fails cleanly.

    `constraints` are the model's, whose messages and fields name what is wrong.
    """
    diagnosis = getattr(exc.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None)
    columns = re.match(r"Key \(([a-z_, ]+)\)=", getattr(diagnosis, "message_detail", None) or "")
    for constraint in constraints:
        if constraint.name == name:
            fields = list(getattr(constraint, "fields", ()))
            message = constraint.get_violation_error_message() if not fields or _has_own_message(constraint) else _ALREADY()
            return _field_problem(fields, message)
    if columns:
        fields = [column.removesuffix("_id") for column in columns[1].split(", ")]
        is_missing = "is not present" in (diagnosis.message_detail if diagnosis else "")
        return _field_problem(fields, _("There is no such record.") if is_missing else _ALREADY())
    return Conflict(_("This conflicts with another record."))


def _ALREADY() -> str:  # noqa: N802
    return _("There is already such a record.")


def _has_own_message(constraint: Any) -> bool:
    return bool(constraint.violation_error_message != constraint.default_violation_error_message)


def _field_problem(fields: list[str], message: str) -> exceptions.ValidationError:
    error = [exceptions.ErrorDetail(message, "not_allowed")]
    return exceptions.ValidationError(dict.fromkeys(fields or ["non_field_errors"], error))


def _own_names(detail: Any) -> Any:
    """Django calls the errors of the whole `__all__`."""
    if isinstance(detail, dict):
        return {"non_field_errors" if name == "__all__" else name: inner for name, inner in detail.items()}
    return {"non_field_errors": detail}


def _code(exc: exceptions.APIException) -> str:
    codes = exc.get_codes()
    return codes if isinstance(codes, str) else "invalid"


def _detail(exc: exceptions.APIException) -> str:
    return _("Some values are not valid; see errors.") if isinstance(exc, exceptions.ValidationError) else str(exc.detail)


def _add_headers(response: Response, exc: exceptions.APIException) -> None:
    if header := getattr(exc, "auth_header", None):
        response["WWW-Authenticate"] = header
    if (wait := getattr(exc, "wait", None)) is not None:
        response["Retry-After"] = str(max(1, int(wait)))
    if isinstance(exc, PreconditionFailed):
        response["ETag"] = f'"{exc.current_version}"'
    if isinstance(exc, Unavailable):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)


def _own_mistake(exc: Exception, context: dict[str, Any]) -> Response:
    """Our own mistake: logged with its trace, told to Django's listeners, and answered without a word of it."""
    request = context["request"]
    signals.got_request_exception.send(sender=None, request=request._request)
    logger.error("Internal Server Error: %s", request.path, exc_info=exc)
    return problem(500, code="server_error", detail=_("Something went wrong on our side."), instance=request.path)
