"""What all questions of a field have in common: how they read their value, put it as a condition, and tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from segmentation.rules.fields import Asking, Field
from segmentation.rules.problems import BadValue

MOST_VALUES = 50
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
