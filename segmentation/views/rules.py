"""The rules of value and tiers: all versions, and the draft with its preview."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from customers.models import ContactPoint, Customer, Job
from segmentation import actions, portfolio
from segmentation.forms.rules import SHARES, RulesForm
from segmentation.models import RuleVersion, Tier
from segmentation.models.rule_version import RULE_FIELDS, USUAL_MINUTE_RATES
from segmentation.views.pages import STOP_POLLING, show
from users.access import Permission, allowed, needs
from users.conflicts import conflict_of
from users.http import SignedInRequest
from users.marks import NOTHING, number, percent
from users.records import StaleVersion

VERSIONS_SHOWN = 30


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def rule_list(request: SignedInRequest) -> HttpResponse:
    versions = list(RuleVersion.objects.visible_to(request.user).select_related("published_by")[: VERSIONS_SHOWN + 1])
    changed = portfolio.differences(versions, RULE_FIELDS)
    in_force = next((one for one in versions if one.published_at), None)
    context = {
        "versions": [(one, [_difference(*change) for change in changed.get(one.number, [])]) for one in versions[:VERSIONS_SHOWN]],
        "in_force": in_force,
        "facts": _facts(in_force) if in_force else [],
        "can_change": allowed(request.user, Permission.RULES_CHANGE),
        "draft": next((one for one in versions if not one.published_at), None),
    }
    return show(request, "rules.html", context)


def _facts(rules: RuleVersion) -> list[tuple[str, str]]:
    """The rules in force, each with its value; the rates one by one."""
    plain = [(_label(name), _said(name, getattr(rules, name))) for name in RULE_FIELDS if name != "minute_rates"]
    return plain + [(_("A minute: %(channel)s") % {"channel": _channel(key)}, rate) for key, rate in _rates(rules.minute_rates)]


def _rates(rates: dict[str, str]) -> list[tuple[str, str]]:
    """In the usual order of the channels, which the database does not keep."""
    return [(channel, rates[channel]) for channel in USUAL_MINUTE_RATES if channel in rates]


def _channel(key: str) -> str:
    return str(ContactPoint.Channel(key).label) if key in ContactPoint.Channel else key


def _difference(field: Any, before: Any, after: Any) -> tuple[str, str, str]:
    return _label(field.name), _said(field.name, before), _said(field.name, after)


def _label(name: str) -> str:
    return str(RuleVersion._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


def _said(name: str, value: Any) -> str:
    """A rule's value as people read it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in SHARES:
        return percent(value, 0 if round(value * 100, 2) == round(value * 100) else 1)
    if name == "rank_by":
        return str(RuleVersion.RankBy(value).label)
    if isinstance(value, dict):
        return ", ".join(f"{_channel(key)} {rate}" for key, rate in _rates(value))
    return NOTHING if value is None else number(value)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.RULES_CHANGE)
def rule_draft(request: SignedInRequest) -> HttpResponse:
    """Edit the draft; before the first save there is none, and the form shows the version in force."""
    draft = RuleVersion.objects.drafts().first()
    form = RulesForm(request.POST if request.method == "POST" else None, instance=draft or _copy_of_rules())
    if not form.is_bound or not form.is_valid():
        return _draft_page(request, draft, form, status=422 if form.is_bound else 200)
    try:
        actions.save_rules(by=request.user, expected_version=form.cleaned_data["version"], values=form.values())
    except StaleVersion as stale:
        theirs = RulesForm(instance=cast(RuleVersion, stale.current))
        conflict = conflict_of(form, theirs, current=stale.current, seen_version=form.cleaned_data["version"])
        return _draft_page(request, draft, form, status=412, conflict=conflict)
    except ValidationError as refusal:
        form.add_error(None, refusal)
        return _draft_page(request, draft, form, status=422)
    messages.success(request, _("The draft is saved. See who would move before you publish it."))
    return redirect("segmentation:rules-draft")


def _copy_of_rules() -> RuleVersion:
    """The version in force as the first values of a draft that nobody has saved yet."""
    base = RuleVersion.in_force()
    return RuleVersion(number=base.number + 1, **{name: getattr(base, name) for name in RULE_FIELDS})


def _draft_page(request: SignedInRequest, draft: RuleVersion | None, form: RulesForm, *, status: int, **extra: Any) -> HttpResponse:
    previews = (
        Job.objects.visible_to(request.user).filter(kind=actions.PREVIEW_JOB, arguments={"rules": draft.pk})
        if draft
        else Job.objects.none()
    )
    job = previews.order_by("-pk").first()
    context = {"draft": draft, "form": form, "job": job, **_preview(request, job), **extra}
    return show(request, "rules_draft.html", context, status=status)


@require_POST
@needs(Permission.RULES_CHANGE)
def rule_preview(request: SignedInRequest) -> HttpResponse:
    """Have a worker find out who would move."""
    draft = get_object_or_404(RuleVersion.objects.drafts())
    actions.preview_rules(by=request.user, draft=draft)
    return redirect("segmentation:rules-draft")


@require_safe
@needs(Permission.RULES_CHANGE)
def preview_state(request: SignedInRequest, pk: int) -> HttpResponse:
    """How far the preview is, and its outcome: asked for every two seconds while it goes on."""
    job = get_object_or_404(Job.objects.visible_to(request.user).filter(kind=actions.PREVIEW_JOB), pk=pk)
    if not request.htmx:
        return redirect("segmentation:rules-draft")
    context = {"job": job, **_preview(request, job)}
    return render(request, "segmentation/_rules_preview.html", context, status=STOP_POLLING if job.is_finished else 200)


def _preview(request: SignedInRequest, job: Job | None) -> dict[str, Any]:
    """The counts per tier now and then, and who would move, as far as the reader sees them."""
    if job is None or job.state != Job.State.DONE:
        return {}
    listed = job.result.get("moves", [])
    names = Customer.objects.visible_to(request.user).only("name", "number").in_bulk([move["customer"] for move in listed])
    counts = job.result.get("counts", {})
    return {
        "counts": [(tier.value, *counts.get(str(tier.value), (0, 0))) for tier in Tier],
        "moves": [(names[move["customer"]], move["from"], move["to"]) for move in listed if move["customer"] in names],
        "moved": job.result.get("moved", 0),
    }


@require_POST
@needs(Permission.RULES_CHANGE)
def rule_publish(request: SignedInRequest) -> HttpResponse:
    """Put the draft in force, as it was on the screen, and start the run that tiers follow by."""
    draft = get_object_or_404(RuleVersion.objects.drafts())
    seen = request.POST.get("version", "")
    try:
        job = actions.publish_rules(by=request.user, draft=draft, expected_version=int(seen) if seen.isdecimal() else 0)
    except StaleVersion:
        messages.error(request, _("Somebody else has changed the draft since. Look at it again before you publish it."))
        return _draft_page(
            request, (changed := RuleVersion.objects.drafts().first()), RulesForm(instance=changed or _copy_of_rules()), status=412
        )
    except ValidationError as refusal:
        messages.error(request, refusal.messages[0])
        return redirect("segmentation:rules")
    if job:
        messages.success(request, _("The rules are in force. A valuation has begun; tiers follow it."))
    else:
        messages.warning(request, _("The rules are in force. The valuation under way still has the former ones: start another after it."))
    return redirect("segmentation:rules")
