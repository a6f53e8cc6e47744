from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.counter import Counter
from customers.models.customer import Customer
from customers.models.facts import Fact, FactQuerySet
from customers.models.product import Product

if TYPE_CHECKING:
    from users.models import User

ZERO = Decimal("0.00")


Line = dict[str, Any]
"""The values of an order line: product, description, quantity, list_price, amount, cost."""


class OrderQuerySet(FactQuerySet["Order"]):
    pass


class Order(Fact):
    """What a customer bought on one day. `amount` and `cost` are the sums of the lines, kept with them."""

    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        DELIVERED = "delivered", _("Delivered")
        CANCELLED = "cancelled", _("Cancelled")

    NOUN = "order"
    IN_ORDER = (("ordered_on", "delivered_on"),)
    COUNTER = "order"

    number = models.CharField(_("order number"), max_length=60, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="orders", verbose_name=_("customer"))
    ordered_on = models.DateField(_("ordered on"))
    delivered_on = models.DateField(_("delivered on"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN, db_default=Status.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="orders", verbose_name=_("sold by")
    )
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)
    amount = models.DecimalField(_("amount"), default=ZERO, db_default=ZERO, editable=False, max_digits=18, decimal_places=2)
    cost = models.DecimalField(_("cost"), default=ZERO, db_default=ZERO, editable=False, max_digits=18, decimal_places=2)
    channel = models.CharField(_("channel"), max_length=40, blank=True, default="", db_default="")

    objects = OrderQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        indexes = [
            models.Index(fields=["customer", "-ordered_on", "-id"], name="order_of_customer"),
            models.Index(fields=["-ordered_on", "-id"], name="order_by_day"),
        ]
        constraints = [*Fact.Meta.constraints, models.UniqueConstraint(fields=["number"], name="order_number_once")]

    def __str__(self) -> str:
        return self.number

    @property
    def margin(self) -> Decimal:
        return self.amount - self.cost

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and not self.number:
            self.number = order_number(Counter.take(self.COUNTER))
        super().save(*args, **kwargs)

    @classmethod
    @transaction.atomic
    def place(cls, *, by: User | None, lines: list[Line], **values: Any) -> Order:
        """Write an order down with its lines."""
        order = cls.add(by=by, **values)
        order._write_lines(lines)
        return order

    @transaction.atomic
    def amend(self, *, by: User | None, expected_version: int | None = None, lines: list[Line] | None = None, **values: Any) -> bool:
        """Change the order and, where `lines` are given, put them in the place of the old ones; whether anything changed."""
        changes = self.change(by=by, expected_version=expected_version, **values)
        before = self._plain_lines()
        if lines is None or before == [_plain(OrderLine(order=self, **line)) for line in lines]:
            return bool(changes)
        self.lines.all().delete()
        self._write_lines(lines)
        if not changes:
            Order.objects.filter(pk=self.pk).update(version=models.F("version") + 1)
        self.record("changed", by=by, changes={"lines": [before, self._plain_lines()]})
        return True

    def _write_lines(self, lines: list[Line]) -> None:
        OrderLine.objects.bulk_create([OrderLine(order=self, position=place, **line) for place, line in enumerate(lines, 1)])
        self.retotal()

    def _plain_lines(self) -> list[dict[str, Any]]:
        return [_plain(line) for line in self.lines.order_by("position", "pk")]

    def retotal(self) -> None:
        """Sum the lines again, in the transaction that changed them."""
        sums = self.lines.aggregate(amount=models.Sum("amount"), cost=models.Sum("cost"))
        self.amount, self.cost, self.updated_at = sums["amount"] or ZERO, sums["cost"] or ZERO, timezone.now()
        self.save(update_fields=["amount", "cost", "updated_at"])


class OrderLine(models.Model):
    NOUN = "order_line"

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT, null=True, blank=True, related_name="order_lines", verbose_name=_("product"))
    position = models.PositiveSmallIntegerField(default=1, db_default=1)
    description = models.CharField(_("description"), max_length=200, blank=True, default="", db_default="")
    quantity = models.DecimalField(_("quantity"), max_digits=12, decimal_places=3, default=Decimal(1), db_default=Decimal(1))
    list_price = models.DecimalField(_("list price"), null=True, blank=True, max_digits=18, decimal_places=2)
    amount = models.DecimalField(_("amount"), help_text=_("Of the whole line, after discount."), max_digits=18, decimal_places=2)
    cost = models.DecimalField(_("cost"), default=ZERO, db_default=ZERO, max_digits=18, decimal_places=2)

    class Meta:
        ordering = ("order", "position", "pk")
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="order_position_once")]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"


def _plain(line: OrderLine) -> dict[str, Any]:
    """A line as the history quotes it, numbers by their value: 1 and 1.000 are the same quantity."""
    numbers = {name: getattr(line, name) for name in ("quantity", "list_price", "amount", "cost")}
    plain = {name: None if value is None else f"{Decimal(value).normalize():f}" for name, value in numbers.items()}
    return {"product": line.product_id, "description": line.description, **plain}


def order_number(count: int) -> str:
    return f"O{count:07d}"
