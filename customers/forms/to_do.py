from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed, LookupField
from customers.models import Customer
from users.models import User


class WhichCustomerForm(Dressed, forms.Form):
    """One of the customers that the person sees."""

    customer = LookupField(label=_("Customer"), queryset=Customer.objects.none())

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        customer = self.fields["customer"]
        assert isinstance(customer, LookupField)
        customer.queryset = Customer.objects.visible_to(user)


class AssignForm(WhichCustomerForm):
    """Which customer something belongs to."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
