"""Files for people's own spreadsheets, written row by row while they are sent: nothing is held whole in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from customers.models import Customer, CustomField
from customers.models.customer import CustomerQuerySet

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


@dataclass(frozen=True)
class ExportColumn:
    """A column that an app above adds to the file. `labels` are looked up before the lines are sent; a value without one stays as it is."""

    label: Promise
    value: Callable[[Customer], Any]
    fetches: tuple[str, ...]
    joins: tuple[str, ...] = ()
    labels: tuple[tuple[Any, Promise | str], ...] = ()


def export_rows(customers: CustomerQuerySet, custom_fields: list[CustomField], added: Sequence[ExportColumn] = ()) -> Iterator[list[Any]]:
    """The rows of the file, its header first. Labels are looked up at once, since the reader's language is gone when the lines are sent."""
    titles = {field.name: str(field.verbose_name) for field in Customer._meta.concrete_fields}
    header = [*(titles[name] for name in (*FIELDS, "owner", "team", "tags")), *(str(field) for field in custom_fields)]
    header += [str(column.label) for column in added]
    labels = {
        name: {key: str(label) for key, label in choices}
        for name in FIELDS
        if (choices := getattr(Customer._meta.get_field(name), "flatchoices", None))
    }
    added_labels = [{key: str(label) for key, label in column.labels} for column in added]
    joins, fetches = ({name for column in added for name in getattr(column, kind)} for kind in ("joins", "fetches"))
    found = customers.select_related("owner", "team", *joins).only(*FIELDS, "owner__name", "team__name", "tags", "custom", *fetches)

    def rows() -> Iterator[list[Any]]:
        yield header
        for customer in found.iterator(chunk_size=CHUNK):
            values = [labels.get(name, {}).get(value := getattr(customer, name), value) for name in FIELDS]
            values += [customer.owner.name if customer.owner else "", customer.team.name, ", ".join(customer.tags)]
            values += [customer.custom.get(field.key) for field in custom_fields]
            yield values + [said.get(value := column.value(customer), value) for column, said in zip(added, added_labels, strict=True)]

    return rows()
