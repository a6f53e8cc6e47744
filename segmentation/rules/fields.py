"""A field that a condition can ask about: its name in a rule, its kind, and where it is stored.

Only these objects know columns. What a rule says is looked up in a dict of them and never becomes a name in a query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import BooleanField, F, Func, JSONField, Lookup, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact, IContains, IStartsWith
from django.utils import timezone

from segmentation.rules.kinds import Choice, Day, Flag, Kind, Number, Text

if TYPE_CHECKING:
    from users.models import User


@dataclass(frozen=True)
class Asking:
    """For whom and when a rule is asked: 'me', 'my team' and 'today' depend on it."""

    reader: User
    today: date

    @classmethod
    def now(cls, reader: User) -> Asking:
        return cls(reader, timezone.localdate())


@dataclass(frozen=True)
class Field:
    key: str
    label: Any
    kind: Kind
    column: str = ""  # the path from the row that is asked about
    is_total: bool = True  # never NULL, so that NOT says the opposite
    may_be_empty: bool = False

    @property
    def operators(self) -> tuple[str, ...]:
        return (*self.kind.operators, "empty", "filled") if self.may_be_empty else self.kind.operators

    def where(self, lookup: str, value: Any) -> Q:
        return Q(**{f"{self.column}__{lookup}": value})

    def days(self, first: date | None, last: date | None) -> Q:
        """From the first day to the last, both included; None leaves a side open."""
        since = self.where("gte", first) if first else Q()
        until = self.where("lte", last) if last else Q()
        return since & until

    def empty(self) -> Q:
        missing = Q() if self.is_total else self.where("isnull", True)
        if isinstance(self.kind, Text) or (isinstance(self.kind, Choice) and not self.kind.stored):
            missing |= self.where("exact", [] if self.kind.name == "tags" else "")
        return missing

    def flag(self, asking: Asking) -> Q:
        return self.where("exact", True)


@dataclass(frozen=True)
class MomentField(Field):
    """A point in time, asked for by the days of the zone in force."""

    def days(self, first: date | None, last: date | None) -> Q:
        since = self.where("gte", _start(first)) if first else Q()
        until = self.where("lt", _start(last + timedelta(days=1))) if last else Q()
        return since & until


@dataclass(frozen=True)
class FlagField(Field):
    """A yes or no that follows from several columns."""

    condition: Callable[[Asking], Q] = lambda _asking: Q()

    def flag(self, asking: Asking) -> Q:
        return self.condition(asking)


@dataclass(frozen=True)
class JsonField(Field):
    """A custom field: a key of a JSON column. Values of another type than the field's, left from before, are never met.

    Equality is containment, which the index over the column answers; an order is a path expression, which compares by type
    and so cannot fail on a text where a number is asked for.
    """

    json_key: str = ""

    def where(self, lookup: str, value: Any) -> Q:
        text = KeyTextTransform(self.json_key, self.column)
        match lookup:
            case "exact":
                return Q(**{f"{self.column}__contains": {self.json_key: self.kind.plain(value)}})
            case "in":
                conditions = Q()
                for one in value:
                    conditions |= self.where("exact", one)
                return conditions
            case "icontains":
                return _total(IContains(text, value))
            case "istartswith":
                return _total(IStartsWith(text, value))
            case "iexact":
                return _total(Exact(Func(text, function="upper"), Func(Value(value), function="upper")))
        return self._compared({"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[lookup], self.kind.plain(value))

    def empty(self) -> Q:
        return ~Q(**{f"{self.column}__has_key": self.json_key})

    def _compared(self, sign: str, value: Any) -> Q:
        path = f'$."{self.json_key}" ? (@ {sign} $value)'
        return Q(
            Func(
                F(self.column),
                Value(path),
                Value({"value": value}, output_field=JSONField()),
                template="jsonb_path_exists(%(expressions)s)",
                arg_joiner=", ",
                output_field=BooleanField(),
            )
        )


def _total(condition: Lookup[Any]) -> Q:
    """NULL counts as no."""
    return Q(Coalesce(models.ExpressionWrapper(Q(condition), output_field=BooleanField()), Value(False)))


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def of_column(
    model: type[models.Model],
    name: str,
    *,
    key: str = "",
    path: str = "",
    label: Any = None,
    kind: Kind | None = None,
    is_total: bool = True,
) -> Field:
    """The field of a model's column, its kind and emptiness read off the model. `path` leads there from the row asked about."""
    column = model._meta.get_field(name)
    assert isinstance(column, models.Field)
    maker = MomentField if isinstance(column, models.DateTimeField) else Field
    return maker(
        key=key or name,
        label=label or column.verbose_name,
        kind=kind or _kind_of(column),
        column=f"{path}{name}",
        is_total=is_total and not column.null,
        may_be_empty=column.null or column.blank or not is_total,
    )


def of_columns(model: type[models.Model], *names: str, prefix: str = "", path: str = "", is_total: bool = True) -> list[Field]:
    return [of_column(model, name, key=f"{prefix}{name}", path=path, is_total=is_total) for name in names]


def labelled(field: Field, label: Any) -> Field:
    return replace(field, label=label)


def _kind_of(column: models.Field[Any, Any]) -> Kind:
    if column.flatchoices:
        choices = tuple((str(value), label) for value, label in column.flatchoices)
        numbered = isinstance(column, models.IntegerField)
        return Choice(choices, {str(value): value for value, _label in column.flatchoices} if numbered else {})
    if isinstance(column, models.BooleanField):
        return Flag()
    if isinstance(column, models.DateField):
        return Day()
    if isinstance(column, models.PositiveSmallIntegerField):
        return Number(whole=True, most=32_767)
    if isinstance(column, models.IntegerField):
        return Number(whole=True)
    if isinstance(column, models.DecimalField | models.FloatField):
        return Number()
    return Text()
