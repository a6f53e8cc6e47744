"""What the engine stores as codes with figures, said in the reader's language.

Each table maps a code to a sentence with named figures; a code that is not known yet is shown as it stands rather than hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from segmentation.models import Tier
from users.marks import NOTHING, money, number, percent

Coded: TypeAlias = Mapping[str, Any]
"""{"code": "orders", "amount": 1200.0, "expected": 2.4}: what the engine means, with its figures."""


def amount(value: Any) -> str:
    """An estimate, rounded to what it can bear: $12.3K."""
    return NOTHING if value is None else money(float(value), compact=True)


def tier_name(tier: Any) -> str:
    return str(Tier(int(tier)).label) if tier in Tier.values else NOTHING


# ── Drivers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _contracts(one: Coded) -> str:
    count = int(one.get("count") or 0)
    if not count:
        return _("Contracts are expected to bring %(amount)s") % {"amount": amount(one.get("amount"))}
    text = ngettext("%(count)s contract is expected to bring %(amount)s", "%(count)s contracts are expected to bring %(amount)s", count)
    return text % {"count": number(count), "amount": amount(one.get("amount"))}


def _orders(one: Coded) -> str:
    expected = one.get("expected")
    if expected is None:
        return _("Orders are expected to bring %(amount)s") % {"amount": amount(one.get("amount"))}
    return _("Orders are expected to bring %(amount)s; %(expected)s are expected within a year") % {
        "amount": amount(one.get("amount")),
        "expected": number(float(expected), 1),
    }


def _trend(one: Coded) -> str:
    change = float(one.get("change") or 0)
    text = _("Margin rose by %(change)s in half a year") if change >= 0 else _("Margin fell by %(change)s in half a year")
    return text % {"change": percent(abs(change))}


def _no_order(one: Coded) -> str:
    days = int(one.get("days") or 0)
    return ngettext("No order for %(days)s day", "No order for %(days)s days", days) % {"days": number(days)}


def _renewal_due(one: Coded) -> str:
    days = int(one.get("days") or 0)
    chance = percent(one.get("probability"))
    if days < 0:
        return _("A contract’s renewal is overdue; it renews with a probability of %(chance)s") % {"chance": chance}
    text = ngettext(
        "A contract ends in %(days)s day and renews with a probability of %(chance)s",
        "A contract ends in %(days)s days and renews with a probability of %(chance)s",
        days,
    )
    return text % {"days": number(days), "chance": chance}


def _boundary(one: Coded) -> str:
    return _("%(distance)s from the boundary of %(tier)s") % {
        "distance": amount(abs(float(one.get("distance") or 0))),
        "tier": tier_name(one.get("tier")),
    }


DRIVERS: dict[str, Callable[[Coded], str]] = {
    "contracts": _contracts,
    "orders": _orders,
    "referrals": lambda one: _("Customers that it referred add %(amount)s") % {"amount": amount(one.get("amount"))},
    "retention_cost": lambda one: _("Keeping it costs %(amount)s") % {"amount": amount(one.get("amount"))},
    "margin_12m": lambda one: _("Contribution margin of the last 12 months: %(amount)s") % {"amount": amount(one.get("amount"))},
    "no_order": _no_order,
    "order_pace": lambda one: _("%(pace)s orders a year") % {"pace": number(float(one.get("per_year") or 0), 1)},
    "trend": _trend,
    "overdue": lambda one: _("Overdue money cost %(amount)s in 12 months") % {"amount": amount(one.get("amount"))},
    "service_cost": lambda one: _("Contacts and service cost %(amount)s in 12 months") % {"amount": amount(one.get("amount"))},
    "renewal_due": _renewal_due,
    "low_trust": lambda one: _("The data are thin: trust in them is %(trust)s") % {"trust": percent(one.get("trust"))},
    "new_customer": lambda one: _("A new customer, valued by what similar ones bring"),
    "boundary": _boundary,
}


def drivers(many: Iterable[Coded]) -> list[str]:
    """Why a customer is worth what it is, in sentences, the weightiest first."""
    return [DRIVERS[one["code"]](one) if one.get("code") in DRIVERS else str(one.get("code", "")) for one in many]


# ── Runs: warnings, choices, models ───────────────────────────────────────────────────────────────────────────────────

WARNINGS: dict[str, Promise] = {
    "no_order_model": gettext_lazy("Too few customers have ordered to fit a model of orders."),
    "orders_not_converged": gettext_lazy("The model of orders did not settle on its parameters."),
    "spend": gettext_lazy("The model of spend does not fit these orders well."),
    "losses": gettext_lazy("Many orders lose money, so spend is modelled on revenue times the margin rate."),
    "contracts": gettext_lazy("The model of contract renewals is not sure of its parameters."),
    "baseline": gettext_lazy("A simple guess forecast better than the models, so it is used instead."),
    "no_costs": gettext_lazy("Costs are missing for many sales, so margins look better than they are."),
    "no_rate": gettext_lazy("There is no exchange rate for some amounts, which are left out."),
}
REASONS: dict[str, Promise] = {
    "likelihood": gettext_lazy("It explains the past best, by its likelihood and number of parameters."),
    "none_converged": gettext_lazy("No model settled on its parameters; this one came closest."),
    "the_only_one": gettext_lazy("It is the only one there is for this."),
    "too_few_buyers": gettext_lazy("Too few customers have ordered."),
    "too_few_repeats": gettext_lazy("Too few customers have ordered twice."),
    "no_contracts": gettext_lazy("There is no contract to learn from."),
    "age_matters": gettext_lazy("The chance of a renewal changes with a contract’s age."),
    "age_does_not_matter": gettext_lazy("The data do not show that the chance of a renewal changes with a contract’s age."),
    "data_cannot_tell": gettext_lazy("The data cannot tell the models apart; the simpler one is used."),
    "baseline": gettext_lazy("It forecast better than the models in the last back-tests."),
}
STATUSES: dict[str, Promise] = {
    "ok": gettext_lazy("converged"),
    "converged": gettext_lazy("converged"),
    "not_converged": gettext_lazy("did not converge"),
    "at_bound": gettext_lazy("at the edge of what is allowed"),
    "no_repeats": gettext_lazy("nobody ordered twice"),
    "few_rows": gettext_lazy("too few rows"),
    "no_dropout_seen": gettext_lazy("nobody seems to leave"),
    "same_dropout_for_all": gettext_lazy("all leave alike"),
    "same_rate_for_all": gettext_lazy("all order alike"),
    "too_few_events": gettext_lazy("too few contracts have ended"),
    "no_variation": gettext_lazy("what is known of the contracts does not differ"),
    "collinear": gettext_lazy("what is known of the contracts goes together"),
}
MODELS: dict[str, str] = {
    "mbgnbd": "MBG/NBD",
    "bgnbd": "BG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "bgbb": "BG/BB",
    "gamma_gamma": "Gamma-Gamma",
    "sbg": "Shifted beta-geometric",
    "bdw": "Beta-discrete-Weibull",
    "cox": "Cox",
    "kaplan_meier": "Kaplan–Meier",
}
SUBJECTS: dict[str, Promise] = {
    "orders": gettext_lazy("How often customers order"),
    "spend": gettext_lazy("How much an order brings"),
    "contracts": gettext_lazy("Whether contracts are renewed"),
    "hazards": gettext_lazy("Who is at risk, and why"),
}
METHODS: dict[str, Promise] = {
    "laplace": gettext_lazy("parameters varied by their standard errors"),
    "bootstrap": gettext_lazy("models fitted anew on samples drawn from the customers"),
}


def said(table: Mapping[str, Promise], code: Any) -> str:
    return str(table.get(str(code), code or ""))


def warning(one: Any) -> str:
    """What whoever reads a run's figures must know, with its own figures in brackets."""
    if not isinstance(one, Mapping):
        return str(one)
    text = said(WARNINGS, one.get("code"))
    if one.get("note"):
        text = f"{text} {one['note']}"
    if "status" in one:
        text = f"{text} ({said(STATUSES, one['status'])})"
    if one.get("currency"):
        facts = int(one.get("facts") or 0)
        text = f"{text} ({one['currency']}, {ngettext('%(count)s amount', '%(count)s amounts', facts) % {'count': number(facts)}})"
    if one.get("use"):
        text = f"{text} ({said(FORECASTERS, one['use'])})"
    if isinstance(count := one.get("customers"), int):
        text = f"{text} ({ngettext('%(count)s customer', '%(count)s customers', count) % {'count': number(count)}})"
    return text


