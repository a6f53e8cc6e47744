"""What pages print over and over, as HTML: money, times, icons, badges, avatars, the way to a record.

Templates know them as filters and tags (crm/templatetags/ui.py). What stands in every row of a list is written in Python
from the same functions, at a tenth of what a template takes for it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from html import escape
from zlib import crc32

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, pgettext

from users import formats

Maybe = formats.Number | None

NOTHING = "–"  # what a list shows where a value is missing
TIERS = ("platinum", "gold", "iron", "lead")  # from the top, numbered from 1
AVATAR_HUES = 7

# Words for how things stand, wherever they come from, → the tone they are shown in.
TONES = {
    "active": "success",
    "won": "success",
    "won_back": "success",
    "done": "success",
    "paid": "success",
    "published": "success",
    "accepted": "success",
    "prospect": "info",
    "running": "info",
    "checked": "info",
    "undoing": "info",
    "to_do": "warning",
    "error": "danger",
    "open": "info",
    "renewed": "info",
    "dormant": "warning",
    "waiting": "warning",
    "cancelling": "warning",
    "overdue": "danger",
    "lost": "danger",
    "failed": "danger",
    "rejected": "danger",
    "risk": "danger",
}


# ── Figures and times ─────────────────────────────────────────────────────────────────────────────────────────────────


def number(value: Maybe, digits: int | None = None) -> str:
    """{{ count|number }}, {{ rate|number:2 }}"""
    return NOTHING if value is None else formats.format_number(value, digits)


def compact(value: Maybe) -> str:
    """{{ count|compact }} → 12.3K, 1.2万"""
    return NOTHING if value is None else formats.format_short(value)


def percent(value: Maybe, digits: int = 0) -> str:
    """{{ 0.256|percent }} → 26%"""
    return NOTHING if value is None else formats.format_percent(value, digits)


def money(value: Maybe, currency: str = "", *, compact: bool = False, whole: bool = False) -> str:
    """{% money order.amount order.currency %} → $1,234.50; with compact=True $1.2K, ¥1.2万, with whole=True $1,235.

    The company's currency by default.
    """
    if value is None:
        return NOTHING
    currency = currency or settings.BASE_CURRENCY
    return formats.format_short(value, currency) if compact else formats.format_money(value, currency, 0 if whole else None)


def when(at: datetime | None) -> str:
    """{{ point.at|when }} → 23 Nov 2026, 10:02 in the person's zone"""
    if not at:
        return NOTHING
    return mark_safe(f'<time datetime="{at.isoformat()}">{formats.format_moment(at)}</time>')  # noqa: S308 (digits and month names)


def ago(at: datetime | None) -> str:
    """{{ customer.updated_at|ago }} → 3 hours ago, with date and time on hovering"""
    if not at:
        return NOTHING
    lang = formats.language()
    passed, moment = formats.format_ago(datetime.now(UTC) - at, lang), formats.format_moment(at, lang)
    return mark_safe(f'<time datetime="{at.isoformat()}" title="{moment}">{passed}</time>')  # noqa: S308 (digits and month names)


def day(value: date | datetime | None) -> str:
    """{{ contract.ends_on|day }} → 23 Nov 2026"""
    if not value:
        return NOTHING
    if isinstance(value, datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
        value = value.date()
    return mark_safe(f'<time datetime="{value.isoformat()}">{formats.format_day(value)}</time>')  # noqa: S308 (digits and month names)


def duration(minutes: int | Decimal | timedelta | None) -> str:
    """{{ point.minutes|duration }} → 45 min, 1 h 35 min"""
    if minutes is None:
        return NOTHING
    whole = round(minutes.total_seconds() / 60) if isinstance(minutes, timedelta) else round(minutes)
    hours, rest = divmod(abs(whole), 60)
    if not hours:
        text = gettext("%(minutes)s min") % {"minutes": rest}
    elif not rest:
        text = gettext("%(hours)s h") % {"hours": formats.format_number(hours)}
    else:
        text = gettext("%(hours)s h %(minutes)s min") % {"hours": formats.format_number(hours), "minutes": rest}
    return f"{formats.MINUS}{text}" if whole < 0 else text


# ── Signs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def text(value: object) -> str:
    """HTML of a value: escaped, unless it is HTML already. As `conditional_escape`, for lists of hundreds of values."""
    return value if isinstance(value, SafeString) else escape(str(value))


@lru_cache(maxsize=256)
def asset(path: str) -> str:
    """{% asset "css/app.css" %}: as {% static %}, which looks the hashed name up anew each time, remembered."""
    return static(path)


def icon(name: str, extra: str = "") -> SafeString:
    """{% icon "bell" %}: a sign beside a word, silent to a screen reader. A button of a sign alone needs an aria-label."""
    return _icon(name, extra)


@lru_cache(maxsize=512)
def _icon(name: str, extra: str) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        f" {extra}" if extra else "",
        asset("vendor/bootstrap-icons.svg"),
        name,
    )


