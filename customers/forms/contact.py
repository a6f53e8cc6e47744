"""A contact with the rows that hang on it: places at customers, phones and mails, addresses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import BaseInlineFormSet, inlineformset_factory
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed, LookupField
from customers.maths.contact_keys import method_key
from customers.models import Address, Consent, Contact, ContactMethod, Customer, Position
from users.models import User

MOST_ROWS = 50
MOST_SUPERIORS = 200


class ContactForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, required=False)

    class Meta:
        model = Contact
        fields = ("name", "other_name", "salutation", "birthday", "language", "notes")
        widgets = {"notes": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["version"].required = not self.instance._state.adding
        self.fields["version"].initial = self.instance.version

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}


class PositionForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    customer = LookupField(label=_("Customer"), queryset=Customer.objects.none())

    class Meta:
        model = Position
        fields = ("customer", "job_title", "department", "role", "influence", "reports_to", "is_primary", "since", "until")


class MethodForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = ContactMethod
        fields = ("kind", "value", "is_primary")

    def clean(self) -> dict[str, Any] | None:
        """Refuse what cannot be used; an imported value that nobody touched may stay as it came."""
        cleaned = super().clean()
        kind, value = self.cleaned_data.get("kind"), self.cleaned_data.get("value")
        if kind and value and {"kind", "value"} & set(self.changed_data):
            key, is_valid = method_key(kind, value, settings.DEFAULT_PHONE_REGION)
            if not is_valid:
                self.add_error("value", _BAD_VALUE[kind])
            elif self._is_taken(kind, key):
                self.add_error("value", _("This contact has it already."))
        return cleaned

    def _is_taken(self, kind: str, key: str) -> bool:
        contact = self.instance.contact_id
        return (
            contact is not None
            and ContactMethod.objects.filter(contact=contact, kind=kind, normalised=key).exclude(pk=self.instance.pk).exists()
        )


_PHONE = _("Not a phone number; write it with its country code, such as +86 21 6888 1234.")
_BAD_VALUE = {
    ContactMethod.Kind.PHONE: _PHONE,
    ContactMethod.Kind.MOBILE: _PHONE,
    ContactMethod.Kind.FAX: _PHONE,
    ContactMethod.Kind.MAIL: _("Not an e-mail address."),
    ContactMethod.Kind.WECHAT: _("Not a WeChat id: 6 to 20 letters, digits, hyphens or underscores, a letter first."),
}


class AddressForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = Address
        fields = ("kind", "street", "postcode", "city", "region", "country")

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
            raise ValidationError(_("Two letters, such as CN."))
        return country

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.has_changed() and not (self.cleaned_data.get("street") or self.cleaned_data.get("city")) and not self.errors:
            self.add_error("street", _("An address needs a street or a city."))
        return cleaned


class MethodFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    def clean(self) -> None:
        """The same number twice in one form, however it is spelt."""
        super().clean()
        seen = set()
        for form in self.forms:
            values = getattr(form, "cleaned_data", {})
            if not values.get("value") or not values.get("kind") or values.get("DELETE"):
                continue
            key = values["kind"], method_key(values["kind"], values["value"], settings.DEFAULT_PHONE_REGION)[0]
            if key in seen:
                form.add_error("value", _("This stands here twice."))
            seen.add(key)


class PositionFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The places at customers in the person's reach; places elsewhere are neither shown nor touched."""

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        self.user = user
        super().__init__(*args, **options)
        customers = {form.initial.get("customer") or form.instance.customer_id for form in self.forms} - {None}
        superiors = Contact.objects.filter(positions__customer__in=customers, deleted_at=None).exclude(pk=self.instance.pk).distinct()
        choices = [("", "---------"), *((person.pk, person.name) for person in superiors.order_by("sort_key")[:MOST_SUPERIORS])]
        for form in self.forms:
            form.fields["reports_to"].choices = choices  # type: ignore[attr-defined]

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["customer"].queryset = Customer.objects.visible_to(self.user)
        reachable = Contact.objects.visible_to(self.user)
        form.fields["reports_to"].queryset = Contact.objects.filter(Q(pk__in=reachable.values("pk")) | Q(pk=form.instance.reports_to_id))


def _rows(form: Any, model: Any, formset: Any = BaseInlineFormSet, *, extra: int) -> Any:
    return inlineformset_factory(
        Contact,
        model,
        form=form,
        formset=formset,
        fk_name="contact",
        extra=extra,
        max_num=MOST_ROWS,
        absolute_max=MOST_ROWS + 10,
        validate_max=True,
    )


Positions = _rows(PositionForm, Position, PositionFormSet, extra=1)
Methods = _rows(MethodForm, ContactMethod, MethodFormSet, extra=2)
Addresses = _rows(AddressForm, Address, extra=1)


class ConsentForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    class Meta:
        model = Consent
        fields = ("channel", "purpose", "source")
