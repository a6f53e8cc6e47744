from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models import Customer
from customers.models.facts import FactQuerySet

ZERO = Decimal("0.00")


class Money(models.DecimalField):  # type: ignore[type-arg]
    """An amount in the company's base currency, zero unless said otherwise."""

    def __init__(self, verbose_name: Any = None, **options: Any) -> None:
        super().__init__(verbose_name, **{"max_digits": 18, "decimal_places": 2, "default": ZERO, "db_default": ZERO, **options})

    def deconstruct(self) -> Any:
        """To a migration it is the plain field, so that migrations need none of this module."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.DecimalField", arguments, options


class MonthlyValueQuerySet(FactQuerySet["MonthlyValue"]):
    pass


class MonthlyValue(models.Model):
    """What one customer brought and cost in one month, in the base currency: the facts, added up.

    Written only by `segmentation.monthly`, which can make every row anew from the facts. Order money and contract money
    stand apart: the first feeds the transaction models, the second the contract models, and neither both.
    """

    pk = models.CompositePrimaryKey("customer_id", "month")
    customer = models.ForeignKey(Customer, models.CASCADE, db_index=False, related_name="monthly_values", verbose_name=_("customer"))
    month = models.DateField(_("month"))  # its first day
    order_revenue = Money(_("order revenue"))
    order_cost = Money(_("cost of goods"))
    contract_revenue = Money(_("contract revenue"))
    contract_cost = Money(_("cost of delivery"))
    contact_cost = Money(_("cost of contacts"))
    service_cost = Money(_("cost of service"))
    overdue_cost = Money(_("cost of overdue money"))
    revenue = models.GeneratedField(
        expression=F("order_revenue") + F("contract_revenue"),
        output_field=models.DecimalField(max_digits=18, decimal_places=2),
        db_persist=True,
        verbose_name=_("revenue"),
    )
    margin = models.GeneratedField(
        expression=F("order_revenue") + F("contract_revenue") - F("order_cost") - F("contract_cost") - F("contact_cost")
        - F("service_cost") - F("overdue_cost"),
        output_field=models.DecimalField(max_digits=18, decimal_places=2),
        db_persist=True,
        verbose_name=_("contribution margin"),
    )  # fmt: skip

    objects = MonthlyValueQuerySet.as_manager()

    class Meta:
        ordering = ("customer_id", "month")
        verbose_name = _("monthly value")
        verbose_name_plural = _("monthly values")

    def __str__(self) -> str:
        return f"{self.customer_id} {self.month:%Y-%m}"


class Stale(models.Model):
    """A note that a customer's facts have changed, written by triggers on the tables of facts (migration 0002).

    Without a key of its own beside the id: two transactions that touch the same customer must not wait for each other
    here. A run marks the notes that it sees as its own when it begins and deletes them when it publishes; the notes of a run
    that came to nothing are free for the next.
    """

    customer_id = models.BigIntegerField()
    run_id = models.BigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("note of changed facts")
        verbose_name_plural = _("notes of changed facts")

    def __str__(self) -> str:
        return str(self.customer_id)
