"""What a list of customers can be narrowed to. Every filter has its index: see `Customer.Meta`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.forms import CharField
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, FilterSet, ModelChoiceFilter

from customers.models import Customer, CustomField
from customers.models.customer import CustomerQuerySet
from users.http import SignedInRequest
from users.models import Team, User

CUSTOM = "custom_"  # before a custom field's key, so that no key can take a filter's name


def colleagues(request: SignedInRequest) -> QuerySet[User]:
    found: QuerySet[User] = User.objects.visible_to(request.user).active().order_by("name", "pk")
    return found


def teams(request: SignedInRequest) -> QuerySet[Team]:
    return Team.objects.visible_to(request.user).order_by("path")


class CustomerFilters(FilterSet):
    q = CharFilter(method="by_words", max_length=200, label=_("Search"))
    status = ChoiceFilter(choices=Customer.Status.choices, label=_("Status"))
    kind = ChoiceFilter(choices=Customer.Kind.choices, label=_("Kind"))
    industry = CharFilter(max_length=80, label=_("Industry"))
    region = CharFilter(max_length=80, label=_("Region"))
    owner = ModelChoiceFilter(queryset=colleagues, null_label=_("Without owner"), label=_("Owner"))
    team = ModelChoiceFilter(queryset=teams, label=_("Team"))
    tag = CharFilter(method="by_tag", max_length=40, label=_("Tag"))

    def __init__(self, data: Any, *, custom_fields: Iterable[CustomField], **options: Any) -> None:
        super().__init__(data, **options)
        for field in custom_fields:
            self.filters[CUSTOM + field.key] = CustomValueFilter(field, parent=self)

    def by_words(self, customers: CustomerQuerySet, name: str, words: str) -> CustomerQuerySet:
        return customers.matching(words)

    def by_tag(self, customers: CustomerQuerySet, name: str, tag: str) -> CustomerQuerySet:
        return customers.filter(tags__contains=[tag])


class CustomValueField(CharField):
    """Takes what the custom field takes, in the form in which it is stored."""

    def __init__(self, *, custom_field: CustomField, **options: Any) -> None:
        super().__init__(**options)
        self.custom_field = custom_field

    def clean(self, value: Any) -> Any:
        return self.custom_field.checked(super().clean(value))


class CustomValueFilter(CharFilter):
    """Customers whose custom field holds exactly this value: containment, which the index over `custom` answers."""

    field_class = CustomValueField

    def __init__(self, custom_field: CustomField, *, parent: FilterSet) -> None:
        super().__init__(label=str(custom_field), custom_field=custom_field, max_length=500)
        self.custom_field, self.parent, self.model = custom_field, parent, Customer

    def filter(self, customers: CustomerQuerySet, value: Any) -> CustomerQuerySet:
        return customers if value in (None, "") else customers.filter(custom__contains={self.custom_field.key: value})


def problems(filters: CustomerFilters) -> list[str]:
    """What is wrong with the filters, each line naming its field."""
    return [f"{filters.filters[name].label}: {' '.join(texts)}" for name, texts in filters.errors.items()]
