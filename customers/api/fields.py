"""Fields and filters that several nouns of the API share."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import get_error_detail

from customers.models import CustomField, SourceSystem
from users.api import filters as by


def _of_source(code: str) -> Q:
    """By the id of the source, of which the database knows how many rows it has; of its code it knows nothing."""
    return Q(source__in=list(SourceSystem.objects.filter(code=code).values_list("pk", flat=True)))


SOURCE_FILTERS = {"source": by.text(_of_source), "source_key": by.text("source_key", beside="source")}


@extend_schema_field({"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}})
class CustomValues(serializers.Field[Any, Any, Any, Any]):
    """The custom fields of a customer. A change sets the keys it names, removes those set to null, and leaves the others."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise ValidationError(_("An object: the key of a custom field → its value."))
        known = {field.key: field for field in CustomField.objects.in_use()} if data else {}
        instance = getattr(self.parent, "instance", None)
        values = dict(instance.custom) if instance is not None else {}
        errors: dict[str, Any] = {}
        for key, value in data.items():
            if key not in known:
                errors[key] = [ErrorDetail(_("There is no such custom field."), "unknown")]
                continue
            try:
                values[key] = known[key].checked(value)
            except DjangoValidationError as error:
                errors[key] = get_error_detail(error)
        if errors:
            raise ValidationError(errors)
        return {key: value for key, value in values.items() if value is not None}

    def to_representation(self, value: Any) -> Any:
        return value
