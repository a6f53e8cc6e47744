from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed, LookupField
from customers.models import Customer
from users.models import User


class AssignForm(Dressed, forms.Form):
    """Which customer something belongs to, among those that the person sees."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    customer = LookupField(label=_("Customer"), queryset=Customer.objects.none())

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        customer = self.fields["customer"]
        assert isinstance(customer, LookupField)
        customer.queryset = Customer.objects.visible_to(user)
