"""What pages ask of the monthly values: a customer's or a set's course over time, and where a price goes."""

# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from customers.models import Customer
from customers.models.customer import CustomerQuerySet
from segmentation.facts import MONEY, in_base
from segmentation.models import MonthlyValue
from segmentation.models.monthly_value import ZERO, MonthlyValueQuerySet


class Month(NamedTuple):
    """The parts of a month's value, in the base currency; costs are positive. margin = revenue − all costs."""

    month: date
    order_revenue: Decimal
    order_cost: Decimal
    contract_revenue: Decimal
    contract_cost: Decimal
    contact_cost: Decimal
    service_cost: Decimal
    overdue_cost: Decimal
    revenue: Decimal
    margin: Decimal


PARTS = (*MONEY, "revenue", "margin")


def value_over_time(customer: Customer, *, months: int = 36, until: date | None = None) -> list[Month]:
    """The last `months` months up to the one of `until` (default: today), oldest first; months without facts are zeros."""
    return _over_time(MonthlyValue.objects.filter(customer=customer), months, until)


def value_over_time_of(customers: CustomerQuerySet, *, months: int = 36, until: date | None = None) -> list[Month]:
    """The sums over the customers of a queryset, such as `Customer.objects.visible_to(user)`; as `value_over_time`."""
    return _over_time(MonthlyValue.objects.filter(customer__in=customers.values("pk")), months, until)


def _over_time(rows: MonthlyValueQuerySet, months: int, until: date | None) -> list[Month]:
    last = (until or timezone.localdate()).replace(day=1)
    wanted = [_months_before(last, back) for back in reversed(range(months))]
    sums = rows.filter(month__range=(wanted[0], last)).order_by("month").values_list("month").annotate(*(Sum(name) for name in PARTS))
    found = {month: Month(month, *amounts) for month, *amounts in sums}
    return [found.get(month) or Month(month, *[ZERO] * len(PARTS)) for month in wanted]


def _months_before(month: date, months: int) -> date:
    year, index = divmod(month.year * 12 + month.month - 1 - months, 12)
    return date(year, index + 1, 1)


@dataclass(frozen=True)
class Waterfall:
    """From list price to contribution margin over 12 months, in the base currency; what is subtracted is positive.

    list_price − discount + contracts − goods − delivery − service − overdue = margin. `unlisted` is the part of the revenue
    from lines without a list price (those count at what was paid), so that a reader knows how much the discount can tell.
    """

    since: date  # the first day of the first month
    until: date
    list_price: Decimal
    discount: Decimal
    contracts: Decimal
    goods: Decimal
    delivery: Decimal
    service: Decimal
    overdue: Decimal
    margin: Decimal
    unlisted: Decimal


def waterfall(customer: Customer, *, months: int = 12, until: date | None = None) -> Waterfall:
    """Where the list price goes: over the `months` months that end with the one of `until` (default: today).

    Order revenue and costs are those of the monthly values, so that the steps add up to their margin exactly; the list price
    comes from the lines of the same orders.
    """
    last = until or timezone.localdate()
    since = _months_before(last.replace(day=1), months - 1)
    rows = MonthlyValue.objects.filter(customer=customer, month__gte=since, month__lte=last)
    sums = {name: amount or ZERO for name, amount in rows.aggregate(**{name: Sum(name) for name in PARTS}).items()}
    discount, unlisted = _discount(customer, since, last)
    return Waterfall(
        since=since,
        until=last,
        list_price=sums["order_revenue"] + discount,
        discount=discount,
        contracts=sums["contract_revenue"],
        goods=sums["order_cost"],
        delivery=sums["contract_cost"],
        service=sums["contact_cost"] + sums["service_cost"],
        overdue=sums["overdue_cost"],
        margin=sums["margin"],
        unlisted=unlisted,
    )


# A line's list price is that of one unit; a line sold above it has a negative discount.
_DISCOUNT = f"""
    SELECT coalesce(round(sum((line.quantity * line.list_price - line.amount) * rate.of_day), 2), 0),
        coalesce(round(sum(line.amount * rate.of_day) FILTER (WHERE line.list_price IS NULL), 2), 0)
    FROM customers_order sold
    JOIN customers_orderline line ON line.order_id = sold.id
    CROSS JOIN LATERAL (SELECT {in_base("sold.currency", "sold.ordered_on")} AS of_day) AS rate
    WHERE sold.customer_id = %(customer)s AND sold.status <> 'cancelled' AND sold.ordered_on BETWEEN %(since)s AND %(until)s
"""


def _discount(customer: Customer, since: date, until: date) -> tuple[Decimal, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(_DISCOUNT, {"customer": customer.pk, "since": since, "until": until, "base": settings.BASE_CURRENCY})
        discount, unlisted = cursor.fetchone()
        return discount, unlisted
