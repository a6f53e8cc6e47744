"""The columns that a list of customers can show, and its rows.

A page prints fifty rows of a dozen cells. So they are written in Python: a template takes ten times as long for a cell, which
was half of what the page costs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from users import marks


@dataclass(frozen=True)
class Column:
    label: Promise
    cell: Callable[[Customer], Any]  # what a cell shows of its customer: a text, or HTML marked as safe
    fetches: tuple[str, ...]
    joins: tuple[str, ...] = ()
    kind: str = ""  # "num" for figures
    sort: str = ""


# What a row can show beside name and number, in the order shown.
COLUMNS = {
    "kind": Column(_("Kind"), lambda customer: customer.get_kind_display(), ("kind",)),
    "status": Column(_("Status"), lambda customer: marks.badge(customer.get_status_display(), marks.tone(customer.status)), ("status",)),
    "industry": Column(_("Industry"), lambda customer: customer.industry, ("industry",)),
    "region": Column(_("Region"), lambda customer: customer.region, ("region",)),
    "owner": Column(_("Owner"), lambda customer: customer.owner.name if customer.owner else "", ("owner__name",), ("owner",)),
    "team": Column(_("Team"), lambda customer: customer.team.name, ("team__name",), ("team",)),
    "tags": Column(_("Tags"), lambda customer: format_html_join(" ", "{}", ((marks.badge(tag),) for tag in customer.tags)), ("tags",)),
    "employees": Column(_("Employees"), lambda customer: marks.number(customer.employees), ("employees",), kind="num"),
    "revenue": Column(
        _("Annual revenue"),
        lambda customer: marks.money(customer.annual_revenue, customer.currency, compact=True),
        ("annual_revenue", "currency"),
        kind="num",
        sort="revenue",
    ),
    "acquired": Column(_("Acquired on"), lambda customer: marks.day(customer.acquired_on), ("acquired_on",)),
    "updated": Column(_("Last change"), lambda customer: marks.ago(customer.updated_at), ("updated_at",), kind="num", sort="updated"),
}


def rows_as_html(customers: list[Customer], keys: tuple[str, ...]) -> SafeString:
    """The rows of the table's body."""
    columns = [(_opening(COLUMNS[key]), COLUMNS[key].cell) for key in keys]
    return mark_safe("".join(_row(customer, columns) for customer in customers))  # noqa: S308 (each part is escaped)


def _row(customer: Customer, columns: list[tuple[str, Callable[[Customer], Any]]]) -> str:
    other = f" · {escape(customer.other_short_name)}" if customer.other_short_name else ""
    cells = "".join(f"{opening}{marks.text(cell(customer))}</td>" for opening, cell in columns)
    return (
        f'<tr><th scope="row" class="cell-main"><a href="{marks.page(customer.pk, "customers:detail")}">{escape(customer.name)}</a>'
        f'<span class="cell-sub">{escape(customer.number)}{other}</span></th>{cells}</tr>'
    )


def _opening(column: Column) -> str:
    numeric = ' class="num"' if column.kind == "num" else ""
    return f'<td{numeric} data-label="{escape(str(column.label))}">'
