"""Load the demo company."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.demo import company
from crm.demo.company import State


class Command(BaseCommand):
    help = "Load the demo company into an empty database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing, without an error, where data is there already")

    def handle(self, *args: Any, **options: Any) -> None:
        state = company.state()
        if state is State.EMPTY:
            company.load(timezone.localdate())
        elif not options["if_empty"]:
            raise CommandError(f"Nothing was loaded: {state.value}.")
