"""Questions that several models answer together, or that the ORM cannot put."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from django.db import connection
from django.db.models import Count, Max, Q, QuerySet, Sum
from django.utils import timezone

from customers.models import ContactMethod, ContactPoint, Contract, Customer, Opportunity, Order, Position, SourceRecord
from customers.models.golden import GoldenRecord
from customers.models.order import OrderQuerySet

if TYPE_CHECKING:
    from users.models import User

NEWEST_LOOKED_AT = 300
MOST_IN_A_FAMILY = 500  # rows shown of a tree of companies; the roll-up counts them all


def values_in_use(column: Literal["industry", "region"], *, most: int = 200) -> list[str]:
    """The different values of an indexed column, by stepping from value to value down the index instead of reading every row."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE step AS ((SELECT {column} AS value FROM customers_customer WHERE {column} > '' ORDER BY {column} LIMIT 1)"  # noqa: S608
            f" UNION ALL SELECT (SELECT {column} FROM customers_customer WHERE {column} > step.value ORDER BY {column} LIMIT 1)"
            " FROM step WHERE step.value IS NOT NULL) SELECT value FROM step WHERE value IS NOT NULL LIMIT %s",
            [most],
        )
        return [row[0] for row in cursor.fetchall()]


class Total(NamedTuple):
    """Orders in one currency; sums over currencies would need a day's rate, so they stand side by side."""

    currency: str
    amount: Decimal
    orders: int
    latest_on: date


def order_totals(orders: OrderQuerySet) -> list[Total]:
    """What was ordered and not cancelled, the largest sum first."""
    sums = (
        orders.exclude(status=Order.Status.CANCELLED)
        .values_list("currency")
        .annotate(amount=Sum("amount"), orders=Count("pk"), latest=Max("ordered_on"))
        .order_by("-amount", "currency")
    )
    return [Total(*row) for row in sums]


@dataclass(frozen=True)
class Standing:
    """The few figures at the top of a customer's page."""

    totals: list[Total]
    contract_ends: list[date | None]  # of the running contracts; None: open-ended
    open_opportunities: int

    @property
    def orders(self) -> int:
        return sum(total.orders for total in self.totals)

    @property
    def latest_order_on(self) -> date | None:
        return max((total.latest_on for total in self.totals), default=None)

    @property
    def next_end(self) -> date | None:
        """The first day on which a running contract ends."""
        return min((ends_on for ends_on in self.contract_ends if ends_on), default=None)


def standing_of(customer: Customer) -> Standing:
    running = Contract.objects.filter(customer=customer).running(timezone.localdate())
    opportunities = Opportunity.objects.filter(customer=customer)
    return Standing(
        totals=order_totals(Order.objects.filter(customer=customer)),
        contract_ends=list(running.order_by("-starts_on").values_list("ends_on", flat=True)[:100]),
        open_opportunities=opportunities.filter(stage__in=[Opportunity.Stage.PROSPECTING, Opportunity.Stage.ENGAGING]).count(),
    )


@dataclass(frozen=True)
class Origin:
    """A source record as the page quotes it, and the fields whose values it gave."""

    system: str
    key: str
    received_at: datetime
    fields: list[str]
    labels: str  # of the fields, in the reader's language


def origins_of(record: GoldenRecord) -> list[Origin]:
    """Which source record each value came from: one line per record, the newest first."""
    by_record: dict[int, list[str]] = {}
    for name, record_id in record.provenance.items():
        by_record.setdefault(record_id, []).append(name)
    sources = SourceRecord.objects.filter(pk__in=by_record).select_related("system").only("key", "received_at", "system__name")
    labels = {field.name: field.verbose_name for field in record._meta.concrete_fields}
    return [
        Origin(
            source.system.name,
            source.key,
            source.received_at,
            fields := sorted(by_record[source.pk]),
            ", ".join(str(labels.get(name, name)) for name in fields),
        )
        for source in sorted(sources, key=lambda source: source.pk, reverse=True)
    ]


