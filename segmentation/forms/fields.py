"""A share as people write it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms

HUNDRED = Decimal(100)


class PercentField(forms.DecimalField):
    """Kept as a share (0.12), read and written as a percentage (12)."""

    def __init__(self, *, least: int = 0, most: int = 100, **options: Any) -> None:
        # A model's field asks for its own limits, which are those of the share.
        super().__init__(**{**options, "min_value": least, "max_value": most, "decimal_places": 2, "max_digits": 6})
        self.widget.attrs["inputmode"] = "decimal"

    def prepare_value(self, value: Any) -> Any:
        """A share as a percentage; what a person typed stays as typed."""
        if not isinstance(value, Decimal | float):
            return value
        return f"{(Decimal(str(value)) * HUNDRED).normalize():f}"

    def clean(self, value: Any) -> Any:
        percentage = super().clean(value)
        return None if percentage is None else percentage / HUNDRED
