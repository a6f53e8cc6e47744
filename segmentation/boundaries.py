"""Where tiers begin, as a run keeps it: {"platinum": 310000.0, "gold": 120000.0, "iron": 0.0}, null where nobody can be in it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from segmentation.models.tier import Tier

CENT = Decimal("0.01")


def edge(boundaries: Mapping[str, Any], tier: int) -> Decimal | None:
    """The least value of a tier; None for Lead, which has no lower edge, and where the run says nothing."""
    value = boundaries.get(Tier(tier).slug) if tier != Tier.LEAD else None
    return None if value is None else Decimal(str(value)).quantize(CENT)


def distances(value: Decimal, tier: int, boundaries: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """(missing to the next tier, above the own tier's boundary) of a value that counts for a tier.

    None in Platinum for the first and in Lead for the second. Either is negative where a tier stands against the value.
    """
    above = edge(boundaries, tier - 1) if tier > Tier.PLATINUM else None
    own = edge(boundaries, tier)
    return (None if above is None else above - value), (None if own is None else value - own)
