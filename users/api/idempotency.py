"""Once is once: a POST with an `Idempotency-Key` that is sent again gets the first answer again, and nothing happens twice.

The key's row is committed before the work begins, so of any number of twins at once one works and the others hear 409. The
answer is written into that row in the work's own transaction: either both are there or neither. Only successes are kept; after an
error the key is free again. A claim whose process died is taken over after CLAIM_LASTS.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from users.api.problems import Conflict, Unprocessable
from users.api.renderers import as_json
from users.models import IdempotentReply

P = ParamSpec("P")
V = TypeVar("V")
Handler = Callable[Concatenate[V, Request, P], Response]

CLAIM_LASTS = timedelta(minutes=10)
KEPT_HEADERS = ("ETag", "Location")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def idempotent(handler: Handler[V, P]) -> Handler[V, P]:
    """For a handler that writes in one go: work and answer commit together."""
    return _once(handler, in_one_transaction=True)


def idempotent_in_parts(handler: Handler[V, P]) -> Handler[V, P]:
    """For a handler that commits part by part and may be repeated from any point, as an upsert may."""
    return _once(handler, in_one_transaction=False)


def _once(handler: Handler[V, P], *, in_one_transaction: bool) -> Handler[V, P]:
    @wraps(handler)
    def once(self: V, request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(self, request, *args, **kwargs)
        claim = _claim(request, key)
        if claim.status is not None:
            return _replayed(claim)
        try:
            with transaction.atomic() if in_one_transaction else nullcontext():
                response = handler(self, request, *args, **kwargs)
                _keep(claim, response)
        except BaseException:
            IdempotentReply.objects.filter(pk=claim.pk, created_at=claim.created_at, status=None).delete()
            raise
        return response

    return once


def _claim(request: Request, key: str) -> IdempotentReply:
    """The key's row: a fresh one to work under, or a finished one to replay."""
    if not _KEY.fullmatch(key):
        raise ValidationError({"Idempotency-Key": [ErrorDetail(_("1 to 200 printable ASCII characters."), "invalid")]})
    asked = {"path": request.path[:300], "digest": _digest(request)}
    user: Any = request.user
    try:
        with transaction.atomic():  # insert first: nearly every key is new, and of twins the database lets one through
            return IdempotentReply.objects.create(user=user, key=key, created_at=timezone.now(), **asked)
    except IntegrityError:
        claim = IdempotentReply.objects.filter(user=user, key=key).first()
    if claim is None:  # the twin failed and freed the key in between
        raise Conflict(_("The same request is still being worked on."), code="still_running")
    if (claim.path, claim.digest) != (asked["path"], asked["digest"]):
        raise Unprocessable(_("This Idempotency-Key was used for another request."))
    if claim.status is None and not _taken_over(claim):
        raise Conflict(_("The same request is still being worked on."), code="still_running")
    return claim


def _taken_over(claim: IdempotentReply) -> bool:
    """Whether the claim was left behind by a process that died, and is ours now; of several that ask, one hears yes."""
    before, claim.created_at = claim.created_at, timezone.now()
    if claim.created_at - before < CLAIM_LASTS:
        return False
    return IdempotentReply.objects.filter(pk=claim.pk, created_at=before, status=None).update(created_at=claim.created_at) == 1


def _keep(claim: IdempotentReply, response: Response) -> None:
    kept = IdempotentReply.objects.filter(pk=claim.pk, created_at=claim.created_at, status=None).update(
        status=response.status_code,
        headers={name: response[name] for name in KEPT_HEADERS if name in response},
        body=as_json(response.data),
    )
    if not kept:  # somebody took the claim over while we worked: theirs counts, ours rolls back
        raise Conflict(_("The same request is still being worked on."), code="still_running")


def _replayed(claim: IdempotentReply) -> Response:
    headers = {**claim.headers, "Idempotent-Replayed": "true"}
    return Response(json.loads(claim.body), status=claim.status, headers=headers)


def _digest(request: Request) -> str:
    """Of what is asked for: the body's bytes, or for a form its fields and files."""
    body: Any = request.data  # parses, which notes the digest of a JSON body
    if (digest := getattr(request, "body_digest", None)) is not None:
        return str(digest)
    found = hashlib.sha256()
    for name in sorted(body):
        found.update(f"{name}={body[name] if name not in request.FILES else ''}\n".encode())
    for name in sorted(request.FILES):
        for chunk in request.FILES[name].chunks():
            found.update(chunk)
        request.FILES[name].seek(0)
    return found.hexdigest()
