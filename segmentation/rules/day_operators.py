"""Questions about days: those that move with the calendar, and those that stand still."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from segmentation.rules.days import MOST, Period, Span, Unit
from segmentation.rules.fields import Asking, Field
from segmentation.rules.problems import BadValue
from segmentation.rules.questions import Names, Operator, Pair


class Spanned(Operator):
    takes = "span"

    def read(self, raw: Any, field: Field) -> Span:
        if not isinstance(raw, dict) or set(raw) != {"n", "unit"} or raw["unit"] not in list(Unit):
            raise BadValue(_("A length of time, such as 90 days."))
        unit = Unit(raw["unit"])
        if isinstance(raw["n"], bool) or not isinstance(raw["n"], int) or not 0 <= raw["n"] <= MOST[unit]:
            raise BadValue(_("A whole number from 0 to %(most)s.") % {"most": MOST[unit]}, "out_of_range")
        return Span(raw["n"], unit)

    def plain(self, value: Span, field: Field) -> Any:
        return {"n": value.n, "unit": value.unit.value}

    def value_told(self, field: Field, value: Span, names: Names) -> str:
        return str(value)


class InLast(Spanned):
    key, label, sentence = "in_last", _l("in the last"), _l("%(field)s in the last %(value)s")

    def condition(self, field: Field, value: Span, asking: Asking) -> Q:
        return field.days(value.before(asking.today), asking.today)


class MoreThanAgo(Spanned):
    key, label, sentence = "more_than_ago", _l("longer ago than"), _l("%(field)s more than %(value)s ago")

    def condition(self, field: Field, value: Span, asking: Asking) -> Q:
        return field.days(None, value.before(asking.today) - timedelta(days=1))


class InNext(Spanned):
    key, label, sentence = "in_next", _l("in the next"), _l("%(field)s in the next %(value)s")

    def condition(self, field: Field, value: Span, asking: Asking) -> Q:
        return field.days(asking.today, value.after(asking.today))


class MoreThanAhead(Spanned):
    key, label, sentence = "more_than_ahead", _l("later than in"), _l("%(field)s in more than %(value)s")

    def condition(self, field: Field, value: Span, asking: Asking) -> Q:
        return field.days(value.after(asking.today) + timedelta(days=1), None)


class InPeriod(Operator):
    key, label, sentence = "in_period", _l("is in"), _l("%(field)s %(value)s")
    takes = "period"

    def read(self, raw: Any, field: Field) -> Period:
        if not isinstance(raw, str) or raw not in list(Period):
            raise BadValue(_("One of: %(choices)s.") % {"choices": ", ".join(Period)}, "unknown")
        return Period(raw)

    def plain(self, value: Period, field: Field) -> Any:
        return value.value

    def condition(self, field: Field, value: Period, asking: Asking) -> Q:
        return field.days(*value.around(asking.today))

    def value_told(self, field: Field, value: Period, names: Names) -> str:
        return str(value.label)


class Since(Operator):
    key, label, sentence = "since", _l("on or after"), _l("%(field)s on or after %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.days(value, None)


class Until(Operator):
    key, label, sentence = "until", _l("on or before"), _l("%(field)s on or before %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.days(None, value)


class BetweenDays(Pair):
    key, label, sentence = "between_days", _l("is between"), _l("%(field)s between %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.days(*value)