# ── Track record ──────────────────────────────────────────────────────────────────────────────────────────────────────

FORECASTERS: dict[str, Promise] = {
    "model": gettext_lazy("The models"),
    "last_year": gettext_lazy("Last year again"),
    "mean_retention": gettext_lazy("Average margin × retention"),
    "past_margin": gettext_lazy("Rank by past margin"),
}
MEASURES: dict[str, tuple[Promise, str]] = {  # label, and how the figure is written
    "total_error": (gettext_lazy("Error of the total"), "percent"),
    "mae": (gettext_lazy("Mean error per customer"), "money"),
    "rmse": (gettext_lazy("Error with big misses weighing more (RMSE)"), "money"),
    "spearman": (gettext_lazy("Agreement of ranks (Spearman)"), "number"),
    "gini": (gettext_lazy("Gini of the ranking"), "number"),
    "capture_top20": (gettext_lazy("Found of the real top fifth"), "percent"),
    "coverage_80": (gettext_lazy("Inside the interval of 80 %"), "percent"),
    "coverage_95": (gettext_lazy("Inside the interval of 95 %"), "percent"),
}


def measure(name: str, value: Any) -> str:
    """A measure's figure as people read it."""
    if value is None:
        return NOTHING
    kind = MEASURES[name][1]
    if kind == "money":
        return amount(value)
    return percent(float(value), 1) if kind == "percent" else number(float(value), 2)


INPUTS: dict[str, Promise] = {
    "clv": gettext_lazy("Customer lifetime value"),
    "orders": gettext_lazy("of it from orders"),
    "contracts": gettext_lazy("of it from contracts"),
    "referrals": gettext_lazy("of it from referrals"),
    "retention_cost": gettext_lazy("less the cost of keeping"),
    "margin_12m": gettext_lazy("Contribution margin, 12 months"),
    "revenue_12m": gettext_lazy("Revenue, 12 months"),
}
COVARIATES: dict[str, Promise] = {  # what was known of a contract when it was signed
    "size": gettext_lazy("its amount"),
    "grade": gettext_lazy("a lower service grade"),
    "automatic": gettext_lazy("it renews by itself"),
    "term": gettext_lazy("its term"),
}
