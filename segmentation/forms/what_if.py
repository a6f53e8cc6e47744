from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed
from segmentation.forms.fields import PercentField
from segmentation.models import Scenario, Tier

RETENTION = "retention_"  # before a tier's number


class ScenarioForm(Dressed, forms.Form):
    """A what-if: how much is added to retention in each tier, and what else would be different."""

    name = forms.CharField(
        label=_("Name"), max_length=Scenario._meta.get_field("name").max_length, help_text=_("So that you find it again next year.")
    )
    margin = PercentField(
        label=_("Margin, change in %"), least=-100, most=1000, required=False, help_text=_("5: each sale brings a twentieth more.")
    )
    serving_cost = PercentField(
        label=_("Serving cost, change in %"), least=-100, most=1000, required=False, help_text=_("−10: serving costs a tenth less.")
    )
    discount_rate = PercentField(label=_("Discount rate a year, %"), required=False, help_text=_("Empty: as the rules have it."))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for tier in Tier:
            field = PercentField(
                label=_("Retention in %(tier)s, points") % {"tier": tier.label}, least=-100, most=100, required=False
            )  # fmt: skip
            field.widget.attrs["class"] = "form-control"
            self.fields[f"{RETENTION}{tier.value}"] = field

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        given = [value for name, value in cleaned.items() if name != "name" and value is not None]
        if not self.errors and not any(value for value in given) and cleaned.get("discount_rate") is None:
            raise forms.ValidationError(_("Change at least one figure."))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """As `Scenario.changes` keeps it: shares as numbers, a tier without a change left out."""
        cleaned = self.cleaned_data
        rate = cleaned["discount_rate"]
        retention = {str(tier.value): cleaned[f"{RETENTION}{tier.value}"] for tier in Tier}
        return {
            "retention": {tier: float(points) for tier, points in retention.items() if points},
            "margin": float(cleaned["margin"] or 0),
            "serving_cost": float(cleaned["serving_cost"] or 0),
            "discount_rate": None if rate is None else float(rate),
        }
