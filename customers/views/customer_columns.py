"""The columns that a list of customers can show, and its rows.

A page prints fifty rows of a dozen cells. So the rows of a choice of columns are a template of their own, made once: a cell
costs its value and no question whether it is shown, which is two thirds of what the whole page used to cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template import engines
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from customers.models import Customer


@dataclass(frozen=True)
class Column:
    label: Promise
    cell: str  # how a cell shows its customer
    fetches: tuple[str, ...]
    joins: tuple[str, ...] = ()
    kind: str = ""  # "num" for figures
    sort: str = ""


# What a row can show beside name and number, in the order shown.
COLUMNS = {
    "kind": Column(_("Kind"), "{{ customer.get_kind_display }}", ("kind",)),
    "status": Column(_("Status"), "{% badge customer.get_status_display tone=customer.status|tone %}", ("status",)),
    "industry": Column(_("Industry"), "{{ customer.industry }}", ("industry",)),
    "region": Column(_("Region"), "{{ customer.region }}", ("region",)),
    "owner": Column(_("Owner"), "{% if customer.owner_id %}{{ customer.owner.name }}{% endif %}", ("owner__name",), ("owner",)),
    "team": Column(_("Team"), "{{ customer.team.name }}", ("team__name",), ("team",)),
    "tags": Column(_("Tags"), "{% for tag in customer.tags %}{% badge tag %} {% endfor %}", ("tags",)),
    "employees": Column(_("Employees"), "{{ customer.employees|number }}", ("employees",), kind="num"),
    "revenue": Column(
        _("Annual revenue"),
        "{% money customer.annual_revenue customer.currency compact=True %}",
        ("annual_revenue", "currency"),
        kind="num",
        sort="revenue",
    ),
    "acquired": Column(_("Acquired on"), "{{ customer.acquired_on|day }}", ("acquired_on",)),
    "updated": Column(_("Last change"), "{{ customer.updated_at|ago }}", ("updated_at",), kind="num", sort="updated"),
}
ROW = (
    '{% for customer in customers %}<tr><th scope="row" class="cell-main">'
    '<a href="{% url "customers:detail" customer.pk %}">{{ customer.name }}</a><span class="cell-sub">{{ customer.number }}'
    "{% if customer.other_short_name %} · {{ customer.other_short_name }}{% endif %}</span></th>CELLS</tr>{% endfor %}"
)


def rows_as_html(customers: list[Customer], columns: tuple[str, ...]) -> SafeString:
    """The rows of the table's body."""
    html: SafeString = _template(columns, get_language() or "").render({"customers": customers})
    return html


@lru_cache(maxsize=256)
def _template(columns: tuple[str, ...], language: str) -> Any:
    return engines["django"].from_string(ROW.replace("CELLS", "".join(_cell(COLUMNS[key]) for key in columns)))


def _cell(column: Column) -> str:
    numeric = ' class="num"' if column.kind == "num" else ""
    return f'<td{numeric} data-label="{escape(str(column.label))}">{column.cell}</td>'
