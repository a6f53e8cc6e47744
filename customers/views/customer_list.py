"""The list of customers: narrowed, sorted, paged by key, with the columns that the person chose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from django_filters import Filter

from customers.exports import ExportColumn, export_rows
from customers.filters import CUSTOM, CustomerFilters, problems
from customers.models import Customer, CustomField
from customers.models.customer import CustomerQuerySet
from customers.queries import values_in_use
from customers.views.choice import Choice
from customers.views.customer_columns import COLUMNS, Column, rows_as_html
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of
from users.models import Event
from users.spreadsheets import csv_download

PAGE_SIZE = 50
SESSION_KEY = "customer_columns"


USUAL_COLUMNS = ("status", "industry", "region", "owner", "revenue", "updated")
SORTS = {
    sort.key: sort
    for sort in (
        Sort("name", "sort_key"),
        Sort("-name", "sort_key", descending=True),
        Sort("number", "number"),
        Sort("-number", "number", descending=True),
        Sort("revenue", "revenue_rank"),
        Sort("-revenue", "revenue_rank", descending=True),
        Sort("updated", "updated_at"),
        Sort("-updated", "updated_at", descending=True),
    )
}
Options = tuple[Any, list[tuple[Any, Any]]]  # label, and (value, label) of each choice
Prepare = Callable[[CustomerQuerySet], CustomerQuerySet]
# What a list must be given before it can be sorted by a column that no customer has.
PREPARED: dict[str, Prepare] = {"revenue_rank": lambda customers: customers.with_revenue_rank()}


@dataclass(frozen=True)
class Addition:
    """What an app above adds to the list of customers; `add_to_list` takes it once, when that app's addresses are loaded."""

    columns: dict[str, Column] = field(default_factory=dict)
    usual: tuple[str, ...] = ()  # the columns that show until a person chooses, in place of USUAL_COLUMNS
    sorts: tuple[Sort, ...] = ()
    prepared: dict[str, Prepare] = field(default_factory=dict)  # column of a sort → how the list gets it
    filters: dict[str, Filter] = field(default_factory=dict)
    first_choices: dict[str, Options] = field(default_factory=dict)  # filter → its drop-down in the line of filters
    choices: dict[str, Options] = field(default_factory=dict)  # and in what is folded away
    exported: tuple[ExportColumn, ...] = ()


ADDITIONS: list[Addition] = []


def add_to_list(addition: Addition) -> None:
    ADDITIONS.append(addition)
    ours = dict(COLUMNS)
    COLUMNS.clear()
    COLUMNS.update(addition.columns | ours)  # what was added comes first
    SORTS.update({sort.key: sort for sort in addition.sorts})
    PREPARED.update(addition.prepared)
    CustomerFilters.base_filters.update(addition.filters)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_list(request: SignedInRequest) -> HttpResponse:
    custom_fields = list(CustomField.objects.in_use())
    filters = _filters(request, custom_fields)
    sort = SORTS.get(request.GET.get("sort", ""), SORTS["name"])
    columns = chosen_columns(request)
    page, errors = _page(request, filters, sort, columns)
    context = {
        "page": page,
        "errors": errors,
        "sort": sort.key,
        "shown": [COLUMNS[key] for key in columns],
        "rows_as_html": rows_as_html(page.rows, columns),
        "is_narrowed": any(value for name, value in request.GET.items() if name in filters.filters),
        "can_add": allowed(request.user, Permission.CUSTOMER_CHANGE),
        "can_export": allowed(request.user, Permission.CUSTOMER_EXPORT),
        "can_import": allowed(request.user, Permission.IMPORT_RUN),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "customers/customer_list.html#results", context)
    context |= {
        "choices": _choices(request, filters),
        "more_choices": (more := _more_choices(request, custom_fields)),
        "more_used": sum(1 for choice in more if choice.value),
        "columns": [(key, column.label, key in columns) for key, column in COLUMNS.items()],
        "can_restore": allowed(request.user, Permission.CUSTOMER_DELETE),
        "can_restore_contacts": allowed(request.user, Permission.CONTACT_CHANGE),
    }
    return render(request, "customers/customer_list.html", context)


