"""Lost updates and needless downloads: a record's version as its ETag, If-Match on every change, If-None-Match on reading.

If-Match takes one version. `*` is refused like a missing one: it means "whatever is there now", which is how updates get lost.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _
from rest_framework.request import Request

from users.api.problems import PreconditionFailed, PreconditionRequired

_VERSION = re.compile(r'"?([0-9]{1,9})"?')


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version(request: Request, current: int) -> int:
    """The version that the caller edits; 428 where none is given, 412 where it cannot be the current one."""
    given = request.headers.get("If-Match", "").strip()
    if given in ("", "*"):
        raise PreconditionRequired(_('Say which version you edit: If-Match: "version", as the ETag of the record has it.'))
    match = _VERSION.fullmatch(given)
    if match is None or int(match[1]) != current:
        raise PreconditionFailed(current)
    return current


def is_known(request: Request, version: int) -> bool:
    """Whether the caller holds this version already."""
    given = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag(version) in given or "*" in given
