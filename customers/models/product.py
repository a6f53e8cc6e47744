from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.maths.names import match_key
from customers.models.facts import Fact
from users.access import Permission, allowed

if TYPE_CHECKING:
    from typing import Any

    from users.models import User


class ProductQuerySet(models.QuerySet["Product"]):
    def visible_to(self, user: User) -> Self:
        """The price list is open to everybody in the company."""
        return self if allowed(user, Permission.CUSTOMER_VIEW) else self.none()


class Product(Fact):
    """Something we sell: hardware, software, a project, a service."""

    NOUN = "product"

    code = models.CharField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=160)
    # The name without case, spaces and punctuation, by which 'GTXPro' finds 'GTX Pro'.
    match_key = models.CharField(max_length=160, editable=False, db_index=True, default="", db_default="")
    category = models.CharField(_("category"), max_length=80, blank=True, default="", db_default="", db_index=True)
    unit_price = models.DecimalField(
        _("unit price"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2
    )
    unit_cost = models.DecimalField(
        _("unit cost"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2
    )
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)
    is_sold = models.BooleanField(_("on sale"), default=True, db_default=True)

    objects = ProductQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        ordering = ("name", "pk")
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.match_key = match_key(self.name)
        super().save(*args, **kwargs)

    def derived_from(self, names: list[str]) -> list[str]:
        return ["match_key"] if "name" in names else []


class ExchangeRateQuerySet(models.QuerySet["ExchangeRate"]):
    def visible_to(self, user: User) -> Self:
        return self if allowed(user, Permission.CUSTOMER_VIEW) else self.none()


class ExchangeRate(models.Model):
    """What one unit of a currency is worth in the company's base currency from a day on."""

    currency = models.CharField(_("currency"), max_length=3)
    on = models.DateField(_("from"))
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=8, validators=[MinValueValidator(0)])

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints = [
            models.UniqueConstraint(fields=["currency", "on"], name="one_rate_a_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_above_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.on}: {self.rate}"
