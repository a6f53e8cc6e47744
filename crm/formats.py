"""Numbers, money and times as people read them, in English and Chinese.

A page prints hundreds of them, and Babel's own formatters take 30–60 µs each, so Babel is asked once per language and
currency for its pattern (signs, separators, digits, 万 and 亿), and each value then costs a few µs. The tests hold the
answers against Babel's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_timedelta, get_month_names
from babel.numbers import get_currency_precision, get_currency_symbol
from django.utils import timezone
from django.utils.translation import get_language, gettext

LOCALES = {"en": Locale("en"), "zh-hans": Locale("zh", script="Hans")}
MINUS = "-"

# What a value may be: templates hand over whatever the row holds.
Number = Decimal | int | float


def locale() -> Locale:
    """The Babel locale of the active language; English where another one is active."""
    return LOCALES.get(get_language() or "en", LOCALES["en"])


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How one locale writes one kind of number: -[prefix]1,234.50[suffix]."""

    prefix: str
    suffix: str
    digits: int  # after the decimal point
    group: str
    point: str

    def write(self, value: Number, digits: int | None = None) -> str:
        places = self.digits if digits is None else digits
        text = f"{abs(value):,.{places}f}"
        if (self.group, self.point) != (",", "."):
            text = text.translate({44: self.group, 46: self.point})
        sign = MINUS if value < 0 and text.strip("0,.") else ""
        return f"{sign}{self.prefix}{text}{self.suffix}"


@lru_cache(maxsize=64)
def number_style(where: Locale) -> NumberStyle:
    symbols = where.number_symbols["latn"]
    return NumberStyle("", "", 0, symbols["group"], symbols["decimal"])


@lru_cache(maxsize=512)
def money_style(where: Locale, currency: str) -> NumberStyle:
    symbols = where.number_symbols["latn"]
    prefix, suffix = (_with_symbol(part, where, currency) for part in where.currency_formats["standard"].pattern.partition("#,##0.00")[::2])
    return NumberStyle(prefix, suffix, get_currency_precision(currency), symbols["group"], symbols["decimal"])


@dataclass(frozen=True, slots=True)
class Step:
    """One step of short numbers: from `floor` on, the value is divided by `unit` and written between the two texts."""

    floor: int
    unit: int
    prefix: str
    suffix: str


@lru_cache(maxsize=512)
def short_steps(where: Locale, currency: str) -> tuple[Step, ...]:
    """Largest first: 亿 before 万, M before K. An empty currency means a plain number."""
    formats = where.compact_currency_formats["short"] if currency else where.compact_decimal_formats["short"]
    steps = []
    for floor, pattern in formats["other"].items():
        zeros = pattern.pattern.count("0")
        if not zeros or pattern.pattern in {"0", "¤0"}:
            continue
        prefix, _, suffix = pattern.pattern.partition("0" * zeros)
        unit = int(floor) // 10 ** (zeros - 1)
        steps.append(Step(int(floor), unit, _with_symbol(prefix, where, currency), _with_symbol(suffix, where, currency)))
    return tuple(sorted(steps, key=lambda step: -step.floor))


def _with_symbol(part: str, where: Locale, currency: str) -> str:
    return part.replace("¤", get_currency_symbol(currency, where) if currency else "").replace("'", "")


def format_number(value: Number, digits: int | None = None) -> str:
    """1,234.5. Without `digits` a whole number has none, and another keeps two at most."""
    if digits is None:
        rounded = value if isinstance(value, int) else round(value, 2)
        return number_style(locale()).write(rounded, 0 if rounded == int(rounded) else 2)
    return number_style(locale()).write(value, digits)


def format_money(value: Number, currency: str) -> str:
    """$1,234.50 with the currency's own number of digits."""
    return money_style(locale(), currency).write(value)


def format_short(value: Number, currency: str = "") -> str:
    """1.2K, $3.4M; in Chinese 1.2万, ¥3.4亿. Three leading figures at most; exact below the first step."""
    where = locale()
    size = abs(value)
    for step in short_steps(where, currency):
        if size >= step.floor or _rounds_up_to(size, step):
            return _write_short(value, size / step.unit, step)
    style = money_style(where, currency) if currency else number_style(where)
    return style.write(value, 0 if size >= 100 or value == int(value) else style.digits)


def _rounds_up_to(size: Number, step: Step) -> bool:
    """999,960 is 1M, not 1000K."""
    return step.floor == step.unit and step.floor > 10_000 and size >= step.floor * Decimal("0.99995")


def _write_short(value: Number, scaled: Number, step: Step) -> str:
    places = 0 if scaled >= 100 else 1
    text = f"{Decimal(scaled).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):,f}"
    return f"{MINUS if value < 0 else ''}{step.prefix}{text.removesuffix('.0')}{step.suffix}"


def format_percent(share: Number, digits: int = 0) -> str:
    """0.256 → 26%."""
    return f"{number_style(locale()).write(share * 100, digits)}%"


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=8)
def _months(where: Locale) -> tuple[str, ...]:
    names = get_month_names("abbreviated", locale=where)
    return tuple(names[number] for number in range(1, 13))


def format_day(day: date) -> str:
    """23 Nov 2026; 2026年11月23日."""
    where = locale()
    if where.language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_months(where)[day.month - 1]} {day.year}"


def format_moment(at: datetime) -> str:
    """23 Nov 2026, 10:02 in the person's own time zone."""
    local = timezone.localtime(at) if timezone.is_aware(at) else at
    between = " " if locale().language == "zh" else ", "
    return f"{format_day(local)}{between}{local:%H:%M}"


# Up to this age (in seconds) a difference is told in this unit.
_UNITS = ((60, "second", 1), (3600, "minute", 60), (86_400, "hour", 3600), (30 * 86_400, "day", 86_400))


def format_ago(difference: timedelta) -> str:
    """3 hours ago, in 2 days; months and years beyond 30 days. Positive is the past."""
    seconds = difference.total_seconds()
    age = abs(seconds)
    if age < 30:
        return _relative(locale(), "second", 0)
    unit, count = next(((unit, int(age // size)) for below, unit, size in _UNITS if age < below), ("", 0))
    if not unit:
        days = int(age // 86_400)
        unit, count = ("month", max(days * 12 // 365, 1)) if days < 365 else ("year", days // 365)
    return _relative(locale(), unit, count if seconds > 0 else -count)


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "month": 2_629_746, "year": 31_556_952}


@lru_cache(maxsize=2048)
def _relative(where: Locale, unit: str, count: int) -> str:
    if count == 0:
        return gettext("just now")
    difference = timedelta(seconds=-count * _SECONDS[unit])
    return format_timedelta(difference, granularity=unit, threshold=10_000, add_direction=True, locale=where)  # type: ignore[arg-type]
