"""What a caller may do: a token's scopes narrow the person's role, and neither widens the other. Which rows is `visible_to`'s question."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from users.access import Permission, allowed
from users.models import ApiToken


class ScopeAndRole(BasePermission):
    """Reads `area` (of the scopes) and `permission_needed()` from the view; a view without an area needs only a caller."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            return False
        area = getattr(view, "area", None)
        if area is None:
            return True
        require_scope(request, f"{area}:{'read' if request.method in SAFE_METHODS else 'write'}")
        needed = view.permission_needed()
        if needed is not None:
            require_permission(request, needed)
        return True


def require_scope(request: Request, scope: str) -> None:
    if isinstance(request.auth, ApiToken) and scope not in request.auth.scopes:
        raise PermissionDenied(_("This token lacks the scope %(scope)s.") % {"scope": scope}, code="missing_scope")


def require_permission(request: Request, permission: Permission) -> None:
    if not allowed(request.user, permission):
        raise PermissionDenied(_("Your role lacks the permission %(permission)s.") % {"permission": permission}, code="missing_permission")
