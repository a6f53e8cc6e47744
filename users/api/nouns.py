"""Users, teams and the audit, as the API shows them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from users import actions
from users.access import Permission, Role
from users.api import filters as by
from users.api.serializers import RecordSerializer
from users.api.views import NounView, RecordView
from users.keyset import Sort
from users.models import ApiToken, Event, Team, User

MANAGED = {"read": Permission.CUSTOMER_VIEW, "add": Permission.USER_MANAGE, "change": Permission.USER_MANAGE}


class UserSerializer(RecordSerializer):
    class Meta:
        model = User
        fields = ("id", "version", "email", "name", "team", "role", "data_scope", "language", "time_zone", "is_active", "updated_at")
        read_only_fields = ("id", "version", "updated_at")


class UserView(RecordView):
    """Colleagues. A new account has no password: its invitation is sent from the page of users."""

    model, area, serializer_class = User, "users", UserSerializer
    permissions = MANAGED
    sorts = (Sort("id", "pk"), Sort("name", "name"))
    filters = {
        "email": by.text("email"),
        "team": by.identity("team"),
        "role": by.choice("role", Role),
        "is_active": by.flag("is_active"),
    }

    def add(self, values: dict[str, Any]) -> User:
        return actions.add_user(by=self.user, **values)

    @transaction.atomic
    def change(self, row: User, values: dict[str, Any], version: int | None) -> None:
        changes = actions.change_user(by=self.user, user=row, expected_version=version, **values)
        if "is_active" in changes and not row.is_active:
            actions.end_sessions(user=row)
            actions.revoke_tokens(by=self.user, user=row)


class TeamSerializer(RecordSerializer):
    class Meta:
        model = Team
        fields = ("id", "version", "name", "kind", "parent", "updated_at")
        read_only_fields = ("id", "version", "updated_at")


class TeamView(RecordView):
    """Places in the organisation: head office, regional centres, city centres, repair stations."""

    model, area, serializer_class = Team, "users", TeamSerializer
    permissions = MANAGED
    sorts = (Sort("id", "pk"), Sort("name", "name"))
    filters = {"kind": by.choice("kind", Team.Kind), "parent": by.identity("parent")}


class ApiTokenSerializer(RecordSerializer):
    class Meta:
        model = ApiToken
        fields = ("id", "user", "name", "hint", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
        read_only_fields = fields


class ApiTokenView(NounView):
    """Your API tokens, without their secrets; administrators see all. They are made and revoked on the page of tokens."""

    model, area, serializer_class = ApiToken, "users", ApiTokenSerializer
    filters = {"user": by.identity("user")}


class EventSerializer(RecordSerializer):
    class Meta:
        model = Event
        fields = ("id", "at", "actor", "action", "noun", "object_id", "label", "customer_id", "changes", "request_id")
        read_only_fields = fields


class EventView(NounView):
    """The audit: who changed what, when, from what to what."""

    model, area, serializer_class = Event, "audit", EventSerializer
    permissions = {"read": Permission.AUDIT_VIEW}
    filters = {
        "noun": by.text("noun"),
        "object": by.identity("object_id"),
        "customer": by.identity("customer_id"),
        "actor": by.identity("actor"),
        "action": by.text("action"),
    }
