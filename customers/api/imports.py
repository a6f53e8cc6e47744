"""Files that are imported: uploaded, checked or run as a job, and undone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from customers.imports import again, runs
from customers.imports.problems import BadFile, explain
from customers.models import ImportProblem, ImportRun
from users.access import Permission
from users.api import filters as by
from users.api.idempotency import idempotent
from users.api.parsers import StrictJSONParser, refuse_odd_values
from users.api.serializers import RecordSerializer, StrictSerializer
from users.api.views import NounView
from users.keyset import Sort


class ImportSerializer(RecordSerializer):
    class Meta:
        model = ImportRun
        fields = (
            "id", "kind", "source", "by", "file_name", "file_size", "state", "mapping", "options", "counts", "rows_total", "rows_done",
            "job", "created_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class JSONText(serializers.CharField):
    """An object, written as JSON in a field of a form."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            found = json.loads(super().to_internal_value(data))
        except (ValueError, RecursionError) as error:
            raise ValidationError(_("This is not valid JSON.")) from error
        if not isinstance(found, dict):
            raise ValidationError(_("An object, as JSON."))
        refuse_odd_values(found)
        return found


class Mapping(JSONText):
    """{column of the file: field}; a column that is not to be read has an empty field."""

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if strange := [name for name, field in found.items() if not isinstance(field, str)]:
            raise ValidationError({name: [ErrorDetail(_("The name of a field."), "invalid")] for name in strange})
        return found


class UploadSerializer(StrictSerializer):
    file = serializers.FileField(help_text="CSV, TSV or XLSX.")
    kind = serializers.ChoiceField(choices=ImportRun.Kind.choices)
    source = serializers.SlugField(max_length=40, help_text="The code of the source system; a new one is made.")  # type: ignore[assignment]  # a field of the form
    mapping = Mapping(required=False, help_text="JSON: {column of the file: field}. Else as last time, or a guess.")
    options = JSONText(required=False, help_text="JSON: match_by, and columns: {column: {order, mark, scale}}.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only check the file and count.")


class LaunchSerializer(StrictSerializer):
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Only check the file and count.")


class ImportView(NounView):
    """Imports of files. State and counts say how far one is; what is wrong with rows is under import-problems."""

    model, area, serializer_class = ImportRun, "imports", ImportSerializer
    permissions = {"read": Permission.IMPORT_RUN, "add": Permission.IMPORT_RUN}
    filters = {"kind": by.choice("kind", ImportRun.Kind), "state": by.choice("state", ImportRun.State), "source": by.text("source__code")}

    def get_parsers(self) -> Any:
        return [MultiPartParser()] if self.action_map.get("post") == "create" else [StrictJSONParser()]

    @extend_schema(request={"multipart/form-data": UploadSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Upload a file and import it (or only check it, with `dry_run`) as a job."""
        given = self._given(UploadSerializer)
        content = given["file"]
        with transaction.atomic(), problems_of("file"):
            run = runs.start(by=self.user, kind=given["kind"], source_code=given["source"], name=content.name, content=content)
            try:
                runs.set_mapping(run, mapping=given.get("mapping", run.mapping), options=given.get("options", {}))
                runs.launch(run, dry_run=given["dry_run"])
            except Exception:
                run.file.delete(save=False)  # the row goes with the transaction, the file does not
                raise
        return self.shown(ImportRun.objects.get(pk=run.pk), status=201, headers={"Location": f"{request.path}{run.pk}/"})

    @extend_schema(request=LaunchSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def launch(self, request: Request, pk: int) -> Response:
        """Import a file that was checked, or check it again."""
        run = self.get_object()
        with problems_of("file"):
            runs.launch(run, dry_run=self._given(LaunchSerializer)["dry_run"])
        return self.shown(self.get_object())

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: int) -> Response:
        """Stop after the rows under way; what is written stays, and can be undone."""
        runs.cancel(self.get_object())
        return self.shown(self.get_object())

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    @idempotent
    def undo(self, request: Request, pk: int) -> Response:
        """Take back what the import did, as a job."""
        runs.launch_undo(self.get_object(), by=self.user)
        return self.shown(self.get_object())

    @extend_schema(request=None, responses={201: ImportSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def again(self, request: Request, pk: int) -> Response:
        """Import the rows that waited for an answer once more, as an import of their own."""
        run = again.import_again(self.get_object(), by=self.user)
        address = reverse("api-imports-detail", args=[run.pk])
        return self.shown(ImportRun.objects.get(pk=run.pk), status=201, headers={"Location": address})

    def _given(self, form: type[StrictSerializer]) -> Any:
        serializer = form(data=self.request.data, context=self.get_serializer_context())
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


@contextmanager
def problems_of(field: str) -> Iterator[None]:
    """What is wrong with a file as a whole, as an error of its field."""
    try:
        yield
    except BadFile as error:
        raise ValidationError({field: [ErrorDetail(str(error), "bad_file")]}) from error


class ImportProblemSerializer(RecordSerializer):
    message = serializers.CharField(read_only=True)

    class Meta:
        model = ImportProblem
        fields = ("id", "run", "row_number", "column", "value", "code", "message", "severity", "row", "resolved_at")
        read_only_fields = fields
        also_reads = ("parameters",)

    @staticmethod
    def read_message(problem: ImportProblem) -> str:
        return explain(problem.code, problem.parameters)


class ImportProblemView(NounView):
    """What is wrong with rows and cells of imported files, each with the row as received."""

    model, area, serializer_class = ImportProblem, "imports", ImportProblemSerializer
    permissions = {"read": Permission.IMPORT_RUN}
    sorts = (Sort("id", "pk"),)
    filters = {
        "run": by.identity("run"),
        "severity": by.choice("severity", ImportProblem.Severity),
        "code": by.text("code"),
        "is_open": by.flag("resolved_at__isnull"),
    }
