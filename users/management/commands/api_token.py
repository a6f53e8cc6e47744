from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from users.access import Permission, Scope, allowed
from users.models import ApiToken, User


class Command(BaseCommand):
    help = "Make an API token for a user and print it; it cannot be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mail", help="the user's e-mail address")
        parser.add_argument("--scopes", required=True, help=f"what the token may, separated by commas: {', '.join(Scope.values)}")
        parser.add_argument("--name", default="command line", help="what will use it")
        parser.add_argument("--days", type=int, help="how long it works; without this, until it is revoked")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, mail: str, scopes: str, name: str, days: int | None, json: bool, **options: Any) -> None:
        user = User.objects.filter(email__iexact=mail).first()
        if user is None or not allowed(user, Permission.TOKEN_OWN):
            raise CommandError(f"{mail} is not an active user who may have API tokens.")
        if not 1 <= len(name) <= 80:
            raise CommandError("--name takes 1 to 80 characters.")
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days takes 1 to 3650.")
        expires_at = timezone.now() + timedelta(days=days) if days else None
        token, secret = ApiToken.issue(user=user, by=None, name=name, scopes=_scopes(scopes), expires_at=expires_at)
        self.stdout.write(_as_json(token, secret) if json else secret)


def _scopes(text: str) -> list[str]:
    scopes = {scope.strip() for scope in text.split(",")} - {""}
    if unknown := scopes - {*Scope.values}:
        raise CommandError(f"Unknown scope: {', '.join(sorted(unknown))}. There are {', '.join(Scope.values)}.")
    if not scopes:
        raise CommandError("--scopes names none.")
    return sorted(scopes)


def _as_json(token: ApiToken, secret: str) -> str:
    expires_at = token.expires_at.isoformat() if token.expires_at else None
    return json.dumps({"token": secret, "user": token.user.email, "name": token.name, "scopes": token.scopes, "expires_at": expires_at})
