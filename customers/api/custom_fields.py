"""The fields of a customer that an administrator defined."""

from __future__ import annotations

from customers.models import CustomField
from users.access import Permission
from users.api import filters as by
from users.api.serializers import RecordSerializer
from users.api.views import RecordView


class CustomFieldSerializer(RecordSerializer):
    class Meta:
        model = CustomField
        fields = ("id", "version", "key", "label", "label_zh", "kind", "choices", "help_text", "position", "archived_at")
        read_only_fields = ("id", "version", "archived_at")


class CustomFieldView(RecordView):
    """What customers have under `custom`, by key."""

    model, area, serializer_class = CustomField, "customers", CustomFieldSerializer
    permissions = {"read": Permission.CUSTOMER_VIEW, "add": Permission.FIELD_MANAGE, "change": Permission.FIELD_MANAGE}
    filters = {"key": by.text("key"), "is_in_use": by.flag("archived_at__isnull")}
