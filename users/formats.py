"""Numbers, money and times as people read them, in English and Chinese.

A page prints hundreds of them, and Babel's own formatters take 30 to 60 µs each, so Babel is asked once per language and
currency for its pattern (signs, separators, digits, 万 and 亿), and each value then costs a few µs. The tests hold the
answers against Babel's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_timedelta, get_month_names
from babel.numbers import get_currency_precision, get_currency_symbol
from django.utils import timezone
from django.utils.translation import get_language, gettext, override

LOCALES = {"en": Locale("en"), "zh-hans": Locale("zh", script="Hans")}
MINUS = "-"

# What a value may be: templates hand over whatever the row holds.
Number = Decimal | int | float


def language() -> str:
    """The active language, English where one is active that we do not speak. A text, since a Locale is slow to hash."""
    active = get_language()
    return active if active in LOCALES else "en"


# ── Numbers and money ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Style:
    """How one language writes one kind of number: -[prefix]1,234.50[suffix]. Both our languages group by commas."""

    prefix: str
    suffix: str
    digits: int  # after the decimal point

    def write(self, value: Number, digits: int | None = None) -> str:
        text = f"{abs(value):,.{self.digits if digits is None else digits}f}"
        sign = MINUS if value < 0 and text.strip("0,.") else ""
        return f"{sign}{self.prefix}{text}{self.suffix}"


PLAIN = Style("", "", 0)


@lru_cache(maxsize=512)
def money_style(lang: str, currency: str) -> Style:
    before, _, after = LOCALES[lang].currency_formats["standard"].pattern.partition("#,##0.00")
    return Style(_with_symbol(before, lang, currency), _with_symbol(after, lang, currency), get_currency_precision(currency))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of short numbers: from `floor` on, the value is divided by `unit` and written between the two texts."""

    floor: int
    unit: int
    style: Style


@lru_cache(maxsize=512)
def short_steps(lang: str, currency: str) -> tuple[Step, ...]:
    """Largest first: 亿 before 万, M before K. An empty currency means a plain number."""
    where = LOCALES[lang]
    formats = where.compact_currency_formats["short"] if currency else where.compact_decimal_formats["short"]
    steps = []
    for floor, compact in formats["other"].items():
        pattern = compact.pattern.split(";")[0]
        zeros = pattern.count("0")
        if pattern.strip("0¤ "):  # else it stands for itself: Chinese has no word for a thousand here
            before, _, after = pattern.partition("0" * zeros)
            style = Style(_with_symbol(before, lang, currency), _with_symbol(after, lang, currency), 0)
            steps.append(Step(int(floor), int(floor) // 10 ** (zeros - 1), style))
    return tuple(sorted(steps, key=lambda step: -step.floor))


def _with_symbol(part: str, lang: str, currency: str) -> str:
    return part.replace("¤", get_currency_symbol(currency, LOCALES[lang]) if currency else "").replace("'", "")


def format_number(value: Number, digits: int | None = None) -> str:
    """1,234.5. Without `digits` a whole number shows none, and another two."""
    if digits is None:
        digits = 0 if isinstance(value, int) or round(value, 2) == int(value) else 2
    return PLAIN.write(value, digits)


def format_money(value: Number, currency: str, digits: int | None = None) -> str:
    """$1,234.50 with the currency's own number of digits, or as many as asked for."""
    return money_style(language(), currency).write(value, digits)


def format_short(value: Number, currency: str = "") -> str:
    """1.2K, $3.4M; in Chinese 1.2万, ¥3.4亿. At most four figures: 12.3K, 123K, 9,999; nothing is shortened below the first step."""
    lang, size = language(), abs(float(value))
    for step in short_steps(lang, currency):
        # Half a unit of the last figure below the step rounds up into it: 999,960 is 1M, not 1,000K.
        if size * 2000 >= step.floor * 1999:
            scaled = float(value) / step.unit
            digits = 0 if abs(scaled) >= 99.95 or round(scaled, 1) == round(scaled) else 1
            return step.style.write(scaled, digits)
    style = money_style(lang, currency) if currency else PLAIN
    return style.write(value, 0 if size >= 100 or size.is_integer() else max(style.digits, 1))


def format_percent(share: Number, digits: int = 0) -> str:
    """0.256 is 26%."""
    return f"{PLAIN.write(share * 100, digits)}%"


# ── Times ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=8)
def _months(lang: str) -> tuple[str, ...]:
    names = get_month_names("abbreviated", locale=LOCALES[lang])
    return tuple(names[number] for number in range(1, 13))


def format_day(day: date, lang: str = "") -> str:
    """23 Nov 2026; 2026年11月23日."""
    lang = lang or language()
    if lang == "zh-hans":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_months(lang)[day.month - 1]} {day.year}"


def format_moment(at: datetime, lang: str = "") -> str:
    """23 Nov 2026, 10:02 in the person's own time zone."""
    lang = lang or language()
    local = timezone.localtime(at) if at.tzinfo else at
    between = " " if lang == "zh-hans" else ", "
    return f"{format_day(local, lang)}{between}{local.hour:02d}:{local.minute:02d}"


# Up to this age (in seconds) a difference is told in this unit (of so many seconds).
_UNITS = ((60, "second", 1), (3600, "minute", 60), (86_400, "hour", 3600), (30 * 86_400, "day", 86_400))
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 2_629_746, "year": 31_556_952}


def format_ago(difference: timedelta, lang: str = "") -> str:
    """3 hours ago, in 2 days; months and years beyond 30 days. Positive is the past."""
    lang = lang or language()
    seconds = difference.total_seconds()
    age = abs(seconds)
    if age < 30:
        return _just_now(lang)
    for below, unit, size in _UNITS:
        if age < below:
            return _relative(lang, unit, int(seconds / size))
    months = int(age // _SECONDS["month"]) or 1
    unit, count = ("month", months) if months < 12 else ("year", int(age // _SECONDS["year"]) or 1)
    return _relative(lang, unit, count if seconds > 0 else -count)


@lru_cache(maxsize=8)
def _just_now(lang: str) -> str:
    with override(lang):
        return gettext("just now")


@lru_cache(maxsize=2048)
def _relative(lang: str, unit: str, count: int) -> str:
    difference = timedelta(seconds=-count * _SECONDS[unit])
    return format_timedelta(difference, granularity=unit, threshold=10_000, add_direction=True, locale=LOCALES[lang])  # type: ignore[arg-type]
