"""What imports could not settle by themselves and leave to a person: opportunities without a customer, rows with a question."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.forms.to_do import AssignForm, WhichCustomerForm
from customers.imports import again
from customers.imports.problems import explain
from customers.models import ImportProblem, Opportunity
from customers.queries import count_up_to
from users.access import Permission, allowed, needs
from users.http import SignedInRequest
from users.keyset import BadCursor, Page, Sort, page_of
from users.records import StaleVersion

PAGE_SIZE = 25
COUNTED_TO = 99
NEWEST_FIRST = Sort("-id", "id", descending=True)


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def to_do(request: SignedInRequest) -> HttpResponse:
    opportunities = Opportunity.objects.visible_to(request.user).without_customer()
    problems = ImportProblem.objects.visible_to(request.user).to_do()
    tab = "rows" if request.GET.get("tab") == "rows" else "opportunities"
    context: dict[str, Any] = {
        "tab": tab,
        "counts": {"opportunities": count_up_to(opportunities, COUNTED_TO), "rows": count_up_to(problems, COUNTED_TO)},
        "can_assign": allowed(request.user, Permission.SALES_CHANGE),
    }
    if tab == "rows":
        context |= _rows_tab(request, problems.select_related("run__source"))
    else:
        context["page"] = page = _page(request, opportunities.select_related("product", "owner", "source"))
        context["rows"] = [(row, AssignForm(user=request.user, auto_id=f"{row.pk}_%s")) for row in page.rows]
    return render(request, "customers/to_do.html", context)


def _rows_tab(request: SignedInRequest, problems: QuerySet[ImportProblem]) -> dict[str, Any]:
    """The rows with what they ask, a form for those that ask for a customer, and the imports whose rows can be tried again."""
    page = _page(request, problems)
    rows, can_import = [], allowed(request.user, Permission.IMPORT_RUN)
    for problem in page.rows:
        asks = can_import and problem.code in again.NAMES_A_CUSTOMER and problem.value
        form = WhichCustomerForm(user=request.user, auto_id=f"{problem.pk}_%s") if asks else None
        rows.append((problem, explain(problem.code, problem.parameters), problem.row.items(), form))
    waiting = {problem.run.pk: problem.run for problem in page.rows if problem.code in again.CODES and problem.run.state in again.ENDED}
    return {"page": page, "rows": rows, "waiting_runs": list(waiting.values()) if can_import else []}


@require_POST
@needs(Permission.SALES_CHANGE)
def opportunity_assign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say whose opportunity it is; the row leaves the list."""
    opportunity = get_object_or_404(Opportunity.objects.visible_to(request.user).without_customer(), pk=pk)
    form = AssignForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Customer: choose one from the suggestions."))
        return _back(request)
    try:
        opportunity.change(by=request.user, expected_version=form.cleaned_data["version"], customer=form.cleaned_data["customer"])
    except StaleVersion:
        messages.error(request, _("Somebody changed this opportunity in the meantime; nothing was saved."))
        return _back(request)
    text = _("%(opportunity)s now belongs to %(customer)s.")
    messages.success(request, text % {"opportunity": opportunity, "customer": form.cleaned_data["customer"]})
    return _back(request)


@require_POST
@needs(Permission.IMPORT_RUN)
def problem_resolve(request: SignedInRequest, pk: int) -> HttpResponse:
    get_object_or_404(ImportProblem.objects.visible_to(request.user), pk=pk).resolve(by=request.user)
    messages.success(request, _("Done."))
    return _back(request, tab="rows")


@require_POST
@needs(Permission.IMPORT_RUN)
def row_assign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Say whom a source means by a name that nobody knew; its waiting rows can then be imported again."""
    problem = get_object_or_404(ImportProblem.objects.visible_to(request.user).select_related("run__source"), pk=pk)
    form = WhichCustomerForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Customer: choose one from the suggestions."))
        return _back(request, tab="rows")
    customer = form.cleaned_data["customer"]
    try:
        again.say_which_customer(problem, by=request.user, customer=customer)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        text = _("“%(name)s” now means %(customer)s in files of %(source)s. Import the waiting rows again to use it.")
        messages.success(request, text % {"name": problem.value, "customer": customer, "source": problem.run.source})
    return _back(request, tab="rows")


def _back(request: SignedInRequest, tab: str = "") -> HttpResponse:
    """To the same list again."""
    return HttpResponseRedirect(reverse("customers:to-do") + (f"?tab={tab}" if tab else ""))


def _page(request: SignedInRequest, rows: QuerySet[Any]) -> Page[Any]:
    try:
        return page_of(rows, NEWEST_FIRST, request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor:
        return page_of(rows, NEWEST_FIRST, size=PAGE_SIZE)
