"""What can be asked of a field: one small class for each question, found by its key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from customers.maths.names import search_term
from segmentation.rules.days import MOST, Period, Span, Unit
from segmentation.rules.fields import Asking, Field
from segmentation.rules.kinds import Choice
from segmentation.rules.problems import BadValue
from users.models import Team

MOST_VALUES = 50
NOBODY = 0  # an id that no row has: an empty list would not be a condition that NOT can turn round
Names = Mapping[Any, str]


def negated(condition: Q, *, is_total: bool) -> Q:
    """The opposite, for every row: what is neither true nor false (a missing value) counts as false before it is turned round."""
    return ~condition if is_total else ~Q(Coalesce(ExpressionWrapper(condition, output_field=BooleanField()), Value(False)))


class Operator:
    """`takes` says what it asks for: "none", "one", "many", "pair", "span" or "period"."""

    key: ClassVar[str]
    label: ClassVar[str | Promise]
    sentence: ClassVar[str | Promise]
    takes: ClassVar[str] = "one"

    def read(self, raw: Any, field: Field) -> Any:
        return field.kind.read(raw)

    def plain(self, value: Any, field: Field) -> Any:
        return field.kind.plain(value)

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        raise NotImplementedError

    def told(self, field: Field, value: Any, names: Names) -> str:
        return str(self.sentence) % {"field": field.label, "value": self.value_told(field, value, names)}

    def value_told(self, field: Field, value: Any, names: Names) -> str:
        return field.kind.told(value, names)


class Without(Operator):
    """A question that takes no value."""

    takes = "none"

    def read(self, raw: Any, field: Field) -> Any:
        if raw is not None:
            raise BadValue(_("Nothing: this question takes no value."))
        return None

    def plain(self, value: Any, field: Field) -> Any:
        return None

    def value_told(self, field: Field, value: Any, names: Names) -> str:
        return ""


class Several(Operator):
    takes = "many"

    def read(self, raw: Any, field: Field) -> Any:
        if not isinstance(raw, list):
            raise BadValue(_("A list."))
        if not raw:
            raise BadValue(_("Choose at least one."), "required")
        if len(raw) > MOST_VALUES:
            raise BadValue(_("At most %(most)s.") % {"most": MOST_VALUES}, "max_length")
        return list(dict.fromkeys(field.kind.read(one) for one in raw))

    def plain(self, value: Any, field: Field) -> Any:
        return [field.kind.plain(one) for one in value]

    def value_told(self, field: Field, value: Any, names: Names) -> str:
        return _(" or ").join(field.kind.told(one, names) for one in value)


class Pair(Operator):
    takes = "pair"

    def read(self, raw: Any, field: Field) -> Any:
        if not isinstance(raw, list) or len(raw) != 2:
            raise BadValue(_("Two values, the lower one first."))
        first, last = field.kind.read(raw[0]), field.kind.read(raw[1])
        if first > last:
            raise BadValue(_("The lower value first."))
        return first, last

    def plain(self, value: Any, field: Field) -> Any:
        return [field.kind.plain(one) for one in value]

    def value_told(self, field: Field, value: Any, names: Names) -> str:
        return _("%(first)s and %(last)s") % dict(zip(("first", "last"), (field.kind.told(one, names) for one in value), strict=True))


# ── Texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Is(Operator):
    key, label, sentence = "is", _l("is"), _l("%(field)s is %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("iexact", value)


class IsNot(Is):
    key, label, sentence = "is_not", _l("is not"), _l("%(field)s is not %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return negated(super().condition(field, value, asking), is_total=field.is_total)


class Contains(Operator):
    key, label, sentence = "contains", _l("contains"), _l("%(field)s contains %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("icontains", value)


class NotContains(Contains):
    key, label, sentence = "not_contains", _l("does not contain"), _l("%(field)s does not contain %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return negated(super().condition(field, value, asking), is_total=field.is_total)


class StartsWith(Operator):
    key, label, sentence = "starts_with", _l("starts with"), _l("%(field)s starts with %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("istartswith", value)


class Matches(Operator):
    """Every word, as the search finds them."""

    key, label, sentence = "matches", _l("contains"), _l("%(field)s contains %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        found = Q()
        for word in value.split():
            found &= field.where("contains", search_term(word))
        return found


class NotMatches(Matches):
    key, label, sentence = "not_matches", _l("does not contain"), _l("%(field)s does not contain %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return ~super().condition(field, value, asking)


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Compared(Operator):
    """The key is the lookup."""

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where(self.key, value)


class AtLeastNumber(Compared):
    key, label, sentence = "gte", _l("is at least"), _l("%(field)s is at least %(value)s")


class AtMostNumber(Compared):
    key, label, sentence = "lte", _l("is at most"), _l("%(field)s is at most %(value)s")


class Above(Compared):
    key, label, sentence = "gt", _l("is more than"), _l("%(field)s is more than %(value)s")


class Below(Compared):
    key, label, sentence = "lt", _l("is less than"), _l("%(field)s is less than %(value)s")


class Equals(Operator):
    key, label, sentence = "eq", _l("is exactly"), _l("%(field)s is exactly %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("exact", value)


class Between(Pair):
    key, label, sentence = "between", _l("is between"), _l("%(field)s is between %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("gte", value[0]) & field.where("lte", value[1])


# ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# ── Choices and other rows ──────────────────────────────────────────────────────────────────────────────────────────


class AnyOf(Several):
    key, label, sentence = "any_of", _l("is"), _l("%(field)s is %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("in", [_stored(field, one, asking) for one in value])


class NoneOf(AnyOf):
    key, label, sentence = "none_of", _l("is not"), _l("%(field)s is not %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return negated(super().condition(field, value, asking), is_total=field.is_total)


class AtLeast(Operator):
    """This rank or a higher one: smaller numbers are higher."""

    key, label, sentence = "at_least", _l("is at least"), _l("%(field)s is %(value)s or higher")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("lte", _stored(field, value, asking))


class AtMost(Operator):
    key, label, sentence = "at_most", _l("is at most"), _l("%(field)s is %(value)s or lower")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("gte", _stored(field, value, asking))


class Under(Several):
    """A team and all that stand below it."""

    key, label, sentence = "under", _l("is in or below"), _l("%(field)s is in or below %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        named = Team.objects.filter(pk__in=[_stored(field, one, asking) for one in value])
        found = {pk for team in named for pk in Team.objects.below(team).values_list("pk", flat=True)}
        return field.where("in", sorted(found) or [NOBODY])


def _stored(field: Field, value: Any, asking: Asking) -> Any:
    """What the column holds for a value of the rule."""
    if value == "me":
        return asking.reader.pk
    if value == "mine":
        return asking.reader.team_id
    return field.kind.column_value(value) if isinstance(field.kind, Choice) else value


# ── Tags, flags, emptiness ──────────────────────────────────────────────────────────────────────────────────────────


class HasAny(Several):
    key, label, sentence = "has_any", _l("has any of"), _l("%(field)s: %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("overlap", value)


class HasAll(Several):
    key, label, sentence = "has_all", _l("has all of"), _l("%(field)s: %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.where("contains", value)

    def value_told(self, field: Field, value: Any, names: Names) -> str:
        return _(" and ").join(field.kind.told(one, names) for one in value)


class HasNone(HasAny):
    key, label, sentence = "has_none", _l("has none of"), _l("%(field)s: not %(value)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return ~super().condition(field, value, asking)


class Yes(Without):
    key, label, sentence = "yes", _l("yes"), _l("%(field)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.flag(asking)


class No(Yes):
    key, label, sentence = "no", _l("no"), _l("not: %(field)s")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return negated(super().condition(field, value, asking), is_total=False)


class Empty(Without):
    key, label, sentence = "empty", _l("is empty"), _l("%(field)s is empty")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return field.empty()


class Filled(Empty):
    key, label, sentence = "filled", _l("is filled in"), _l("%(field)s is filled in")

    def condition(self, field: Field, value: Any, asking: Asking) -> Q:
        return negated(super().condition(field, value, asking), is_total=True)


OPERATORS: dict[str, Operator] = {
    one.key: one()
    for one in (
        *(Is, IsNot, Contains, NotContains, StartsWith, Matches, NotMatches),
        *(AtLeastNumber, AtMostNumber, Above, Below, Equals, Between),
        *(InLast, MoreThanAgo, InNext, MoreThanAhead, InPeriod, Since, Until, BetweenDays),
        *(AnyOf, NoneOf, AtLeast, AtMost, Under),
        *(HasAny, HasAll, HasNone, Yes, No, Empty, Filled),
    )
}
