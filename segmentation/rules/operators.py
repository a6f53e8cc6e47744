"""What can be asked of a field: one small class for each question, found by its key."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from customers.maths.names import search_term
from segmentation.rules.day_operators import BetweenDays, InLast, InNext, InPeriod, MoreThanAgo, MoreThanAhead, Since, Until
from segmentation.rules.fields import Asking, Field
from segmentation.rules.kinds import Choice
from segmentation.rules.questions import Names, Operator, Pair, Several, Without, negated
from users.models import Team

NOBODY = 0  # an id that no row has: an empty list would not be a condition that NOT can turn round


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
