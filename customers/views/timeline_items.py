"""The rows of a timeline, written in Python as those of the list are: twenty of them took a template half of the page's time."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import groupby

from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext

from customers.models import ContactPoint
from users import marks

LONGEST_BODY = 600  # characters; the whole text stands in the contact point's own record
ICONS = {
    "call": "telephone",
    "visit": "geo-alt",
    "meeting": "people",
    "mail": "envelope",
    "message": "chat-dots",
    "note": "journal-text",
    "order": "bag",
    "delivery": "truck",
    "ticket": "ticket-perforated",
    "invoice": "receipt",
    "payment": "cash-coin",
    "survey": "clipboard-check",
    "event": "calendar-event",
}


def items_as_html(points: Iterable[ContactPoint], *, may_correct: bool) -> SafeString:
    """The points under a head for each day, in the order given. Each point needs `is_corrected`."""
    parts: list[str] = []
    for day, of_day in groupby(points, key=lambda point: marks.day(point.at)):
        parts.append(f'<li class="timeline-day">{day}</li>')
        parts += (_item(point, may_correct) for point in of_day)
    return mark_safe("\n".join(parts))  # noqa: S308 (each part is escaped)


def _item(point: ContactPoint, may_correct: bool) -> str:
    corrected = " timeline-corrected" if point.is_corrected else ""  # type: ignore[attr-defined]  # annotated
    return (
        f'<li class="timeline-item{corrected}" id="point-{point.pk:d}">'
        f'<span class="timeline-sign">{marks.icon(ICONS.get(point.kind, ""))}</span>'
        f'<div><div class="timeline-head"><strong>{escape(point.subject)}</strong>'
        f' <span class="timeline-meta">{_meta(point)}</span> {_badges(point)}'
        f"{_correct(point) if may_correct and not corrected else ''}</div>{_body(point)}</div></li>"
    )


def _meta(point: ContactPoint) -> str:
    words = [escape(point.get_kind_display()), marks.when(point.at)]
    if point.contact:
        words.append(escape(point.contact.name))
    if point.staff:
        words.append(escape(point.staff.name))
    if point.minutes:
        words.append(escape(marks.duration(point.minutes)))
    return "".join(f"<span>{word}</span>" for word in words)


def _badges(point: ContactPoint) -> str:
    signal = marks.badge(point.get_signal_display(), marks.tone(point.signal), icon="flag") if point.signal else ""
    if point.is_corrected:  # type: ignore[attr-defined]
        return f"{signal}{marks.badge(gettext('Corrected later'))}"
    return f"{signal}{marks.badge(gettext('Correction'))}" if point.corrects_id else signal


def _correct(point: ContactPoint) -> str:
    label = escape(gettext("Correct “%(subject)s”") % {"subject": point.subject})
    return (
        f'<a class="timeline-act" href="{marks.page(point.pk, "customers:contact-point-correct")}"'
        f' aria-label="{label}" title="{escape(gettext("Correct"))}">{marks.icon("pencil")}</a>'
    )


def _body(point: ContactPoint) -> str:
    body = Truncator(point.body).chars(LONGEST_BODY) if len(point.body) > LONGEST_BODY else point.body
    text = "\n".join(part for part in (body, f"→ {point.outcome}" if point.outcome else "") if part)
    return f'<div class="timeline-body">{escape(text)}</div>' if text else ""
