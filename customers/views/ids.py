from __future__ import annotations

from django.http import Http404


def asked_id(text: str) -> int | None:
    """An id out of a query or a form: None where nothing was given, 404 for what is no id."""
    if not text:
        return None
    if len(text) > 18 or not (text.isascii() and text.isdecimal()):
        raise Http404
    return int(text)
