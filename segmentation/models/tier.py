"""The customer pyramid (客户金字塔): Platinum, Gold, Iron, Lead."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tier(models.IntegerChoices):
    """Value tier (价值等级). The smaller the number, the higher; `segmentation.maths.tiers` uses the same codes."""

    PLATINUM = 1, _("Platinum")
    GOLD = 2, _("Gold")
    IRON = 3, _("Iron")
    LEAD = 4, _("Lead")

    @property
    def slug(self) -> str:
        return self.name.lower()
