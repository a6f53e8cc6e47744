"""One printed form makes one record, however often it is sent."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponseRedirect

from users.http import SignedInRequest
from users.models import IdempotentReply

TOKEN = re.compile(r"[0-9a-f]{32}")


def new_token() -> str:
    """For the hidden field `once` of a form that makes something."""
    return uuid.uuid4().hex


def done_once(request: SignedInRequest, act: Callable[[], str]) -> HttpResponseRedirect:
    """Do `act`, which returns where to go next; a second sending of the same form goes there without doing it again.

    The token's row and what `act` writes commit together, and the unique index makes a twin request wait for that.
    """
    token = request.POST.get("once", "")
    if not TOKEN.fullmatch(token):
        return HttpResponseRedirect(act())
    digest = hashlib.sha256(request.path.encode()).hexdigest()
    with transaction.atomic():
        reply, is_first = IdempotentReply.objects.get_or_create(
            user=request.user, key=f"form-{token}", defaults={"path": request.path[:300], "digest": digest}
        )
        if is_first:
            reply.status, reply.headers = 302, {"Location": act()}
            reply.save(update_fields=["status", "headers"])
    return HttpResponseRedirect(reply.headers.get("Location", request.path))
