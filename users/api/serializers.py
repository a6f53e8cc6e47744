"""What every noun's serializer shares: strict input, related records within the caller's sight, and output without ceremony.

DRF reads the input. The output is a plan of (name, how to read it) made once per class: walking DRF's field objects costs more than
the query behind a list, and says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.validators import UniqueValidator

Read = Callable[[Any], Any]


class RelatedId(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a record that the caller can see; another's is answered as if it did not exist."""

    default_error_messages = {
        "does_not_exist": gettext_lazy("There is no such record."),
        "incorrect_type": gettext_lazy("An id: a number."),
    }

    def get_queryset(self) -> Any:
        return self._model.objects.visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Any:
        if type(data) is not int:  # True is an int, and 1.5 would be cut to 1
            self.fail("incorrect_type")
        context: Any = self.context
        met = context.setdefault("related", {})  # the lines of an order name the same product again and again
        if (place := (self._model, data)) not in met:
            met[place] = super().to_internal_value(data)
        return met[place]

    @property
    def _model(self) -> Any:
        queryset: Any = self.__dict__["queryset"]
        return queryset.model


class StrictText(serializers.CharField):
    """Text, and nothing that could pass for it."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses what it does not know, so that nothing is assigned by accident and no misspelt field is lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            writable = self._writable_names
            if strangers := [name for name in data if name not in writable]:
                raise ValidationError({name: [self._stranger(name)] for name in strangers[:50]})
        return super().to_internal_value(data)

    @cached_property
    def _writable_names(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if not field.read_only)

    def _stranger(self, name: str) -> ErrorDetail:
        return (
            ErrorDetail(_("This field is read-only."), "read_only") if name in self.fields else ErrorDetail(_("Unknown field."), "unknown")
        )


class RecordSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    """A noun as JSON. Foreign keys are ids, money is text, times are UTC.

    Uniqueness is left to the database (`exception_handler.violated_rule`): a look before the insert would cost a query and prove nothing.
    """

    serializer_related_field = RelatedId
    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: StrictText,
        models.TextField: StrictText,
    }

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, kwargs = super().build_standard_field(field_name, model_field)
        if "validators" in kwargs:
            kwargs["validators"] = [one for one in kwargs["validators"] if not isinstance(one, UniqueValidator)]
        return field_class, kwargs

    def get_validators(self) -> list[Any]:
        return []

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {name: read(instance) for name, read in plan_of(type(self))}

    @classmethod
    def columns(cls) -> list[str]:
        """The model's columns that the output needs."""
        fields = {field.name for field in _model(cls)._meta.concrete_fields}
        return [name for name in cls.Meta.fields if name in fields] + list(getattr(cls.Meta, "also_reads", ()))


@lru_cache(maxsize=200)
def plan_of(serializer: type[RecordSerializer]) -> tuple[tuple[str, Read], ...]:
    """How to read each field of the output: a method `read_<name>` of the serializer, else the model's column or property."""
    plain = {field.name: field.attname for field in _model(serializer)._meta.concrete_fields}
    shown = [name for name in serializer.Meta.fields if not getattr(serializer._declared_fields.get(name), "write_only", False)]
    return tuple((name, getattr(serializer, f"read_{name}", None) or attrgetter(plain.get(name, name))) for name in shown)


def _model(serializer: type[RecordSerializer]) -> type[models.Model]:
    model: type[models.Model] = serializer.Meta.model
    return model


class ProblemOfField(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path into the body, or the parameter's name; empty for the whole.")
    code = serializers.CharField()
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """RFC 9457 problem details, as every error of this API has them."""

    type = serializers.CharField(help_text="urn:pareto:problem:<code>: the kind of problem, for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="The path that was asked for.")
    errors = ProblemOfField(many=True, required=False)  # type: ignore[assignment]  # a field of the problem, named by the RFC
