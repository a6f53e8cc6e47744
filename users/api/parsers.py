"""Reading a request's body: strict JSON of a limited size and depth, so that nothing odd reaches the code behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import BaseParser

from users.api.problems import PayloadTooLarge

LARGEST_BODY = 5 * 1024 * 1024
DEEPEST = 20
LARGEST_EXPONENT = 300


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 has it: UTF-8, no NaN, no key twice, and no text that the database cannot hold."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(LARGEST_BODY + 1)
        if len(raw) > LARGEST_BODY:
            raise PayloadTooLarge
        if parser_context and (request := parser_context.get("request")):
            request.body_digest = hashlib.sha256(raw).hexdigest()  # for the Idempotency-Key
        value = _loaded(raw)
        refuse_odd_values(value)
        return value


def _loaded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_number)
    except RecursionError as error:
        raise ParseError(_("The JSON is nested too deeply.")) from error
    except UnicodeDecodeError as error:
        raise ParseError(_("The body is not UTF-8.")) from error
    except ValueError as error:  # JSONDecodeError, and integers of thousands of digits
        raise ParseError(_("The body is not valid JSON: %(reason)s") % {"reason": str(error)[:200]}) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError(_("A name occurs twice in one object."))
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ParseError(_("%(name)s is not a number in JSON.") % {"name": name})


def _number(text: str) -> Decimal:
    """Decimal, since money must not pass through binary fractions."""
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ParseError(_("A number is out of range.")) from error
    if abs(number.adjusted()) > LARGEST_EXPONENT:
        raise ParseError(_("A number is out of range."))
    return number


def refuse_odd_values(value: Any) -> None:
    """Walk everything, without recursion: how deep it goes, and texts with NUL bytes or halves of surrogate pairs."""
    todo: list[tuple[str, Any, int]] = [("", value, 1)]
    while todo:
        path, item, depth = todo.pop()
        if isinstance(item, str):
            _refuse_odd_text(path, item)
        elif isinstance(item, dict | list):
            if depth > DEEPEST:
                raise ParseError(_("The JSON is nested too deeply."))
            if isinstance(item, dict):
                for name in item:
                    _refuse_odd_text(path, name)
            pairs = item.items() if isinstance(item, dict) else enumerate(item)
            todo.extend((f"{path}.{name}" if path else str(name), inner, depth + 1) for name, inner in pairs)


def _refuse_odd_text(path: str, text: str) -> None:
    if "\x00" in text:
        raise ValidationError({path: [ErrorDetail(_("Text must not contain NUL characters."), "null_characters_not_allowed")]})
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            problem = ErrorDetail(_("Text must not contain half of a surrogate pair."), "surrogate_characters_not_allowed")
            raise ValidationError({path.encode(errors="replace").decode(): [problem]}) from error
