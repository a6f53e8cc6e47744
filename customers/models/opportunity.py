from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from customers.models.facts import Fact, FactQuerySet
from customers.models.product import Product
from users.access import within_reach

if TYPE_CHECKING:
    from users.models import User


class OpportunityQuerySet(FactQuerySet["Opportunity"]):
    def visible_to(self, user: User) -> Self:
        """Seen through the customer; where that is still unknown, through the seller and the seller's team."""
        of_customer = within_reach(user, team="customer__team", owner="customer__owner") & Q(
            customer__isnull=False, customer__deleted_at=None
        )
        of_seller = within_reach(user, team="owner__team", owner="owner") & Q(customer=None)
        return self.filter(of_customer | of_seller)

    def without_customer(self) -> Self:
        """The to-do list: facts that came without a customer that could be found."""
        return self.filter(customer=None)


class Opportunity(Fact):
    """A possible sale, as the source tells it: what, to whom, by whom, at which stage, for how much."""

    class Stage(models.TextChoices):
        PROSPECTING = "prospecting", _("Prospecting")
        ENGAGING = "engaging", _("Engaging")
        WON = "won", _("Won")
        LOST = "lost", _("Lost")

    NOUN = "opportunity"
    IN_ORDER = (("engaged_on", "closed_on"),)

    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, db_index=False, related_name="opportunities", verbose_name=_("customer")
    )
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="opportunities", verbose_name=_("product"))
    title = models.CharField(_("title"), max_length=160, blank=True, default="", db_default="")
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, default=Stage.PROSPECTING, db_default=Stage.PROSPECTING)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="opportunities", verbose_name=_("owner")
    )
    engaged_on = models.DateField(_("engaged on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    amount = models.DecimalField(_("amount"), null=True, blank=True, validators=[MinValueValidator(0)], max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)
    order = models.OneToOneField("customers.Order", models.SET_NULL, null=True, editable=False, related_name="opportunity")

    objects = OpportunityQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        indexes = [
            models.Index(fields=["customer", "-id"], name="opportunity_of_customer"),
            models.Index(fields=["-id"], name="opportunity_no_customer", condition=Q(customer=None)),
            models.Index(fields=["stage", "-id"], name="opportunity_of_stage"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.product or ''} {self.source_key}".strip()
