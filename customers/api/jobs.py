"""Long work that goes on by itself."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from customers.imports import runs
from customers.models import ImportRun, Job
from users.access import Permission
from users.api import filters as by
from users.api.idempotency import idempotent
from users.api.serializers import RecordSerializer
from users.api.views import NounView


class JobSerializer(RecordSerializer):
    class Meta:
        model = Job
        fields = (
            "id", "kind", "title", "state", "stage", "progress", "total", "result", "error", "requested_by", "created_at", "started_at",
            "finished_at", "cancel_requested_at",
        )  # fmt: skip
        read_only_fields = fields


class JobView(NounView):
    """Your jobs; administrators see all."""

    model, area, serializer_class = Job, "imports", JobSerializer
    permissions = {"read": Permission.CUSTOMER_VIEW, "add": Permission.IMPORT_RUN}
    filters = {"state": by.choice("state", Job.State), "kind": by.text("kind")}

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    @idempotent
    def cancel(self, request: Request, pk: int) -> Response:
        """Ask a running job to stop at its next safe point; a waiting one stops at once."""
        job = self.get_object()
        if run := ImportRun.objects.filter(job=job).first():
            runs.cancel(run)
        elif not job.is_finished:
            job.request_cancel()
        return self.shown(self.get_object())
