from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed
from segmentation.models import Tier, TierOverride
from users.models import User

USUAL_DAYS = 180


class OverrideForm(Dressed, forms.Form):
    """A tier that a person sets: which one, why, until when, and who answers for it."""

    tier = forms.TypedChoiceField(label=_("Tier"), choices=Tier.choices, coerce=int)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=TierOverride._meta.get_field("reason").max_length,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Everybody who sees the customer reads it in the ledger."),
    )
    ends_on = forms.DateField(label=_("Ends on"), help_text=_("From the next day on the rules decide again."))
    owner = forms.ModelChoiceField(label=_("Answers for it"), queryset=User.objects.none())

    def __init__(self, *args: Any, by: User, **options: Any) -> None:
        super().__init__(*args, **options)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)
        owner.queryset = User.objects.visible_to(by).active().order_by("name", "pk")
        owner.initial = by.pk
        self.fields["ends_on"].initial = timezone.localdate() + timedelta(days=USUAL_DAYS)


class DecisionForm(forms.Form):
    """A person's word on a proposed move: which one was on the screen, and why."""

    proposed_tier = forms.TypedChoiceField(choices=Tier.choices, coerce=int)
    reason = forms.CharField(max_length=300, required=False)
