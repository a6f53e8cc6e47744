"""What the builder of rules offers a person: every field with its questions, choices and suggestions, as JSON."""

from __future__ import annotations

from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from customers.models import CustomField
from customers.queries import values_in_use
from segmentation.models import Segment
from segmentation.rules.catalogue import custom_fields, customer_fields, related_nouns, score_fields
from segmentation.rules.days import Period, Unit
from segmentation.rules.fields import Field
from segmentation.rules.kinds import Choice, Number, Reference
from segmentation.rules.operators import OPERATORS
from users.models import Team, User

MOST_OFFERED = 500  # rows of a list to choose from


def offer(reader: User, *, without: Segment | None = None) -> dict[str, Any]:
    """`without`: the segment that is being edited, which cannot ask about itself."""
    groups = [
        (_("Customer"), customer_fields()),
        (pgettext("worth", "Value"), score_fields()),
        (_("Custom fields"), custom_fields(list(CustomField.objects.in_use()))),
    ]
    return {
        "groups": [{"label": label, "fields": [_field(one) for one in fields.values()]} for label, fields in groups if fields],
        "nouns": [
            {"key": noun.key, "label": capfirst(str(noun.label)), "fields": [_field(one) for one in noun.fields.values()]}
            for noun in related_nouns().values()
        ],
        "operators": {key: {"label": str(one.label), "takes": one.takes} for key, one in OPERATORS.items()},
        "quantifiers": [["has", _("has some")], ["has_no", _("has none")], ["at_least", _("has at least")]],
        "units": [[unit.value, str(unit.label)] for unit in Unit],
        "periods": [[period.value, str(period.label)] for period in Period],
        "rows": _rows(reader, without),
    }


def _field(field: Field) -> dict[str, Any]:
    kind = field.kind
    offered: dict[str, Any] = {
        "key": field.key,
        "label": capfirst(str(field.label)),
        "kind": kind.name,
        "operators": list(field.operators),
    }
    if isinstance(kind, Choice):
        offered["choices"] = [[value, str(label)] for value, label in kind.choices]
    if isinstance(kind, Number) and kind.is_share:
        offered["share"] = True
    if isinstance(kind, Reference):
        offered["rows"] = kind.noun
    if field.key in ("industry", "region"):
        offered["suggestions"] = values_in_use("industry" if field.key == "industry" else "region")
    return offered


def _rows(reader: User, without: Segment | None) -> dict[str, list[list[Any]]]:
    """[value, label] of the rows that the reader may name."""
    users = User.objects.visible_to(reader).active().order_by("name", "pk").values_list("pk", "name")
    teams = Team.objects.visible_to(reader).order_by("path").values_list("pk", "name")
    others = Segment.objects.visible_to(reader).kept()
    segments = (others.exclude(pk=without.pk) if without else others).values_list("pk", "name")
    return {
        "user": [["me", pgettext("owner", "Me")], *(list(row) for row in users[:MOST_OFFERED])],
        "team": [["mine", _("My team")], *(list(row) for row in teams[:MOST_OFFERED])],
        "segment": [list(row) for row in segments[:MOST_OFFERED]],
    }
