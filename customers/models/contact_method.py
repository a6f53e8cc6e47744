from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import OuterRef, Q
from django.utils.translation import gettext_lazy as _

from customers.models.contact import Contact
from customers.models.customer import Customer
from customers.models.facts import looked_up
from users.records import Record

if TYPE_CHECKING:
    from users.models import User

HAS_ONE_OWNER = Q(customer__isnull=False, contact__isnull=True) | Q(customer__isnull=True, contact__isnull=False)


class ReachedThroughOwner(models.QuerySet):  # type: ignore[type-arg]  # shared by two models below
    """Rows of either a customer or a contact, visible where that one is."""

    def visible_to(self, user: User) -> Self:
        return self.filter(
            looked_up(Customer.objects.visible_to(user).filter(pk=OuterRef("customer_id")))
            | looked_up(Contact.objects.visible_to(user).filter(pk=OuterRef("contact_id")))
        )


class ContactMethod(Record):
    """A way to reach a customer or a contact: phone (E.164), e-mail, WeChat id."""

    class Kind(models.TextChoices):
        PHONE = "phone", _("Phone")
        MOBILE = "mobile", _("Mobile")
        MAIL = "mail", _("E-mail")
        WECHAT = "wechat", _("WeChat")
        FAX = "fax", _("Fax")

    NOUN = "contact_method"

    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, db_index=False, related_name="methods")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, blank=True, db_index=False, related_name="methods")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    value = models.CharField(_("value"), max_length=254)  # as people write it
    # What is compared: E.164 (with ;ext=) for phones, lower case for mail and WeChat. Never empty: a bad value keeps its text.
    normalised = models.CharField(max_length=254, editable=False)
    is_valid = models.BooleanField(default=True, db_default=True, editable=False)
    is_primary = models.BooleanField(_("main"), default=False, db_default=False)
    source_record = models.ForeignKey(
        "customers.SourceRecord", models.SET_NULL, null=True, editable=False, db_index=False, related_name="+"
    )

    objects = ReachedThroughOwner.as_manager()

    class Meta:
        ordering = ("-is_primary", "pk")
        verbose_name = _("contact method")
        verbose_name_plural = _("contact methods")
        constraints = [
            models.CheckConstraint(condition=HAS_ONE_OWNER, name="contact_method_has_one_owner"),
            models.UniqueConstraint(
                fields=["customer", "kind", "normalised"], condition=Q(customer__isnull=False), name="customer_method_once"
            ),
            models.UniqueConstraint(
                fields=["contact", "kind", "normalised"], condition=Q(contact__isnull=False), name="contact_method_once"
            ),
        ]
        indexes = [
            models.Index(fields=["normalised"], name="contact_method_lookup"),
            models.Index(fields=["kind", "-id"], name="contact_method_of_kind"),  # a kind that nobody has would be sought in every row
        ]

    def __str__(self) -> str:
        return self.value


class Address(Record):
    """Where a customer or a contact is, gets deliveries, or gets bills."""

    class Kind(models.TextChoices):
        OFFICE = "office", _("Office")
        DELIVERY = "delivery", _("Delivery")
        BILLING = "billing", _("Billing")

    NOUN = "address"

    customer = models.ForeignKey(Customer, models.CASCADE, null=True, blank=True, related_name="addresses")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, blank=True, related_name="addresses")
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.OFFICE, db_default=Kind.OFFICE)
    street = models.CharField(_("street"), max_length=200, blank=True, default="", db_default="")
    postcode = models.CharField(_("postcode"), max_length=20, blank=True, default="", db_default="")
    city = models.CharField(_("city"), max_length=80, blank=True, default="", db_default="")
    region = models.CharField(_("region"), max_length=80, blank=True, default="", db_default="")
    country = models.CharField(_("country"), max_length=2, blank=True, default="", db_default="")
    source_record = models.ForeignKey(
        "customers.SourceRecord", models.SET_NULL, null=True, editable=False, db_index=False, related_name="+"
    )

    objects = ReachedThroughOwner.as_manager()

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [models.CheckConstraint(condition=HAS_ONE_OWNER, name="address_has_one_owner")]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.street, f"{self.postcode} {self.city}".strip(), self.region, self.country) if part)
