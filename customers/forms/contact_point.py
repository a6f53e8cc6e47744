from __future__ import annotations

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed
from customers.models import Contact, ContactPoint, Customer

Kind, Channel = ContactPoint.Kind, ContactPoint.Channel

# The channel that a kind usually goes through: one choice less when a contact has to be logged within seconds.
USUAL_CHANNEL = {
    Kind.CALL: Channel.PHONE,
    Kind.VISIT: Channel.IN_PERSON,
    Kind.MEETING: Channel.IN_PERSON,
    Kind.MAIL: Channel.MAIL,
    Kind.MESSAGE: Channel.WECHAT,
    Kind.EVENT: Channel.IN_PERSON,
    Kind.SURVEY: Channel.WEB,
}
# What people log by hand; the other kinds are written by the systems where they happen.
BY_HAND = (Kind.CALL, Kind.VISIT, Kind.MEETING, Kind.MAIL, Kind.MESSAGE, Kind.NOTE, Kind.EVENT, Kind.SURVEY)
QUICK_ID = "log_%s"  # ids of the fields where the form stands on the customer's page
LONGEST_MINUTES = 7 * 24 * 60


class ContactPointForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """One contact: only the subject must be typed, all else has a sensible value."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind.value, kind.label) for kind in BY_HAND], initial=Kind.CALL)
    channel = forms.ChoiceField(label=_("Channel"), choices=[("", _("As usual for the kind")), *Channel.choices], required=False)
    direction = forms.ChoiceField(
        label=_("Direction"), choices=ContactPoint.Direction.choices, initial=ContactPoint.Direction.OUTBOUND, required=False
    )
    at = forms.DateTimeField(
        label=_("When"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: now."),
    )
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=0, max_value=LONGEST_MINUTES)

    class Meta:
        model = ContactPoint
        fields = ("subject", "kind", "channel", "direction", "contact", "at", "minutes", "stage", "signal", "outcome", "body")
        widgets = {
            "body": forms.Textarea(attrs={"rows": 3}),
            "subject": forms.TextInput(attrs={"autocomplete": "off", "placeholder": _("What was it about?")}),
        }

    def __init__(self, *args: Any, customer: Customer, **options: Any) -> None:
        super().__init__(*args, **options)
        self.instance.customer = customer
        contact = self.fields["contact"]
        assert isinstance(contact, forms.ModelChoiceField)
        contact.queryset = Contact.objects.at(customer).filter(deleted_at=None).order_by("sort_key", "pk")
        if self.instance.kind and self.instance.kind not in BY_HAND:  # correcting what a system wrote
            kind = self.fields["kind"]
            assert isinstance(kind, forms.ChoiceField)
            kind.choices = ContactPoint.Kind.choices

    def clean_channel(self) -> str:
        channel: str = self.cleaned_data["channel"]
        return channel or USUAL_CHANNEL.get(self.cleaned_data.get("kind") or Kind.NOTE, Channel.SYSTEM)

    def clean_direction(self) -> str:
        direction: str = self.cleaned_data["direction"]
        internal = self.cleaned_data.get("kind") == Kind.NOTE
        return direction or (ContactPoint.Direction.INTERNAL if internal else ContactPoint.Direction.OUTBOUND)

    def clean_at(self) -> Any:
        return self.cleaned_data["at"] or timezone.now()
