from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crm.health import check_all


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Database, broker, worker and beat, each ok or not; 503 when one is not."""
    parts = check_all()
    is_well = all(part["ok"] for part in parts.values())
    return JsonResponse({"ok": is_well, **parts}, status=200 if is_well else 503)


@login_not_required
def not_here(request: HttpRequest) -> HttpResponse:
    """Stands in front of a page that a library brings along and this product does not have."""
    raise Http404
