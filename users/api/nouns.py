"""Users, teams and the audit, as the API shows them."""

from __future__ import annotations

from users.access import Permission, Role
from users.api import filters as by
from users.api.serializers import RecordSerializer
from users.api.views import NounView
from users.keyset import Sort
from users.models import ApiToken, Event, Team, User


class UserSerializer(RecordSerializer):
    class Meta:
        model = User
        fields = ("id", "version", "email", "name", "team", "role", "data_scope", "language", "time_zone", "is_active", "updated_at")
        read_only_fields = fields


class UserView(NounView):
    """Colleagues. Accounts are made and changed by an administrator on the page of users."""

    model, area, serializer_class = User, "users", UserSerializer
    sorts = (Sort("id", "pk"), Sort("name", "name"))
    filters = {
        "email": by.text("email"),
        "team": by.identity("team"),
        "role": by.choice("role", Role),
        "is_active": by.flag("is_active"),
    }


class TeamSerializer(RecordSerializer):
    class Meta:
        model = Team
        fields = ("id", "version", "name", "kind", "parent", "updated_at")
        read_only_fields = fields


class TeamView(NounView):
    """Places in the organisation: head office, regional centres, city centres, repair stations."""

    model, area, serializer_class = Team, "users", TeamSerializer
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
