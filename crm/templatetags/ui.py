"""Display for every template: numbers, money, times, icons, badges. A builtin library: no {% load %} needed.

What a list prints once per row is made in Python rather than by an included template, which costs ten times as much.
How to use each: docs/design.md; how each looks: /style/.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext

from users import marks

register = template.Library()

# What lists write in Python too: each says there how a template uses it.
for write in (
    marks.number,
    marks.compact,
    marks.percent,
    marks.when,
    marks.ago,
    marks.day,
    marks.duration,
    marks.tone,
    marks.initials,
    marks.page,
):
    register.filter(write)
for draw in (marks.money, marks.asset, marks.icon, marks.badge, marks.tier, marks.avatar):
    register.simple_tag(draw)


@register.simple_tag
def fragment(template_name: str, **values: Hashable) -> SafeString:
    """{% fragment "shell/nav.html" work=shell.work %}: as {% include … with … only %}, rendered once and then remembered.

    It sees its values, the language, and nothing else: the same values are the same HTML for everybody, in every time zone.
    For the frame, whose values are few. In DEBUG it is rendered each time, as templates then change.
    """
    render = _fragment.__wrapped__ if settings.DEBUG else _fragment
    return render(template_name, get_language(), tuple(values.items()))


@lru_cache(maxsize=512)
def _fragment(template_name: str, language: str | None, values: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return render_to_string(template_name, dict(values))


@register.simple_tag
def progress(value: marks.Maybe, maximum: marks.Maybe = 100, label: str = "", tone: str = "") -> SafeString:
    """{% progress job.done job.total label=job.title %}: a native <progress>; without a value it says "working"."""
    known = "" if value is None or not maximum else f' value="{float(value):g}" max="{float(maximum):g}"'
    tone_class = f" progress-{tone}" if tone else ""
    name = escape(label or gettext("Progress"))
    return mark_safe(f'<progress class="progress{tone_class}" aria-label="{name}"{known}></progress>')  # noqa: S308 (label is escaped)


BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("MicroMessenger", "WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"), ("Linux", "Linux"))


@register.filter
def browser(user_agent: str) -> str:
    """Firefox, Linux: what a person knows a browser by; the first characters of one that we do not know."""
    names = [next((name for sign, name in table if sign in user_agent), "") for table in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in names if name) or user_agent[:60] or gettext("Unknown browser")


# ── Links and data ──────────────────────────────────────────────────────────────────────────────────────────────────


@register.simple_tag(takes_context=True)
def query_with(context: template.Context, **changes: object) -> str:
    """href="{% query_with sort="name" after=None %}": the address's query with some values changed, or left out by None."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.inclusion_tag("ui/sort_header.html", takes_context=True)
def sort_header(context: template.Context, key: str, label: str, kind: str = "") -> dict[str, Any]:
    """{% sort_header "name" _("Name") %}: a column's head that sorts by ?sort=name, then ?sort=-name; kind="num" for figures.

    The list's order in force is `sort` in the context, or the query's.
    """
    current = str(context.get("sort") or context["request"].GET.get("sort", ""))
    is_down = current == f"-{key}"
    is_sorted = is_down or current == key
    # Figures are first wanted largest first, words from A on.
    first, second = (f"-{key}", key) if kind == "num" else (key, f"-{key}")
    return {
        "label": label,
        "kind": kind,
        "direction": ("descending" if is_down else "ascending") if is_sorted else "",
        "href": query_with(context, sort=second if current == first else first, cursor=None),
    }


@register.filter
def json_attr(value: object) -> SafeString:
    """hx-vals="{{ values|json_attr }}": JSON that is safe inside a quoted attribute."""
    return escape(json.dumps(value, ensure_ascii=False, default=str))


@register.filter
def value_of(mapping: dict[Any, Any], key: object) -> object:
    """{{ values|value_of:field.key }}: for a key that only the data knows, such as a custom field's."""
    return mapping.get(key, "")
