"""One line per event on standard error: when, how bad, who says it, in which request, what. Never what people typed.

Searches, form fields and rows are personal data: the query string is left out of the line of a request, and of a database
error only its kind and the constraint are kept, since its text quotes values.
"""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path

from django.db import DatabaseError

from users.http import request_id

ROOT = str(Path(__file__).resolve().parent.parent) + "/"
DEEPEST = 12  # frames, the innermost ones


class OneLine(logging.Formatter):
    """2026-11-23T09:12:01.345Z ERROR crm.errors 5f0c… the message | ValueError: why | customers/views.py:31 customer_list < …"""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        parts = [f"{at} {record.levelname} {record.name} {request_id.get() or '-'} {record.getMessage()}"]
        if record.exc_info and record.exc_info[1]:
            parts += [_described(record.exc_info[1]), _where(record.exc_info[1])]
        # A line break in a path or a name would make a second line that nobody wrote.
        return " | ".join(parts).replace("\r", "\\r").replace("\n", "\\n")


def _described(error: BaseException) -> str:
    if isinstance(error, DatabaseError):
        diagnosis = getattr(error.__cause__, "diag", None)
        named = [getattr(diagnosis, name, None) for name in ("sqlstate", "table_name", "constraint_name", "column_name")]
        return " ".join([type(error).__name__, *(name for name in named if name)])
    return f"{type(error).__name__}: {error}"


def _where(error: BaseException) -> str:
    frames = reversed(traceback.extract_tb(error.__traceback__)[-DEEPEST:])
    return " < ".join(f"{frame.filename.removeprefix(ROOT)}:{frame.lineno} {frame.name}" for frame in frames)


def is_no_health_check(record: logging.LogRecord) -> bool:
    """For Django's own line about an answer of 503: whoever asked for health has been told, every few seconds."""
    return getattr(getattr(record, "request", None), "path", "") != "/healthz"
