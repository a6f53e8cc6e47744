from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from users.access import DataScope, Role, Scope
from users.models import Event, Team, User

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Any]
    ModelChoiceField = forms.ModelChoiceField[Team]
else:
    ModelForm, ModelChoiceField = forms.ModelForm, forms.ModelChoiceField  # only the stubs know their parameters


class TeamChoice(ModelChoiceField):
    """Teams in the order of their tree, those below set in."""

    def label_from_instance(self, team: Team) -> str:
        return f"{'– ' * team.depth}{team.name}"


class VersionForm(ModelForm):
    """A form of a record that is saved through `Record.change`, with the version that the person saw."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        if not self.instance.pk:
            del self.fields["version"]

    @property
    def values(self) -> dict[str, Any]:
        """The record's fields as entered, without the version."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}


class UserForm(VersionForm):
    class Meta:
        model = User
        fields = ("name", "email", "role", "team", "data_scope", "language", "time_zone")
        field_classes = {"team": TeamChoice}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = time_zone_choice(self.instance.time_zone)
        self.fields["data_scope"].choices = [("", _("What the role sees")), *DataScope.choices]  # type: ignore[attr-defined]
        self.fields["data_scope"].help_text = ""

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class ProfileForm(VersionForm):
    class Meta:
        model = User
        fields = ("name", "language", "time_zone", "theme")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"] = time_zone_choice(self.instance.time_zone)


class TeamForm(VersionForm):
    class Meta:
        model = Team
        fields = ("name", "kind", "parent")
        field_classes = {"parent": TeamChoice}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].empty_label = _("Nothing: it stands at the top")  # type: ignore[attr-defined]


class TokenForm(forms.Form):
    """A new API token. Each has an end; a program that runs on gets a new one in time."""

    DAYS = [(30, _("30 days")), (90, _("90 days")), (365, _("1 year"))]

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("What will use it, such as “ERP, nightly”."))
    days = forms.TypedChoiceField(label=_("Works for"), choices=DAYS, coerce=int, initial=90)
    scopes = forms.MultipleChoiceField(label=_("May"), choices=Scope, widget=forms.CheckboxSelectMultiple)

    @property
    def expires_at(self) -> Any:
        return timezone.now() + timedelta(days=self.cleaned_data["days"])


class FilterForm(forms.Form):
    """Controls above a list, whose labels are only spoken."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"


class UserFilter(FilterForm):
    q = forms.CharField(
        label=_("Name or e-mail"),
        max_length=100,
        required=False,
        widget=forms.SearchInput(attrs={"placeholder": _("Name or e-mail"), "autocomplete": "off"}),
    )
    team = TeamChoice(label=_("Team"), queryset=Team.objects.all(), required=False, empty_label=_("Every team"))
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Every role")), *Role.choices], required=False)
    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("Active")), ("inactive", _("Deactivated")), ("all", _("All"))], required=False
    )


DAYS_ON_RECORD = [MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2199, 12, 31))]


class AuditFilter(FilterForm):
    actor = forms.ModelChoiceField(label=_("Who"), queryset=User.objects.all(), required=False, empty_label=_("Everybody"))
    noun = forms.ChoiceField(label=_("Noun"), required=False)
    action = forms.ChoiceField(label=_("Action"), choices=[("", _("Every action")), *Event.Action.choices], required=False)
    day = forms.DateField(label=_("Day"), required=False, validators=DAYS_ON_RECORD, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        nouns = sorted(Event.noun_labels().items(), key=lambda pair: str(pair[1]))
        self.fields["noun"].choices = [("", _("Every noun")), *nouns]  # type: ignore[attr-defined]


def time_zone_choice(current: str) -> forms.ChoiceField:
    zones = sorted({*_time_zones(), current} - {""})
    return forms.ChoiceField(label=_("Time zone"), choices=[(zone, zone.replace("_", " ")) for zone in zones])


@lru_cache(maxsize=1)
def _time_zones() -> tuple[str, ...]:
    """Those that people know by a city; the rest are old names of the same."""
    regions = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return ("UTC", *(zone for zone in available_timezones() if zone.startswith(regions)))
