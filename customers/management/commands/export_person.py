from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.models import Contact
from customers.privacy.export import export_person


class Command(BaseCommand):
    help = "Write all that is recorded about a contact into a ZIP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="the contact's id")
        parser.add_argument("--to", type=Path, help="the file to write; person-ID.zip here without it")

    def handle(self, *, id: int, to: Path | None, **options: Any) -> None:
        contact = Contact._base_manager.filter(pk=id, erased_at=None).first()
        if contact is None:
            raise CommandError(f"There is no contact {id}, or the person was erased.")
        path = to or Path(f"person-{id}.zip")
        with path.open("wb") as file:
            export_person(by=None, contact=contact, to=file)
        self.stdout.write(str(path))
