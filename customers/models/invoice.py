from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models.contract import Contract
from customers.models.counter import Counter
from customers.models.customer import Customer
from customers.models.facts import Fact, FactQuerySet
from customers.models.order import ZERO, Order

if TYPE_CHECKING:
    from users.models import User


class InvoiceQuerySet(FactQuerySet["Invoice"]):
    def unpaid(self) -> Self:
        return self.filter(paid_amount__lt=F("amount"))

    def overdue(self, on: date) -> Self:
        return self.unpaid().filter(due_on__lt=on)


class Invoice(Fact):
    """What a customer owes us. `paid_amount` is the sum of the payments, kept with them."""

    NOUN = "invoice"
    IN_ORDER = (("issued_on", "due_on"),)
    COUNTER = "invoice"

    number = models.CharField(_("invoice number"), max_length=60, editable=False)
    customer = models.ForeignKey(Customer, models.PROTECT, db_index=False, related_name="invoices", verbose_name=_("customer"))
    order = models.ForeignKey(Order, models.PROTECT, null=True, blank=True, related_name="invoices", verbose_name=_("order"))
    contract = models.ForeignKey(Contract, models.PROTECT, null=True, blank=True, related_name="invoices", verbose_name=_("contract"))
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"))
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2)
    paid_amount = models.DecimalField(_("paid"), default=ZERO, db_default=ZERO, editable=False, max_digits=18, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default=settings.BASE_CURRENCY, db_default=settings.BASE_CURRENCY)

    objects = InvoiceQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        indexes = [
            models.Index(fields=["customer", "-issued_on", "-id"], name="invoice_of_customer"),
            models.Index(fields=["due_on", "id"], name="invoice_unpaid", condition=Q(paid_amount__lt=F("amount"))),
        ]
        constraints = [
            *Fact.Meta.constraints,
            models.UniqueConstraint(fields=["number"], name="invoice_number_once"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("issued_on")),
                name="invoice_due_after_issue",
                violation_error_message=_("The invoice is due before it was issued."),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def open_amount(self) -> Decimal:
        return self.amount - self.paid_amount

    @property
    def is_overdue(self) -> bool:
        return self.open_amount > 0 and self.due_on < timezone.localdate()

    def clean(self) -> None:
        super().clean()
        for name in ("order", "contract"):
            billed = getattr(self, name)
            if billed is not None and billed.customer_id != self.customer_id:
                raise ValidationError({name: _("This belongs to another customer.")})

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding and not self.number:
            self.number = invoice_number(Counter.take(self.COUNTER))
        super().save(*args, **kwargs)

    @transaction.atomic
    def pay(self, *, by: User | None, amount: Decimal, paid_on: date, method: str = "") -> Payment:
        """Book a payment (negative: a correction) and keep the paid sum in step."""
        locked = Invoice.objects.select_for_update().get(pk=self.pk)
        payment = Payment.add(by=by, invoice=locked, amount=amount, paid_on=paid_on, method=method)
        Invoice.objects.filter(pk=self.pk).update(
            paid_amount=F("paid_amount") + amount, version=F("version") + 1, updated_at=timezone.now()
        )
        self.refresh_from_db()
        return payment


class PaymentQuerySet(FactQuerySet["Payment"]):
    CUSTOMER_PATH = "invoice__customer"


class Payment(Fact):
    NOUN = "payment"

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments", verbose_name=_("invoice"))
    paid_on = models.DateField(_("paid on"))
    amount = models.DecimalField(_("amount"), validators=[MinValueValidator(Decimal("-1e15"))], max_digits=18, decimal_places=2)
    method = models.CharField(_("method"), max_length=20, choices=Customer.PaymentMethod, blank=True, default="", db_default="")

    objects = PaymentQuerySet.as_manager()

    class Meta(Fact.Meta):
        abstract = False
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        indexes = [models.Index(fields=["invoice", "-paid_on"], name="payment_of_invoice")]

    def __str__(self) -> str:
        return f"{self.paid_on} {self.amount}"

    @property
    def history_customer_id(self) -> int | None:
        return self.invoice.customer_id


def invoice_number(count: int) -> str:
    return f"R{count:07d}"
