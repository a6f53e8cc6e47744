from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed
from customers.models import ContactPoint
from segmentation.forms.fields import PercentField
from segmentation.models import RuleVersion
from segmentation.models.rule_version import RULE_FIELDS, USUAL_MINUTE_RATES

RATE = "rate_"  # before a channel
HELP = {
    "rank_by": _("What decides who is above whom."),
    "horizon_months": _("How far ahead a lifetime value looks."),
    "discount_rate": _("What money a year from now is worth less today."),
    "core_share": _("Core customers are the smallest set that brings this share of all value."),
    "platinum_share": _("Platinum is the smallest set that brings this share of all value."),
    "platinum_cap": _("However much they bring."),
    "runs_to_move": _("So that nobody moves to and fro."),
    "move_margin": _("Who is this far beyond a boundary moves at once."),
    "least_trust": _("Thin data never take a customer down."),
    "capital_rate": _("What it costs to wait for money after its due day."),
}
SHARES = ("discount_rate", "core_share", "platinum_share", "platinum_cap", "move_margin", "least_trust", "capital_rate", "referral_share")


class RulesForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """The draft of the rules: shares as percentages, and a rate for each channel."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = RuleVersion
        fields = ("note", *(name for name in RULE_FIELDS if name != "minute_rates"))
        field_classes = dict.fromkeys(SHARES, PercentField)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["note"].required = True
        self.fields["version"].initial = self.instance.version if self.instance.pk and self.instance.published_at is None else None
        for name, text in HELP.items():
            self.fields[name].help_text = text
        for name in SHARES:
            self.fields[name].label = _("%(label)s, %%") % {"label": self.fields[name].label}
        for channel in USUAL_MINUTE_RATES:
            self.fields[RATE + channel] = self._rate(channel)
        self.rates = [self[RATE + channel] for channel in USUAL_MINUTE_RATES]

    def _rate(self, channel: str) -> forms.DecimalField:
        field = forms.DecimalField(
            label=dict(ContactPoint.Channel.choices).get(channel, channel), min_value=0, max_value=10_000, max_digits=8, decimal_places=2
        )
        field.initial = Decimal(self.instance.minute_rates[channel])
        field.widget.attrs["class"] = "form-control"
        return field

    @property
    def rule_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self._meta.fields or ()]

    def values(self) -> dict[str, Any]:
        rates = {channel: str(self.cleaned_data[RATE + channel]) for channel in USUAL_MINUTE_RATES}
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()} | {"minute_rates": rates}