def people_and_ways(customer: Customer, *, most: int) -> tuple[list[Position], list[ContactMethod]]:
    """The people at a customer, the main contact and the weightiest first, each with `contact.ways`; and the customer's own ways.

    A way is a phone, mail, WeChat id: what a person is reached by.
    """
    places = Position.objects.filter(customer=customer, contact__deleted_at=None).select_related("contact")
    people = list(places.order_by("-is_primary", "until", "-influence", "pk")[:most])
    ways: dict[int | None, list[ContactMethod]] = {}
    for method in ContactMethod.objects.filter(Q(customer=customer) | Q(contact__in=[place.contact_id for place in people])):
        ways.setdefault(method.contact_id, []).append(method)
    for place in people:
        place.contact.ways = ways.get(place.contact_id, [])  # type: ignore[attr-defined]
    return people, ways.get(None, [])


@dataclass(frozen=True)
class Relative:
    customer: Customer
    depth: int  # 1: directly below

    @property
    def level(self) -> int:
        """How far the row is set in; deep trees end on one line."""
        return min(self.depth, 4)


@dataclass(frozen=True)
class Family:
    """The companies below one, as far as the reader may see them, and what they amount to together."""

    relatives: list[Relative]
    customers: int
    contacts: int
    totals: list[Total]


def family_of(customer: Customer, *, reader: User) -> Family:
    """The tree below a customer with its roll-up; the customer's own orders and contacts are part of the sums."""
    everybody = customer.tree_ids()
    seen = Customer.objects.visible_to(reader).filter(pk__in=everybody)
    below = list(seen.exclude(pk=customer.pk).only("parent_id", "name", "number", "status", "kind").by_name()[:MOST_IN_A_FAMILY])
    return Family(
        relatives=_as_tree(customer.pk, below),
        customers=seen.exclude(pk=customer.pk).count() if len(below) == MOST_IN_A_FAMILY else len(below),
        contacts=Position.objects.filter(customer__in=seen.values("pk"), contact__deleted_at=None).aggregate(
            people=Count("contact", distinct=True)
        )["people"],
        totals=order_totals(Order.objects.filter(customer__in=seen.values("pk"))),
    )


def _as_tree(root: int, rows: list[Customer]) -> list[Relative]:
    """Children under their parents; one whose parent is out of sight stands directly below the root."""
    known = {row.pk for row in rows}
    children: dict[int, list[Customer]] = {}
    for row in rows:
        children.setdefault(row.parent_id if row.parent_id in known and row.parent_id else root, []).append(row)
    found: list[Relative] = []
    stack = [(row, 1) for row in reversed(children.get(root, []))]
    while stack:
        row, depth = stack.pop()
        found.append(Relative(row, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(row.pk, []))]
    return found


@dataclass(frozen=True)
class CappedCount:
    """How many there are, counted no further than the page can use."""

    counted: int
    is_more: bool

    def __bool__(self) -> bool:
        return self.counted > 0

    def __str__(self) -> str:
        return f"{self.counted}+" if self.is_more else str(self.counted)


def count_up_to(rows: QuerySet[Any], most: int) -> CappedCount:
    found = len(rows.values_list("pk", flat=True)[: most + 1])
    return CappedCount(min(found, most), found > most)


def own_customers_by_status(user: User, *, most: int = 999) -> list[tuple[str, str, CappedCount]]:
    """(status, label, count) of the person's own customers; a huge portfolio is counted up to `most` rows of it."""
    statuses = Counter(Customer.objects.visible_to(user).filter(owner=user).values_list("status", flat=True)[: most + 1])
    is_more = statuses.total() > most
    return [(status.value, str(status.label), CappedCount(statuses[status], is_more)) for status in Customer.Status if statuses[status]]


def latest_contact_points(user: User, *, most: int) -> list[ContactPoint]:
    """The newest contacts: the person's own, and those of the company's last few hundred that the person may see.

    Looking for the newest ones in a small reach could walk through millions of rows; this walks through NEWEST_LOOKED_AT.
    """
    points = ContactPoint.objects.visible_to(user).select_related("customer", "staff").newest_first()
    newest = ContactPoint.objects.newest_first().values("pk")[:NEWEST_LOOKED_AT]
    found = {point.pk: point for point in [*points.filter(pk__in=newest)[:most], *points.filter(staff=user)[:most]]}
    return sorted(found.values(), key=lambda point: (point.at, point.pk), reverse=True)[:most]