@require_safe
@needs(Permission.CUSTOMER_EXPORT)
def customer_export(request: SignedInRequest) -> HttpResponseBase:
    """The list as narrowed and sorted, whole, as a CSV file that is written while it is sent."""
    custom_fields = list(CustomField.objects.in_use())
    filters = _filters(request, custom_fields)
    if not filters.is_valid():
        return HttpResponse("\n".join(problems(filters)), status=400, content_type="text/plain; charset=utf-8")
    sort = SORTS.get(request.GET.get("sort", ""), SORTS["name"])
    customers = _prepared(filters.qs, sort).order_by(*sort.columns())
    Event.record(Event.Action.EXPORTED, noun=Customer.NOUN, by=request.user, label=request.GET.urlencode() or "*")
    added = [column for addition in ADDITIONS for column in addition.exported]
    return csv_download(f"customers-{timezone.localdate():%Y-%m-%d}.csv", export_rows(customers, custom_fields, added))


@require_POST
@needs(Permission.CUSTOMER_VIEW)
def customer_columns(request: SignedInRequest) -> HttpResponse:
    """Remember the chosen columns for this session, and show the list again as it was narrowed."""
    asked = request.POST.getlist("column")
    request.session[SESSION_KEY] = [key for key in COLUMNS if key in asked]
    return HttpResponseRedirect(f"{reverse('customers:list')}?{request.GET.urlencode()}")


def _filters(request: SignedInRequest, custom_fields: list[CustomField]) -> CustomerFilters:
    visible = Customer.objects.visible_to(request.user)
    return CustomerFilters(request.GET, custom_fields=custom_fields, request=request, queryset=visible)


def chosen_columns(request: SignedInRequest) -> tuple[str, ...]:
    usual = next((addition.usual for addition in ADDITIONS if addition.usual), USUAL_COLUMNS)
    chosen = request.session.get(SESSION_KEY, usual)
    return tuple(key for key in COLUMNS if key in chosen)


def _page(request: SignedInRequest, filters: CustomerFilters, sort: Sort, columns: Iterable[str]) -> tuple[Page[Customer], list[str]]:
    """The page asked for, or an empty one with what is wrong with the question."""
    if not filters.is_valid():
        return Page([], None, None), problems(filters)
    customers = _with_columns(filters.qs, sort, columns)
    try:
        return page_of(customers, sort, request.GET.get("cursor", ""), size=PAGE_SIZE), []
    except BadCursor:
        return page_of(customers, sort, size=PAGE_SIZE), [
            str(_("The page that this address names is not part of this list: here is its beginning."))
        ]


def _with_columns(customers: CustomerQuerySet, sort: Sort, columns: Iterable[str]) -> CustomerQuerySet:
    """Fetch what the rows print, and nothing else."""
    fetched: list[str] = ["name", "number", "other_short_name"]
    joins: list[str] = []
    for key in columns:
        fetched += COLUMNS[key].fetches
        joins += COLUMNS[key].joins
    if sort.column in PREPARED:
        customers = _prepared(customers, sort)
    else:
        fetched.append(sort.column)
    return customers.select_related(*joins).only(*fetched) if joins else customers.only(*fetched)


def _prepared(customers: CustomerQuerySet, sort: Sort) -> CustomerQuerySet:
    return PREPARED[sort.column](customers) if sort.column in PREPARED else customers


def _choices(request: SignedInRequest, filters: CustomerFilters) -> list[Choice]:
    colleagues = filters.filters["owner"].queryset(request).values_list("pk", "name")[:500]
    teams = filters.filters["team"].queryset(request).values_list("pk", "name")[:500]
    options: list[tuple[str, Any, list[tuple[Any, Any]]]] = [
        ("status", _("Status"), list(Customer.Status.choices)),
        ("kind", _("Kind"), list(Customer.Kind.choices)),
        ("industry", _("Industry"), [(value, value) for value in values_in_use("industry")]),
        ("owner", _("Owner"), [("null", _("Without owner")), *((str(pk), name) for pk, name in colleagues)]),
        ("team", _("Team"), [(str(pk), name) for pk, name in teams]),
    ]
    options += [(name, label, values) for addition in ADDITIONS for name, (label, values) in addition.first_choices.items()]
    return [Choice(name, label, values, request.GET.get(name, "")) for name, label, values in options]


def _more_choices(request: SignedInRequest, custom_fields: list[CustomField]) -> list[Choice]:
    """The seldom used ones, folded away: without options they are a field to type into."""
    regions = [(value, value) for value in values_in_use("region")]
    more: list[tuple[str, Any, list[tuple[Any, Any]]]] = [("region", _("Region"), regions), ("tag", _("Tag"), [])]
    more += [(name, label, options) for addition in ADDITIONS for name, (label, options) in addition.choices.items()]
    more += [(CUSTOM + field.key, str(field), [(choice, choice) for choice in field.choices]) for field in custom_fields]
    return [Choice(name, label, values, request.GET.get(name, "")) for name, label, values in more]
