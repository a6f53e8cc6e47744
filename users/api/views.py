"""The base of every noun's views: a noun says what it is, and list, detail, create and change follow.

    class CustomerView(Discardable, RecordView):
        model, area = Customer, "customers"
        serializer_class, list_serializer_class = CustomerSerializer, CustomerSummary
        permissions = {"read": …, "add": …, "change": …, "remove": …}
        filters, sorts = {…}, (…)

Every row is found through the model's `visible_to`, and every change goes through the model's own verbs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from users.access import Permission
from users.api import filters as lists
from users.api.concurrency import etag, expected_version, is_known
from users.api.exception_handler import violated_rule
from users.api.idempotency import idempotent
from users.api.serializers import RecordSerializer
from users.keyset import Sort
from users.models import User
from users.records import Record

ACTS = {"update": "change", "partial_update": "change", "destroy": "remove", "restore": "remove"}
NEWEST_FIRST = Sort("id", "pk", descending=True)


class ListView(GenericViewSet[Any]):
    """Reading a list in pages."""

    model: ClassVar[type[Any]]
    area: ClassVar[str]  # of the token scopes: "customers" needs customers:read and customers:write
    permissions: ClassVar[dict[str, Permission]] = {"read": Permission.CUSTOMER_VIEW}
    list_serializer_class: ClassVar[type[RecordSerializer] | None] = None  # where a list shows less than the detail
    filters: ClassVar[dict[str, lists.Filter]] = {}
    sorts: ClassVar[tuple[Sort, ...]] = (NEWEST_FIRST,)
    is_searchable: ClassVar[bool] = False
    lookup_value_converter = "int"

    def permission_needed(self) -> Permission | None:
        """None where the method is not there at all, which is 405's affair."""
        usual = "read" if self.request.method in SAFE_METHODS else "add"
        return self.permissions[ACTS.get(self.action, usual)] if self.action else None

    def filter_named(self, name: str) -> lists.Filter | None:
        return self.filters.get(name)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As DRF's, but counting a call before refusing it, so that guessing tokens is limited too."""
        self.format_kwarg = None
        try:
            self.perform_authentication(request)
        finally:
            self.check_throttles(request)
        self.check_permissions(request)

    @property
    def user(self) -> User:
        """The caller, whom the permissions have made sure of."""
        user: User = self.request.user  # type: ignore[assignment]
        return user

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return QuerySet(self.model).none()
        found: QuerySet[Any] = self.model.objects.visible_to(self.user)
        return found

    def list(self, request: Request) -> Response:
        serializer = self.row_serializer()
        columns = {*serializer.columns(), *(sort.column for sort in self.sorts)}
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset().only(*columns)))
        represent = serializer(context={"request": request}).to_representation
        return self.get_paginated_response([represent(row) for row in rows or ()])

    def row_serializer(self) -> type[RecordSerializer]:
        return self.list_serializer_class or self.serializer_class  # type: ignore[return-value]

    def handle_exception(self, exc: Exception) -> Response:
        """A broken rule of this noun's table is named in the words of its constraint."""
        if isinstance(exc, IntegrityError):
            exc = violated_rule(exc, self.model._meta.constraints)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Personal data: no cache on the way may keep it."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        patch_cache_control(answer, private=True, no_store=True)
        return answer


class NounView(ListView):
    """Reading: a list in pages, and one record with its ETag."""

    def get_object(self) -> Any:
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def retrieve(self, request: Request, pk: int) -> Response:
        row = self.get_object()
        if isinstance(row, Record) and is_known(request, row.version):
            return Response(status=304, headers={"ETag": etag(row.version)})
        return self.shown(row)

    def shown(self, row: Model, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
        """One record as the answer, as the database has it now."""
        version = row.version if isinstance(row, Record) else None
        tags = {"ETag": etag(version)} if version is not None else {}
        return Response(self.get_serializer().to_representation(row), status=status, headers=tags | (headers or {}))

    def checked(self, row: Model | None = None, *, partial: bool = False) -> dict[str, Any]:
        """The body's values, valid each for itself."""
        serializer = self.get_serializer(row, data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)


class AddView(NounView):
    """Reading and adding."""

    @idempotent
    def create(self, request: Request) -> Response:
        row = self.add(self.checked())
        headers = {"Location": f"{request.path}{row.pk}/"}
        return self.shown(self.model._base_manager.get(pk=row.pk), status=201, headers=headers)

    def add(self, values: dict[str, Any]) -> Any:
        return self.model.add(by=self.user, **values)


class RecordView(AddView):
    """Reading, adding and changing, the latter only with If-Match."""

    def update(self, request: Request, pk: int, *, partial: bool = False) -> Response:
        row = self.get_object()
        version = expected_version(request, row.version)
        self.change(row, self.checked(row, partial=partial), version)
        return self.shown(self.model._base_manager.get(pk=row.pk))

    def partial_update(self, request: Request, pk: int) -> Response:
        return self.update(request, pk, partial=True)

    def change(self, row: Any, values: dict[str, Any], version: int | None) -> Any:
        return row.change(by=self.user, expected_version=version, **values)


class Discardable(RecordView):
    """DELETE takes the record out of sight; POST …/restore/ brings it back."""

    def destroy(self, request: Request, pk: int) -> Response:
        with self.locked(request) as row:
            row.discard(by=self.user)
        return Response(status=204)

    @action(detail=True, methods=["post"])
    @idempotent
    def restore(self, request: Request, pk: int) -> Response:
        get_object_or_404(self.discarded(), pk=pk).restore(by=self.user)
        return self.shown(self.get_object())

    def discarded(self) -> QuerySet[Any]:
        """The deleted records that the caller would see if they were not."""
        raise NotImplementedError

    @contextmanager
    def locked(self, request: Request) -> Iterator[Any]:
        """The record of this address, at the version that If-Match names, held until the end of the block."""
        with transaction.atomic():
            row = self.get_object()
            row = self.model._base_manager.select_for_update().get(pk=row.pk)
            expected_version(request, row.version)
            yield row


class Removable(RecordView):
    """DELETE removes the record; its history stays."""

    def destroy(self, request: Request, pk: int) -> Response:
        row = self.get_object()
        row.remove(by=self.user, expected_version=expected_version(request, row.version))
        return Response(status=204)
