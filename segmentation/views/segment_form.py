"""Making and changing a segment, and asking its rule while it is being built."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.views.once import done_once, new_token
from segmentation import segments
from segmentation.forms.segment import LONGEST_RULE, SegmentForm, as_text, tree_of
from segmentation.models import Segment
from segmentation.rules import RuleInvalid, checked, sentence_of
from segmentation.rules.offer import offer
from users.access import Permission, needs
from users.conflicts import Conflict, conflict_of
from users.http import SignedInRequest
from users.records import StaleVersion


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SEGMENT_CHANGE)
def segment_add(request: SignedInRequest) -> HttpResponse:
    form = SegmentForm(request.POST if request.method == "POST" else None, by=request.user)
    if not form.is_bound or not form.is_valid():
        return _form_page(request, form, status=422 if form.is_bound else 200)
    return _added(request, form, form.values())


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.SEGMENT_CHANGE)
def segment_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Save the changes, or with `copy` leave the segment as it is and save them as another one."""
    segment = get_object_or_404(Segment.objects.changeable_by(request.user).kept(), pk=pk)
    form = SegmentForm(request.POST if request.method == "POST" else None, instance=segment, by=request.user)
    if not form.is_bound or not form.is_valid():
        return _form_page(request, form, status=422 if form.is_bound else 200)
    if "copy" in request.POST:
        return _added(request, form, {**form.values(), "name": _free_name(form.cleaned_data["name"])})
    fresh = Segment.objects.get(pk=pk)  # the form has written its values into its own instance
    try:
        segments.change_segment(by=request.user, segment=fresh, expected_version=form.cleaned_data["version"], **form.values())
    except StaleVersion as stale:
        return _form_page(request, form, status=412, conflict=_conflict(request, form, stale))
    except ValidationError as refusal:
        form.add_error(None, ValidationError(refusal.messages))
        return _form_page(request, form, status=422)
    except IntegrityError:
        return _name_taken(request, form)
    messages.success(request, _("The changes are saved."))
    return redirect("segmentation:segment", pk=pk)


@require_POST
@needs(Permission.SEGMENT_CHANGE)
def segment_preview(request: SignedInRequest) -> HttpResponse:
    """Whom the rule finds now: {"html": …, "problems": [{"path", "message"}]}."""
    try:
        rule = checked(tree_of(request.POST.get("rule", "")[:LONGEST_RULE]), by=request.user)
    except RuleInvalid as invalid:
        return JsonResponse({"html": "", "problems": _plain(invalid.problems)})
    context = {"found": segments.preview(rule, request.user), "sentence": rule.sentence(request.user)}
    return JsonResponse({"html": render_to_string("segmentation/_preview.html", context, request), "problems": []})


def _added(request: SignedInRequest, form: SegmentForm, values: dict[str, Any]) -> HttpResponse:
    def add() -> str:
        segment = segments.add_segment(by=request.user, **values)
        messages.success(request, _("%(segment)s is saved.") % {"segment": segment})
        return reverse("segmentation:segment", args=[segment.pk])

    try:
        return done_once(request, add)
    except IntegrityError:
        return _name_taken(request, form)


def _name_taken(request: SignedInRequest, form: SegmentForm) -> HttpResponse:
    form.add_error("name", _("Another segment has this name."))
    return _form_page(request, form, status=422)


def _free_name(name: str) -> str:
    """The name as it is where it is free, else a copy's."""
    taken = set(Segment.objects.kept().filter(name__startswith=name[:100]).values_list("name", flat=True))
    names = [name, *(_("%(name)s (copy %(n)s)") % {"name": name[:100], "n": n} for n in range(1, 100))]
    return next((one for one in names if one not in taken), name)


def _conflict(request: SignedInRequest, form: SegmentForm, stale: StaleVersion) -> Conflict:
    """What each wrote, the rule told in words."""
    current = cast(Segment, stale.current)
    form.data = {**request.POST.dict(), "rule": as_text(form.cleaned_data["rule"].tree)}  # spelled as the kept one, to be compared with it
    found = conflict_of(form, SegmentForm(instance=current, by=request.user), current=current, seen_version=form.cleaned_data["version"])

    def told(text: str) -> str:
        return sentence_of(tree_of(text), request.user)

    fields = [
        replace(one, label=_("Rule"), mine=told(one.mine_value), theirs=told(one.theirs_value)) if one.name == "rule" else one
        for one in found.fields
    ]
    return replace(found, fields=fields)


def _form_page(request: SignedInRequest, form: SegmentForm, *, status: int, **extra: Any) -> HttpResponse:
    segment = form.instance if form.instance.pk else None
    context = {
        "form": form,
        "segment": segment,
        "offer": offer(request.user, without=segment),
        "rule": form.rule_now,
        "problems": _plain(form.problems),
        "once": new_token(),
        "up": reverse("segmentation:segment", args=[segment.pk]) if segment else reverse("segmentation:segments"),
        **extra,
    }
    return render(request, "segmentation/segment_form.html", context, status=status)


def _plain(problems: list[Any]) -> list[dict[str, str]]:
    return [{"path": one.path, "message": one.message} for one in problems]
