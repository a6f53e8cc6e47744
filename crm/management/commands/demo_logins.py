"""Who can sign in to the demo company, with password and API token."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.demo.people import LOGINS, Login
from users.models import User

COLUMNS = ("mail", "role", "team", "password", "token")


class Command(BaseCommand):
    help = "List the demo log-ins: two teams, every role, with password and API token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = _existing()
        if options["json"]:
            self.stdout.write(json.dumps(rows, indent=2))
        elif rows:
            self._write_table(rows)
        else:
            self.stderr.write("The demo company is not loaded: run bin/manage demo.")
            sys.exit(1)

    def _write_table(self, rows: list[dict[str, str]]) -> None:
        widths = {column: max(len(row[column]) for row in [*rows, {column: column}]) for column in COLUMNS}
        for row in [{column: column for column in COLUMNS}, *rows]:
            self.stdout.write("  ".join(row[column].ljust(widths[column]) for column in COLUMNS).rstrip())


def _existing() -> list[dict[str, str]]:
    there = set(User.objects.active().filter(email__in=[login.mail for login in LOGINS]).values_list("email", flat=True))
    return [_row(login) for login in LOGINS if login.mail in there]


def _row(login: Login) -> dict[str, str]:
    return {"mail": login.mail, "role": login.role.value, "team": login.team, "password": login.password, "token": login.token}
