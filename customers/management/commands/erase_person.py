from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.models import Contact
from customers.privacy.erasure import erase_person


class Command(BaseCommand):
    help = "Erase all that is recorded about a contact. There is no way back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="the contact's id")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, id: int, yes: bool, **options: Any) -> None:
        contact = Contact._base_manager.filter(pk=id, erased_at=None).first()
        if contact is None:
            raise CommandError(f"There is no contact {id}, or the person was erased.")
        if not yes and input(f"Erase contact {id} for good? Type its id: ").strip() != str(id):
            raise CommandError("Nothing was erased.")
        count = erase_person(by=None, contact=contact)
        self.stdout.write(f"Erased: {count} rows and files.")
