"""POST …/bulk/: up to 1,000 records of one noun, each found again by the key that it has in its source system.

    {"items": [{"source": "erp", "key": "4711", "legal_name": "Acme", …}, …]}

An item is created, updated, left unchanged or refused, by itself: one that is wrong does not stop the others. Each is committed by
itself, so a call that was cut off can be sent again and goes on where it was. `customer_key` may stand for `customer`: the key of the
customer in the same source; in the lines of an order `product_code` may stand for `product`.
"""

from __future__ import annotations

import json
from collections import Counter
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.fields import get_error_detail
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import CrossReference, Customer, Product, SourceRecord, SourceSystem
from users.api.exception_handler import violated_rule
from users.api.idempotency import idempotent_in_parts
from users.api.problems import flattened
from users.api.renderers import as_json
from users.api.serializers import ProblemOfField
from users.api.views import NounView

MOST_ITEMS = 1000
LONGEST_KEY = 200


class BulkItem(serializers.Serializer[Any]):
    source = serializers.SlugField(help_text="The code of the source system.")  # type: ignore[assignment]  # a field of the item
    key = serializers.CharField(max_length=LONGEST_KEY, help_text="The record's key there.")


class BulkBody(serializers.Serializer[Any]):
    items = BulkItem(many=True, help_text="At most 1,000, each with source, key and the fields of the noun.")


class BulkResult(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    key = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["created", "updated", "unchanged", "error"])
    id = serializers.IntegerField(required=False)
    errors = ProblemOfField(many=True, required=False)  # type: ignore[assignment]  # a field of the answer


class BulkAnswer(serializers.Serializer[Any]):
    counts = serializers.DictField(child=serializers.IntegerField())
    results = BulkResult(many=True)


class Bulk(NounView):
    """What facts and golden records share; they differ in how a key finds its record."""

    @extend_schema(request=BulkBody, responses={200: BulkAnswer}, description="Create or update up to 1,000 records by source and key.")
    @action(detail=False, methods=["post"])
    @idempotent_in_parts
    def bulk(self, request: Request) -> Response:
        items = _items(request.data)
        self.found = self.rows_by_key(items)
        results = [self._result(index, item) for index, item in enumerate(items)]
        counts = {"created": 0, "updated": 0, "unchanged": 0, "error": 0} | Counter(one["status"] for one in results)
        return Response({"counts": counts, "results": results})

    def _result(self, index: int, item: Any) -> dict[str, Any]:
        key = item.get("key") if isinstance(item, dict) and isinstance(item.get("key"), str) else None
        try:
            with transaction.atomic():
                status, pk = self._upsert(item)
        except (APIException, DjangoValidationError, IntegrityError) as error:
            return {"index": index, "key": key, "status": "error", "errors": list(flattened(self._detail(error)))}
        return {"index": index, "key": key, "status": status, "id": pk}

    def _detail(self, error: Exception) -> Any:
        if isinstance(error, IntegrityError):
            error = violated_rule(error, self.model._meta.constraints)
        return get_error_detail(error) if isinstance(error, DjangoValidationError) else error.detail  # type: ignore[attr-defined]

    def _upsert(self, item: Any) -> tuple[str, int]:
        system, key, fields = self._opened(item)
        row = self.found.get((system.code, key))
        if row is None:
            row = self.found[system.code, key] = self.add_keyed(system, key, fields)
            return "created", row.pk
        if not self.get_queryset().filter(pk=row.pk).exists():
            raise ValidationError({"key": [ErrorDetail(_("This key belongs to a record that you cannot see."), "not_visible")]})
        return ("updated" if self.change_keyed(row, system, key, fields) else "unchanged"), row.pk

    def _opened(self, item: Any) -> tuple[SourceSystem, str, dict[str, Any]]:
        """The source, the key, and the fields with keys of other records turned into their ids."""
        if not isinstance(item, dict):
            raise ValidationError({"non_field_errors": [ErrorDetail(_("An object."), "invalid")]})
        opening = BulkItem(data={name: item[name] for name in ("source", "key") if name in item})
        opening.is_valid(raise_exception=True)
        system = self._systems.get(opening.validated_data["source"])
        if system is None or system.code == SourceSystem.STEWARD:
            raise ValidationError({"source": [ErrorDetail(_("There is no such source system."), "does_not_exist")]})
        fields = {name: value for name, value in item.items() if name not in ("source", "key")}
        return system, opening.validated_data["key"], self._with_ids(system, fields)

    @cached_property
    def _systems(self) -> dict[str, SourceSystem]:
        return {system.code: system for system in SourceSystem.objects.visible_to(self.user)}

    def _with_ids(self, system: SourceSystem, fields: dict[str, Any]) -> dict[str, Any]:
        if "customer_key" in fields:
            key = fields.pop("customer_key")
            tied = CrossReference.objects.filter(system=system, noun=SourceRecord.Noun.CUSTOMER, key=str(key), until=None)
            fields["customer"] = _one_of(tied.filter(customer__in=Customer.objects.visible_to(self.user)), "customer_id", "customer_key")
        if isinstance(fields.get("lines"), list):
            fields["lines"] = [self._line_with_id(line) for line in fields["lines"]]
        return fields

    def _line_with_id(self, line: Any) -> Any:
        if not isinstance(line, dict) or "product_code" not in line:
            return line
        code = line.pop("product_code")
        return {**line, "product": _one_of(Product.objects.visible_to(self.user).filter(code=str(code)), "pk", "product_code")}

    @cached_property
    def _context(self) -> dict[str, Any]:
        """One context for all items, so that a record which many of them name is looked up once."""
        return {"request": self.request, "view": self}

    def checked_fields(self, fields: dict[str, Any], row: Any = None) -> dict[str, Any]:
        serializer = self.get_serializer_class()(row, data=fields, partial=row is not None, context=self._context)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def rows_by_key(self, items: list[Any]) -> dict[tuple[str, str], Any]:
        raise NotImplementedError

    def add_keyed(self, system: SourceSystem, key: str, fields: dict[str, Any]) -> Any:
        raise NotImplementedError

    def change_keyed(self, row: Any, system: SourceSystem, key: str, fields: dict[str, Any]) -> bool:
        raise NotImplementedError


