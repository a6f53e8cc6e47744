"""Kinds of values: how one is read out of JSON, and how it is told to people.

A kind takes nothing on trust: a rule comes from a browser or a program. What `read` returns is safe to hand to the ORM, and
`plain` writes it back as the rule keeps it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from segmentation.rules.problems import BadValue

LONGEST_TEXT = 200
LARGEST_NUMBER = 10**15
LARGEST_WHOLE = 2**31 - 1
LARGEST_ID = 2**63 - 1


class Kind:
    """The kind of a field's values. `operators` are the keys of those that it takes, in the order in which they are offered."""

    name: ClassVar[str]
    operators: ClassVar[tuple[str, ...]]

    def read(self, raw: Any) -> Any:
        raise NotImplementedError

    def plain(self, value: Any) -> Any:
        return value

    def told(self, value: Any, names: Mapping[Any, str]) -> str:
        """The value in words; `names` holds what only the database knows, by (kind, id)."""
        return str(value)


class Text(Kind):
    name = "text"
    operators: ClassVar[tuple[str, ...]] = ("is", "is_not", "contains", "not_contains", "starts_with")

    def read(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise BadValue(_("A text."))
        text = raw.strip()
        if not text:
            raise BadValue(_("Say which text."), "required")
        if len(text) > LONGEST_TEXT:
            raise BadValue(_("Text of at most %(most)s characters.") % {"most": LONGEST_TEXT}, "max_length")
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise BadValue(_("Text that can be written down."))
        return text

    def told(self, value: str, names: Mapping[Any, str]) -> str:
        return _("“%(text)s”") % {"text": value}


class Words(Text):
    """What the search finds: names in characters, pinyin or initials, numbers, codes."""

    operators = ("matches", "not_matches")


@dataclass(frozen=True)
class Number(Kind):
    """A number; `whole` for counts, `is_share` for what is shown in per cent (0.25 is 25 %)."""

    whole: bool = False
    is_share: bool = False
    most: int = LARGEST_WHOLE

    name = "number"
    operators = ("gte", "lte", "gt", "lt", "eq", "between")

    def read(self, raw: Any) -> Decimal | int:
        if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
            raise BadValue(_("A number."))
        number: Any = raw
        if abs(number) >= LARGEST_NUMBER or not math.isfinite(number):  # in this order: a huge int has no float
            raise BadValue(_("A number below 10¹⁵."), "out_of_range")
        if not self.whole:
            return Decimal(str(number))
        if number != int(number) or not 0 <= number <= self.most:
            raise BadValue(_("A whole number from 0 to %(most)s.") % {"most": self.most}, "out_of_range")
        return int(number)

    def plain(self, value: Decimal | int) -> float | int:
        return int(value) if value == int(value) else float(value)

    def told(self, value: Decimal | int, names: Mapping[Any, str]) -> str:
        shown = Decimal(value) * 100 if self.is_share else Decimal(value)
        text = number_format(f"{shown.normalize():f}", use_l10n=True, force_grouping=True)
        return f"{text}%" if self.is_share else text


class Day(Kind):
    """A date; fields of this kind may hold a point in time, which then counts by its day in the reader's zone."""

    name = "day"
    operators = ("in_last", "more_than_ago", "in_next", "more_than_ahead", "in_period", "since", "until", "between_days")

    def read(self, raw: Any) -> date:
        try:
            day = date.fromisoformat(raw) if isinstance(raw, str) and len(raw) == 10 else None
        except ValueError:
            day = None
        if day is None or not 1900 <= day.year <= 2200:
            raise BadValue(_("A date such as 2026-03-31."))
        return day

    def plain(self, value: date) -> str:
        return value.isoformat()

    def told(self, value: date, names: Mapping[Any, str]) -> str:
        return date_format(value, "DATE_FORMAT")


@dataclass(frozen=True)
class Choice(Kind):
    """One of a closed list. `choices`: (as the rule says it, label); `stored` says what the column holds for each."""

    choices: tuple[tuple[str, Any], ...]
    stored: Mapping[str, Any] = field(default_factory=dict, hash=False)

    name = "choice"
    operators: ClassVar[tuple[str, ...]] = ("any_of", "none_of")

    def read(self, raw: Any) -> str:
        if not isinstance(raw, str) or raw not in dict(self.choices):
            offered = ", ".join(word for word, _label in self.choices[:30])
            raise BadValue(_("One of: %(choices)s.") % {"choices": offered}, "unknown")
        return raw

    def column_value(self, value: str) -> Any:
        return self.stored.get(value, value)

    def told(self, value: str, names: Mapping[Any, str]) -> str:
        return str(dict(self.choices)[value])


class Rank(Choice):
    """A closed list with an order, the highest first; the column holds a number that is smaller the higher the rank."""

    operators = ("at_least", "at_most", "any_of", "none_of")


class Tags(Text):
    """Several texts in one field."""

    name = "tags"
    operators = ("has_any", "has_all", "has_none")


class ChoiceTags(Choice):
    """Several of a closed list in one field."""

    name = "tags"
    operators = ("has_any", "has_all", "has_none")


class Flag(Kind):
    name = "flag"
    operators = ("yes", "no")


@dataclass(frozen=True)
class Reference(Kind):
    """The id of another row, or a word that stands for the reader's own: 'me', 'mine'."""

    noun: str  # "user", "team", "segment", "product"
    own: str = ""
    more: tuple[str, ...] = ()

    name = "reference"

    @property
    def operators(self) -> tuple[str, ...]:  # type: ignore[override]  # differs by noun
        return ("any_of", "none_of", *self.more)

    def read(self, raw: Any) -> int | str:
        if self.own and raw == self.own:
            return self.own
        if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw <= LARGEST_ID:
            raise BadValue(_("The id of one that there is."), "unknown")
        return raw

    def told(self, value: int | str, names: Mapping[Any, str]) -> str:
        if value == self.own:
            return _("my team") if self.noun == "team" else _("me")
        return names.get((self.noun, value)) or _("(out of your sight)")
