from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.filters import CUSTOM
from customers.forms.widgets import CommaChecks, Dressed, LookupField, TagsField
from customers.models import Customer, CustomField
from customers.models.customer import Channel
from users.access import Permission, allowed
from users.models import Team, User

# The form's parts, in the order of the page; the custom fields and the assignment follow.
PARTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (_("Name"), ("legal_name", "short_name", "other_legal_name", "other_short_name", "credit_code")),
    (_("What it is"), ("kind", "status", "industry", "region", "country", "employees", "annual_revenue", "currency", "founded_year")),
    (
        _("Relationship"),
        ("parent", "website", "tags", "preferred_channels", "acquisition_source", "referred_by", "acquired_on", "acquisition_cost"),
    ),
    (_("Payment"), ("payment_terms_days", "payment_preference")),
)


class CustomerForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Everything that people enter about a customer. `values()` is what to write; the form itself writes nothing."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, required=False)
    parent = LookupField(label=_("Parent company"), queryset=Customer.objects.none(), required=False)
    referred_by = LookupField(
        label=_("Referred by"), queryset=Customer.objects.none(), required=False, help_text=_("The customer who brought this one.")
    )
    tags = TagsField(label=_("Tags"), required=False, max_length=1000, longest=40, most=20, help_text=_("Separated by commas."))
    website = forms.URLField(label=_("Website"), required=False, max_length=200, assume_scheme="https")
    preferred_channels = forms.MultipleChoiceField(
        label=_("Preferred channels"), choices=Channel.choices, required=False, widget=CommaChecks
    )

    class Meta:
        model = Customer
        fields = (*(name for _title, names in PARTS for name in names), "owner", "team")

    def __init__(self, *args: Any, user: User, custom_fields: Iterable[CustomField], **options: Any) -> None:
        super().__init__(*args, **options)
        self.user, self.custom_fields = user, list(custom_fields)
        for name in ("parent", "referred_by"):
            lookup, kept = self.fields[name], getattr(self.instance, f"{name}_id")
            assert isinstance(lookup, LookupField)
            # Who may not see that customer keeps it as it is, and can choose another among those in reach.
            lookup.queryset = Customer.objects.filter(Q(pk__in=Customer.objects.visible_to(user).values("pk")) | Q(pk=kept))
        self.fields["version"].required = not self.instance._state.adding
        self.fields["version"].initial = self.instance.version
        self.fields["currency"].required = False
        self._limit_assignment(user)
        for field in self.custom_fields:
            self.fields[CUSTOM + field.key] = CustomValueField(field)
            self.initial[CUSTOM + field.key] = self.instance.custom.get(field.key)

    @property
    def parts(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields as the page groups them."""
        parts = [(title, [self[name] for name in names]) for title, names in PARTS]
        if self.custom_fields:
            parts.append((_("Your company's fields"), [self[CUSTOM + field.key] for field in self.custom_fields]))
        if "owner" in self.fields:
            parts.append((_("Responsible"), [self["owner"], self["team"]]))
        return parts

    def clean_currency(self) -> str:
        currency: str = (self.cleaned_data["currency"] or self.instance.currency).upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise ValidationError(_("Three letters, such as USD."))
        return currency

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise ValidationError(_("Two letters, such as CN."))
        return country

    def clean_credit_code(self) -> str:
        code: str = self.cleaned_data["credit_code"]
        return code.upper()

    def values(self) -> dict[str, Any]:
        """What to write, by field of the customer."""
        values = {name: self.cleaned_data[name] for name in self._meta.fields or () if name in self.cleaned_data}
        if self.custom_fields:
            values["custom"] = self._custom()
        return values

    def _custom(self) -> dict[str, Any]:
        """The custom values with those of the form put in; values of archived fields stay."""
        entered = {field.key: self.cleaned_data.get(CUSTOM + field.key) for field in self.custom_fields}
        return {key: value for key, value in {**self.instance.custom, **entered}.items() if value is not None}

    def _limit_assignment(self, user: User) -> None:
        """Only those who may assign choose owner and team, among the colleagues and teams in their reach."""
        if not allowed(user, Permission.CUSTOMER_ASSIGN):
            del self.fields["owner"], self.fields["team"]
            return
        owner, team = self.fields["owner"], self.fields["team"]
        assert isinstance(owner, forms.ModelChoiceField)
        assert isinstance(team, forms.ModelChoiceField)
        # A colleague who has left stays named until somebody else takes over.
        owner.queryset = User.objects.filter(Q(pk__in=User.objects.visible_to(user).active().values("pk")) | Q(pk=self.instance.owner_id))
        team.queryset = Team.objects.filter(Q(pk__in=Team.objects.visible_to(user).values("pk")) | Q(pk=self.instance.team_id))
        if self.instance._state.adding:
            self.initial.update(owner=user.pk, team=user.team_id)


class CustomValueField(forms.CharField):
    """One custom field of a form, checked by its definition."""

    def __init__(self, definition: CustomField) -> None:
        super().__init__(label=str(definition), required=False, max_length=500, help_text=definition.help_text, widget=_widget(definition))
        self.definition = definition

    def clean(self, value: Any) -> Any:
        return self.definition.checked(super().clean(value))


def _widget(definition: CustomField) -> forms.Widget:
    match definition.kind:
        case CustomField.Kind.CHOICE:
            options = [("", "---------"), *((choice, choice) for choice in definition.choices)]
            return forms.Select(choices=options, attrs={"class": "form-select"})
        case CustomField.Kind.DATE:
            return forms.TextInput(attrs={"type": "date", "class": "form-control"})
        case CustomField.Kind.NUMBER:
            return forms.TextInput(attrs={"inputmode": "decimal", "class": "form-control"})
        case _:
            return forms.TextInput(attrs={"class": "form-control"})