class BulkFacts(Bulk):
    """Facts carry their source and key themselves."""

    def rows_by_key(self, items: list[Any]) -> dict[tuple[str, str], Any]:
        rows = self.model._base_manager.filter(source__code__in=_texts(items, "source"), source_key__in=_texts(items, "key"))
        return {(row.source.code, row.source_key): row for row in rows.select_related("source")}

    def add_keyed(self, system: SourceSystem, key: str, fields: dict[str, Any]) -> Any:
        return self.add({**self.checked_fields(fields), "source": system, "source_key": key})

    def change_keyed(self, row: Any, system: SourceSystem, key: str, fields: dict[str, Any]) -> bool:
        return bool(self.change(row, self.checked_fields(fields, row), None))

    def add(self, values: dict[str, Any]) -> Any:
        return self.model.add(by=self.user, **values)

    def change(self, row: Any, values: dict[str, Any], version: int | None) -> Any:
        return row.change(by=self.user, expected_version=version, **values)


class BulkGolden(Bulk):
    """Customers and contacts are known by cross-references; each version that a source gives is kept as received."""

    def rows_by_key(self, items: list[Any]) -> dict[tuple[str, str], Any]:
        noun = self.model.SOURCE_NOUN
        ties = CrossReference.objects.filter(
            system__code__in=_texts(items, "source"), key__in=_texts(items, "key"), noun=noun, until=None
        ).select_related("system", noun)
        return {(tie.system.code, tie.key): getattr(tie, noun) for tie in ties}

    def add_keyed(self, system: SourceSystem, key: str, fields: dict[str, Any]) -> Any:
        return self.add_from(self.checked_fields(fields), system=system, key=key, payload=_as_received(fields))

    def change_keyed(self, row: Any, system: SourceSystem, key: str, fields: dict[str, Any]) -> bool:
        received = {"system": system, "key": key, "payload": _as_received(fields)}
        return bool(self.change_from(row, self.checked_fields(fields, row), **received))

    def add_from(self, values: dict[str, Any], **received: Any) -> Any:
        return self.model.add_from(by=self.user, **received, **values)

    def change_from(self, row: Any, values: dict[str, Any], **received: Any) -> Any:
        return row.change_from(by=self.user, **received, **values)


def _items(body: Any) -> list[Any]:
    items = body.get("items") if isinstance(body, dict) and set(body) == {"items"} else None
    if not isinstance(items, list):
        raise ValidationError({"items": [ErrorDetail(_('A list of objects: {"items": [{"source": …, "key": …, …}]}.'), "invalid")]})
    if not 1 <= len(items) <= MOST_ITEMS:
        raise ValidationError({"items": [ErrorDetail(_("From 1 to 1,000 items."), "max_length")]})
    return items


def _texts(items: list[Any], name: str) -> list[str]:
    return [item[name] for item in items if isinstance(item, dict) and isinstance(item.get(name), str)]


def _one_of(rows: Any, column: str, field: str) -> int:
    """The id that the rows hold; an error of this field where there is none."""
    pk: int | None = rows.values_list(column, flat=True).first()
    if pk is None:
        raise ValidationError({field: [ErrorDetail(_("There is no such record."), "does_not_exist")]})
    return pk


def _as_received(fields: dict[str, Any]) -> dict[str, Any]:
    """The item as JSON holds it, so that a version compares equal to the one that was kept."""
    plain: dict[str, Any] = json.loads(as_json(fields))
    return plain
