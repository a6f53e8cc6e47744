"""Everything that a rule can ask about: fields of the customer, measures of its score, and the nouns around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from customers.models import (
    Asset,
    Consent,
    ContactPoint,
    Contract,
    Customer,
    CustomField,
    Invoice,
    Opportunity,
    Order,
    OrderLine,
    Position,
    Product,
)
from customers.models.customer import Channel
from segmentation.models import Membership, Score, Tier
from segmentation.rules.fields import Asking, Field, FlagField, JsonField, labelled, of_column, of_columns
from segmentation.rules.kinds import Choice, ChoiceTags, Day, Flag, Kind, Number, Rank, Reference, Tags, Text, Words

CUSTOM = "custom."
SCORE = "score."
ABC = (("A", "A"), ("B", "B"), ("C", "C"))
TIERS = Rank(tuple((one.slug, one.label) for one in Tier), {one.slug: one.value for one in Tier})
USER = Reference("user", own="me")
TEAM = Reference("team", own="mine", more=("under",))


@dataclass(frozen=True)
class RelatedNoun:
    """Rows that hang on a customer: it has some, none, or so many of them, of which all of some conditions hold."""

    key: str
    label: Any  # in the plural
    rows: Callable[[OuterRef], QuerySet[Any]]  # of the customer of the outer query
    fields: dict[str, Field] = field(hash=False)


class SegmentField(Field):
    """Who stands in a segment now, by its stored membership."""

    def where(self, lookup: str, value: Any) -> Q:
        assert lookup == "in"
        members = Membership.objects.standing().filter(customer=OuterRef("pk"), segment__in=value, segment__archived_at=None)
        return Q(Exists(members))


def _by_key(*fields: Field | list[Field]) -> dict[str, Field]:
    flat = [one for part in fields for one in (part if isinstance(part, list) else [part])]
    return {one.key: one for one in flat}


def _customer_fields() -> dict[str, Field]:
    return _by_key(
        Field("name", _("name, number or credit code"), Words(), "search_text"),
        of_columns(Customer, "kind", "status", "industry", "region", "country"),
        of_column(Customer, "tags", kind=Tags()),
        of_column(Customer, "owner", kind=USER),
        of_column(Customer, "team", kind=TEAM),
        of_columns(Customer, "employees", "annual_revenue", "founded_year", "currency"),
        of_columns(Customer, "acquisition_source", "acquired_on", "acquisition_cost"),
        of_column(Customer, "preferred_channels", kind=ChoiceTags(tuple(Channel.choices))),
        of_columns(Customer, "payment_terms_days", "payment_preference", "website", "legal_name", "credit_code"),
        labelled(of_column(Customer, "created_at"), _("entered on")),
        labelled(of_column(Customer, "updated_at"), _("last changed")),
        FlagField("has_parent", _("belongs to a group of companies"), Flag(), condition=lambda _asking: Q(parent__isnull=False)),
        SegmentField("segment", _("segment"), Reference("segment")),
    )


def _score_fields() -> dict[str, Field]:
    share, points = Number(is_share=True), Number(whole=True, most=32_767)

    def score(name: str, label: Any = None, kind: Kind | None = None) -> Field:
        return of_column(Score, name, key=SCORE + name, path="score__", label=label, kind=kind, is_total=False)

    return _by_key(
        score("tier", kind=TIERS),
        score("is_core"),
        *(score(name) for name in ("clv", "clv_orders", "clv_contracts", "clv_referrals", "growth_potential")),
        *(score(name) for name in ("margin_12m", "revenue_12m", "serving_12m", "overdue_12m")),
        score("churn_risk", kind=share),
        score("p_alive", kind=share),
        score("renewal_probability", kind=share),
        score("next_renewal_on"),
        score("trend", kind=share),
        score("trust", kind=share),
        *(score(name) for name in ("last_order_on", "first_order_on", "orders", "expected_orders_12m", "next_order_days")),
        score("recency_score", _("recency (R), 1 to 5"), points),
        score("frequency_score", _("frequency (F), 1 to 5"), points),
        score("monetary_score", _("money (M), 1 to 5"), points),
        score("abc", kind=Choice(ABC)),
        score("relationship_type"),
        score("tier_since"),
        score("is_overridden", _("tier set by a person")),
        score("proposed_tier", kind=TIERS),
        score("move_probability", kind=share),
        *(score(name) for name in ("distance_up", "distance_down")),
    )


def _product_fields(path: str = "product__") -> list[Field]:
    return [
        of_column(Product, "name", key="product", path=path, label=_("product"), is_total=False),
        of_column(Product, "code", key="product_code", path=path, label=_("product code"), is_total=False),
        of_column(Product, "category", key="category", path=path, is_total=False),
    ]


def _order_nouns() -> list[RelatedNoun]:
    in_order = {"path": "order__", "is_total": True}
    return [
        RelatedNoun(
            "orders",
            _("orders"),
            lambda customer: Order.objects.exclude(status=Order.Status.CANCELLED).filter(customer=customer),
            _by_key(
                of_columns(Order, "ordered_on", "delivered_on", "amount", "cost", "currency", "channel", "status"),
                of_column(Order, "owner", kind=USER),
            ),
        ),
        RelatedNoun(
            "order_lines",
            _("order lines"),
            lambda customer: OrderLine.objects.exclude(order__status=Order.Status.CANCELLED).filter(order__customer=customer),
            _by_key(
                _product_fields(),
                of_columns(OrderLine, "description", "quantity", "amount"),
                of_column(Order, "ordered_on", **in_order),  # type: ignore[arg-type]  # of two kinds of values
                of_column(Order, "currency", **in_order),  # type: ignore[arg-type]
            ),
        ),
        RelatedNoun(
            "opportunities",
            _("opportunities"),
            lambda customer: Opportunity.objects.filter(customer=customer),
            _by_key(
                of_columns(Opportunity, "stage", "amount", "currency", "engaged_on", "closed_on", "title"),
                of_column(Opportunity, "owner", kind=USER),
                _product_fields(),
            ),
        ),
    ]


def _contract_nouns() -> list[RelatedNoun]:
    grade = Rank(
        tuple((str(value), label) for value, label in Contract._meta.get_field("service_grade").flatchoices),
        {str(value): value for value in range(1, 6)},
    )
    return [
        RelatedNoun(
            "contracts",
            _("contracts"),
            lambda customer: Contract.objects.filter(customer=customer),
            _by_key(
                FlagField("is_running", _("running"), Flag(), condition=_is_running),
                of_columns(Contract, "ends_on", "starts_on", "cancelled_on"),
                of_column(Contract, "service_grade", kind=grade),
                of_columns(Contract, "renewal", "recurring_amount", "period", "currency", "title"),
                _product_fields(),
            ),
        ),
        RelatedNoun(
            "invoices",
            _("invoices"),
            lambda customer: Invoice.objects.filter(customer=customer),
            _by_key(
                FlagField("is_overdue", _("overdue"), Flag(), condition=lambda asking: _unpaid() & Q(due_on__lt=asking.today)),
                FlagField("is_unpaid", _("unpaid"), Flag(), condition=lambda _asking: _unpaid()),
                of_columns(Invoice, "due_on", "issued_on", "amount", "currency"),
            ),
        ),
        RelatedNoun(
            "assets",
            _("assets"),
            lambda customer: Asset.objects.filter(customer=customer),
            _by_key(of_columns(Asset, "warranty_until", "delivered_on", "retired_on", "location"), _product_fields()),
        ),
    ]


def _contact_nouns() -> list[RelatedNoun]:
    return [
        RelatedNoun(
            "contacts",
            _("contacts"),
            lambda customer: Position.objects.current().filter(customer=customer, contact__deleted_at=None),
            _by_key(
                of_columns(Position, "role", "influence", "is_primary", "job_title", "department", "since"),
            ),
        ),
        RelatedNoun(
            "consents",
            _("standing consents of contacts"),
            _standing_consents,
            _by_key(of_columns(Consent, "purpose", "channel", "given_at")),
        ),
        RelatedNoun(
            "contact_points",
            _("contact points"),
            lambda customer: ContactPoint.objects.standing().filter(customer=customer),
            _by_key(
                of_columns(ContactPoint, "at", "kind", "channel", "direction", "signal", "stage", "subject", "minutes"),
                of_column(ContactPoint, "staff", kind=USER),
            ),
        ),
    ]


def _standing_consents(customer: OuterRef) -> QuerySet[Consent]:
    """In one filter, so that it is the place at this customer which must be a current one."""
    return Consent.objects.filter(
        withdrawn_at=None, contact__deleted_at=None, contact__positions__customer=customer, contact__positions__until=None
    )


def _is_running(asking: Asking) -> Q:
    """As `Contract.objects.running`, on any day."""
    return Q(starts_on__lte=asking.today, cancelled_on=None) & (Q(ends_on=None) | Q(ends_on__gte=asking.today))


def _unpaid() -> Q:
    return Q(paid_amount__lt=F("amount"))


@lru_cache(maxsize=1)
def customer_fields() -> dict[str, Field]:
    return _customer_fields()


@lru_cache(maxsize=1)
def score_fields() -> dict[str, Field]:
    return _score_fields()


@lru_cache(maxsize=1)
def related_nouns() -> dict[str, RelatedNoun]:
    return {noun.key: noun for noun in (*_order_nouns(), *_contract_nouns(), *_contact_nouns())}


def custom_fields(rows: list[CustomField] | None = None) -> dict[str, Field]:
    """By `custom.KEY`. Those out of use still answer, so that a saved rule goes on working."""
    rows = list(CustomField.objects.order_by("position", "pk")) if rows is None else rows
    return {f"{CUSTOM}{row.key}": _custom(row) for row in rows}


def _custom(row: CustomField) -> Field:
    kinds: dict[str, Kind] = {
        CustomField.Kind.TEXT: Text(),
        CustomField.Kind.NUMBER: Number(),
        CustomField.Kind.DATE: Day(),
        CustomField.Kind.CHOICE: Choice(tuple((one, one) for one in row.choices)),
    }
    return JsonField(f"{CUSTOM}{row.key}", str(row), kinds[row.kind], "custom", may_be_empty=True, json_key=row.key)
