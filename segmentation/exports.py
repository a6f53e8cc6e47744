"""A segment's members as a file for people's own spreadsheets, written while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from customers.exports import CHUNK
from customers.models import Customer
from customers.models.customer import CustomerQuerySet
from segmentation.models import Score, Tier

FIELDS = ("number", "legal_name", "short_name", "status", "industry", "region", "country")
MEASURES = ("clv", "clv_low_80", "clv_high_80", "margin_12m", "revenue_12m", "churn_risk", "last_order_on")


def member_rows(members: CustomerQuerySet) -> Iterator[list[Any]]:
    """The rows of the file, its header first. `members` carry `entered_at`. Labels are looked up before anything is sent."""
    titles = [str(Customer._meta.get_field(name).verbose_name) for name in (*FIELDS, "owner", "team")]  # type: ignore[union-attr]
    measures = [str(Score._meta.get_field(name).verbose_name) for name in ("tier", *MEASURES)]  # type: ignore[union-attr]
    header = [*titles, *measures, _("entered")]
    tiers = {tier.value: str(tier.label) for tier in Tier}
    statuses = {value: str(label) for value, label in Customer.Status.choices}
    found = members.select_related("owner", "team", "score").only(
        *FIELDS, "owner__name", "team__name", "score__tier", *(f"score__{name}" for name in MEASURES)
    )

    def rows() -> Iterator[list[Any]]:
        yield header
        for customer in found.iterator(chunk_size=CHUNK):
            score = getattr(customer, "score", None)
            values = [statuses.get(customer.status, "") if name == "status" else getattr(customer, name) for name in FIELDS]
            values += [customer.owner.name if customer.owner else "", customer.team.name]
            values += [tiers[score.tier], *(getattr(score, name) for name in MEASURES)] if score else [None] * (1 + len(MEASURES))
            yield [*values, customer.entered_at.isoformat(timespec="seconds")]  # type: ignore[attr-defined]  # annotated

    return rows()
