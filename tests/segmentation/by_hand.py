"""The monthly value table as one would work it out with paper and calendar: day by day, fact by fact, in exact fractions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.conf import settings
from django.utils import timezone

from customers.models import ContactPoint, Contract, ExchangeRate, Invoice, Order
from segmentation.facts import MONEY
from segmentation.models import MonthlyValue, RuleVersion

Rows = dict[tuple[int, date], dict[str, Decimal]]
DAY = timedelta(days=1)
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def rows_by_hand(as_of: date, rules: RuleVersion) -> Rows:
    rows: dict[tuple[int, date], dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(MONEY, Decimal(0)))
    for customer, day, column, amount in [*_orders(as_of), *_contracts(as_of), *_contacts(as_of, rules), *_invoices(as_of, rules)]:
        rows[customer, day.replace(day=1)][column] += amount
    return {key: row for key, row in rows.items() if any(row.values())}


def stored_rows() -> Rows:
    return {(row.customer_id, row.month): {column: getattr(row, column) for column in MONEY} for row in MonthlyValue.objects.all()}


Entry = tuple[int, date, str, Decimal]


def _orders(as_of: date) -> Iterator[Entry]:
    for order in Order.objects.exclude(status="cancelled").filter(ordered_on__lte=as_of):
        if (rate := _rate(order.currency, order.ordered_on)) is not None:
            yield order.customer_id, order.ordered_on, "order_revenue", _cents(order.amount * rate)
            yield order.customer_id, order.ordered_on, "order_cost", _cents(order.cost * rate)


def _contracts(as_of: date) -> Iterator[Entry]:
    for contract in Contract.objects.all():
        ends = [day for day in (contract.ends_on, contract.cancelled_on and contract.cancelled_on - DAY, as_of) if day]
        earned, before = Fraction(0), Fraction(0)
        days = [contract.starts_on + DAY * at for at in range((min(ends) - contract.starts_on).days + 1)]
        for day in days:
            if day.day == 1:
                before = earned
            earned += Fraction(1, _days_of_period(contract, day))
            if day == days[-1] or (day + DAY).day == 1:
                rate = _rate(contract.currency, max(day.replace(day=1), contract.starts_on))
                for column, amount in (("revenue", contract.recurring_amount), ("cost", contract.recurring_cost)):
                    if amount is not None and rate is not None:
                        share = _cents(Fraction(amount * rate) * earned) - _cents(Fraction(amount * rate) * before)
                        yield contract.customer_id, day, f"contract_{column}", share


def _days_of_period(contract: Contract, day: date) -> int:
    begins, periods = contract.starts_on, 1
    while (ends := _months_later(contract.starts_on, periods * MONTHS[contract.period])) <= day:
        begins, periods = ends, periods + 1
    return (ends - begins).days


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - DAY).day
    return date(year, month + 1, min(day.day, last))


def _contacts(as_of: date, rules: RuleVersion) -> Iterator[Entry]:
    for point in ContactPoint.objects.filter(corrected_by=None):
        day = timezone.localtime(point.at, timezone.get_default_timezone()).date()
        cost = point.cost if point.cost is not None else (point.minutes or 0) * Decimal(str(rules.minute_rates[point.channel]))
        if day <= as_of:
            yield point.customer_id, day, "contact_cost", _cents(cost)


def _invoices(as_of: date, rules: RuleVersion) -> Iterator[Entry]:
    for invoice in Invoice.objects.all():
        owed: dict[date, Decimal] = defaultdict(Decimal)
        payments = list(invoice.payments.all())
        for at in range(1, (as_of - invoice.due_on).days + 1):
            day = invoice.due_on + DAY * at
            owed[day.replace(day=1)] += invoice.amount - sum((payment.amount for payment in payments if payment.paid_on < day), Decimal(0))
        for month, amount_days in owed.items():
            if (rate := _rate(invoice.currency, invoice.issued_on)) is not None:
                cost = Fraction(max(amount_days, Decimal(0)) * rate * rules.capital_rate) / 365
                yield invoice.customer_id, month, "overdue_cost", _cents(cost)


def _rate(currency: str, day: date) -> Decimal | None:
    if currency == settings.BASE_CURRENCY:
        return Decimal(1)
    rates = list(ExchangeRate.objects.filter(currency=currency).order_by("on"))
    return next((known.rate for known in reversed(rates) if known.on <= day), rates[0].rate if rates else None)


def _cents(amount: Decimal | Fraction) -> Decimal:
    """To the cent, halves away from zero."""
    exact = Fraction(amount) * 100
    whole = int(abs(exact) + Fraction(1, 2))
    return (Decimal(whole if exact >= 0 else -whole) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
