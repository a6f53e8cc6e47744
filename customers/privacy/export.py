from __future__ import annotations

import json
import zipfile
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from customers.models import Contact
from customers.privacy.files import imports_naming
from customers.privacy.mentions import mentions
from customers.privacy.person import Person
from users.models import Event, User
from users.spreadsheets import csv_lines

Table = list[dict[str, Any]]


@transaction.atomic
def export_person(*, by: User | None, contact: Contact, to: IO[bytes]) -> None:
    """Write a ZIP of all that is recorded about the person: person.json, and a CSV for each table. The export is an event."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '1h'")  # whole tables are read for texts that name the person
    tables = person_tables(contact)
    Event.record(Event.Action.EXPORTED, noun=Contact.NOUN, by=by, object_id=contact.pk, label=f"{Contact.NOUN} {contact.pk}")
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("person.json", json.dumps(tables, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2))
        for name, rows in tables.items():
            if rows:
                archive.writestr(f"{name}.csv", "".join(csv_lines([list(rows[0]), *(_cells(row) for row in rows)])))


def person_tables(contact: Contact) -> dict[str, Table]:
    """The rows that are the person's, the texts elsewhere that name them, and the uploaded files that do."""
    person = Person.of(contact)
    tables: dict[str, Table] = {name: list(rows.values()) for name, rows in person.rows().items()}
    own = {(rows.model._meta.label, row["id"]) for name, rows in person.rows().items() for row in tables[name]}
    found = mentions(person.words)
    tables["mentions"] = [one._asdict() for one in found if (one.table, one.pk) not in own]
    tables["import_files"] = [{"import": run.pk, "file": run.file_name, "at": run.created_at} for run in imports_naming(person.words)]
    return tables


def _cells(row: dict[str, Any]) -> list[Any]:
    return [
        json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False) if isinstance(value, dict | list) else value for value in row.values()
    ]