def badge(label: str, tone: str = "", icon: str = "") -> SafeString:
    """{% badge customer.get_status_display tone=customer.status|tone %}"""
    sign = _icon(icon, "") if icon else ""
    tone_class = f" badge-{tone}" if tone else ""
    return mark_safe(f'<span class="badge{tone_class}">{sign}{text(label)}</span>')  # noqa: S308 (label is escaped)


def tone(word: object) -> str:
    """The tone of a state's word: active → success, lost → danger; neutral for an unknown one."""
    return TONES.get(str(word), "")


def tier(name: str | int | None) -> SafeString:
    """{% tier "gold" %}, {% tier 2 %}: the value tier, told by word and by how much of the pyramid is filled; nothing for no tier."""
    if isinstance(name, int):
        name = TIERS[name - 1] if 1 <= name <= len(TIERS) else None
    return _tier(name, get_language() or "en") if name in TIERS else SafeString("")


@lru_cache(maxsize=32)
def _tier(name: str, language: str) -> SafeString:
    labels = {
        "platinum": pgettext("value tier", "Platinum"),
        "gold": pgettext("value tier", "Gold"),
        "iron": pgettext("value tier", "Iron"),
        "lead": pgettext("value tier", "Lead"),
    }
    return format_html(
        '<span class="badge tier-{}"><svg class="tier-sign" aria-hidden="true"><use href="{}#tier-{}"/></svg>{}</span>',
        name,
        asset("img/marks.svg"),
        name,
        labels[name],
    )


CJK = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
WORD = re.compile(r"\w+")


def initials(name: object) -> str:
    """Ana Berg → AB, 王小明 → 小明, 华为技术有限公司 → 华为."""
    text = str(name or "").strip()
    chinese = CJK.match(text)
    if chinese:
        characters = chinese.group()
        return characters[-2:] if len(characters) <= 3 else characters[:2]
    words = WORD.findall(text)
    return "".join(word[0] for word in words[:2]).upper()


def avatar(name: object, kind: str = "") -> SafeString:
    """{% avatar user.name %}, {% avatar customer.name "company" %}: initials on a colour that stays with the name."""
    return _avatar(str(name or ""), kind)


@lru_cache(maxsize=4096)
def _avatar(name: str, kind: str) -> SafeString:
    hue = crc32(name.encode()) % AVATAR_HUES
    classes = "".join(f" avatar-{word}" for word in [str(hue), *kind.split()] if word != "0")
    return format_html('<span class="avatar{}" aria-hidden="true">{}</span>', classes, initials(name))


def page(pk: int, name: str) -> str:
    """{{ customer.pk|page:"customers:detail" }}: as {% url "customers:detail" customer.pk %}, for what stands in every row of a list."""
    before, after = _page_around(name)
    return f"{before}{pk:d}{after}"


ANY_PK = 123_454_321  # stands in no other part of an address


@lru_cache(maxsize=256)
def _page_around(name: str) -> tuple[str, str]:
    before, _, after = reverse(name, args=[ANY_PK]).partition(str(ANY_PK))
    return before, after
