"""Files for people's own spreadsheets, written row by row while they are sent: nothing is held whole in memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from customers.maths.csv_cells import with_formula_disarmed
from customers.models import Customer, CustomField
from customers.models.customer import CustomerQuerySet

BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as Latin-1
CHUNK = 1000
FIELDS = (
    "number",
    "legal_name",
    "short_name",
    "other_legal_name",
    "other_short_name",
    "credit_code",
    "kind",
    "status",
    "industry",
    "employees",
    "annual_revenue",
    "currency",
    "founded_year",
    "region",
    "country",
    "website",
    "acquisition_source",
    "acquired_on",
    "acquisition_cost",
    "payment_terms_days",
    "payment_preference",
)


class _Line:
    """What the csv module takes for a file: it hands back each line as it is written."""

    def write(self, line: str) -> str:
        return line


def csv_of(customers: CustomerQuerySet, custom_fields: list[CustomField]) -> Iterator[str]:
    """The lines of the file. Labels are looked up at once, since the reader's language is gone when the lines are sent."""
    writer = csv.writer(_Line())
    titles = {field.name: str(field.verbose_name) for field in Customer._meta.concrete_fields}
    header = [*(titles[name] for name in (*FIELDS, "owner", "team", "tags")), *(str(field) for field in custom_fields)]
    labels = {
        name: {key: str(label) for key, label in choices}
        for name in FIELDS
        if (choices := getattr(Customer._meta.get_field(name), "flatchoices", None))
    }
    rows = customers.select_related("owner", "team").only(*FIELDS, "owner__name", "team__name", "tags", "custom")

    def lines() -> Iterator[str]:
        yield BYTE_ORDER_MARK + writer.writerow([_cell(title) for title in header])
        for customer in rows.iterator(chunk_size=CHUNK):
            values = [labels.get(name, {}).get(value := getattr(customer, name), value) for name in FIELDS]
            values += [customer.owner.name if customer.owner else "", customer.team.name, ", ".join(customer.tags)]
            values += [customer.custom.get(field.key) for field in custom_fields]
            yield writer.writerow([_cell(value) for value in values])

    return lines()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return with_formula_disarmed(value) if isinstance(value, str) else str(value)
