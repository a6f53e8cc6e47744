from __future__ import annotations

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from customers.models.facts import Fact, FactQuerySet
from customers.models.product import Product


class AssetQuerySet(FactQuerySet["Asset"]):
    def under_warranty(self, on: date) -> Self:
        return self.filter(warranty_until__gte=on)


class Asset(Fact):
    """A thing of ours that stands at the customer: product, serial number, delivery and warranty."""

    NOUN = "asset"
    IN_ORDER = (("delivered_on", "warranty_until"), ("delivered_on", "retired_on"))

    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="assets", verbose_name=_("customer"))
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="assets", verbose_name=_("product"))
    serial = models.CharField(_("serial number"), max_length=80)
    name = models.CharField(_("name"), max_length=160, blank=True, default="", db_default="")
    delivered_on = models.DateField(_("delivered on"), null=True, blank=True)
    warranty_until = models.DateField(_("warranty until"), null=True, blank=True)
    retired_on = models.DateField(_("taken out of use on"), null=True, blank=True)
    location = models.CharField(_("location"), max_length=160, blank=True, default="", db_default="")

    objects = AssetQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        indexes = [
            models.Index(fields=["customer", "-id"], name="asset_of_customer"),
            models.Index(fields=["serial"], name="asset_by_serial"),
        ]
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(
                fields=["product", "serial"],
                name="asset_serial_once",
                nulls_distinct=False,
                violation_error_message=_("There is already an asset with this product and serial number."),
            ),
            models.CheckConstraint(condition=~Q(serial=""), name="asset_has_a_serial"),
        ]

    def __str__(self) -> str:
        return self.serial
