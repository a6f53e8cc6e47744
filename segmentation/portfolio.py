"""The figures of the value pages, each over the customers that the reader sees. Bounded, or one pass over the scores."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from customers.models import Customer
from segmentation.models import ContractOutlook, RuleVersion, Score, Tier, TierDecision, TierOverride, ValueRun
from users.access import Permission, allowed
from users.models import User

ZERO = Decimal(0)
POSITIVE_CLV = Greatest(F("clv"), Value(ZERO))
SETTLED = (
    TierDecision.Kind.FIRST,
    TierDecision.Kind.MOVES,
    TierDecision.Kind.APPROVED,
    TierDecision.Kind.OVERRIDDEN,
    TierDecision.Kind.OVERRIDE_ENDED,
)  # decisions that put a customer into a tier
MOVED = SETTLED[1:]
GROUPS_SHOWN = 12
GROUPINGS = {  # filter of the list of customers → the column that it goes by, and the one with the name to show
    "industry": ("customer__industry", "customer__industry"),
    "region": ("customer__region", "customer__region"),
    "team": ("customer__team", "customer__team__name"),
    "owner": ("customer__owner", "customer__owner__name"),
}


# ── The pyramid ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Layer(NamedTuple):
    """One tier of the pyramid, with its shares of customers and of value above zero."""

    tier: int
    customers: int
    clv: Decimal
    margin: Decimal
    customer_share: float
    value_share: float


@dataclass(frozen=True)
class Pyramid:
    layers: list[Layer]
    customers: int
    clv: Decimal
    margin: Decimal
    core: int  # customers
    core_share: float  # of value above zero

    @property
    def core_customer_share(self) -> float:
        return self.core / self.customers if self.customers else 0.0


def pyramid_of(reader: User) -> Pyramid:
    """The tiers among the customers that the reader sees."""
    found = Score.objects.visible_to(reader).order_by().values("tier").annotate(
        customers=Count("pk"), total=Sum("clv"), margin=Sum("margin_12m"), positive=Sum(POSITIVE_CLV),
        core=Count("pk", filter=Q(is_core=True)), core_value=Sum(POSITIVE_CLV, filter=Q(is_core=True)),
    )  # fmt: skip
    by_tier: dict[int, dict[str, Any]] = {row["tier"]: dict(row) for row in found}
    customers = sum(row["customers"] for row in by_tier.values())
    positive = sum((row["positive"] for row in by_tier.values()), ZERO)
    nobody: dict[str, Any] = {"customers": 0, "total": ZERO, "margin": ZERO, "positive": ZERO}
    layers = []
    for tier in Tier:
        row = by_tier.get(tier.value, nobody)
        shares = (_share(row["customers"], customers), _share(row["positive"], positive))
        layers.append(Layer(tier.value, row["customers"], row["total"], row["margin"], *shares))
    core_value = sum((row["core_value"] or ZERO for row in by_tier.values()), ZERO)
    return Pyramid(
        layers=layers,
        customers=customers,
        clv=sum((layer.clv for layer in layers), ZERO),
        margin=sum((layer.margin for layer in layers), ZERO),
        core=sum(row["core"] for row in by_tier.values()),
        core_share=_share(core_value, positive),
    )


class Group(NamedTuple):
    key: Any  # what the list of customers is narrowed by to show these; empty where it cannot be
    name: str
    customers: int
    core: int
    clv: Decimal
    margin: Decimal


def groups_of(reader: User, by: str) -> list[Group]:
    """The groups of customers by value, those with most first: by industry, region, team or owner."""
    key, name = GROUPINGS[by]
    found = Score.objects.visible_to(reader).order_by().values(*dict.fromkeys((key, name))).annotate(
        customers=Count("pk"), core=Count("pk", filter=Q(is_core=True)), total=Sum("clv"), margin=Sum("margin_12m"),
    ).order_by("-total", key)[:GROUPS_SHOWN]  # fmt: skip
    return [Group(row[key] or "", row[name] or "", row["customers"], row["core"], row["total"], row["margin"]) for row in found]


def _share(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0


# ── Who moves ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def about_to_move(reader: User, most: int) -> list[Score]:
    """Tier watch: the most valuable customers that a proposal or the forecast sees in another tier."""
    found = Score.objects.visible_to(reader).about_to_move().select_related("customer")
    return list(found.order_by("-clv", "-pk")[:most])


def waiting_for_approval(reader: User, most: int) -> list[Score]:
    found = Score.objects.visible_to(reader).filter(proposal=Score.Proposal.APPROVAL).select_related("customer")
    return list(found.order_by("-clv", "-pk")[:most])


def concerns_of(reader: User, most: int) -> list[Score]:
    """The reader's own customers that are about to move, and those whose move the reader may approve."""
    mine = Q(customer__owner=reader, pk__in=Score.objects.about_to_move().values("pk"))
    if allowed(reader, Permission.TIER_APPROVE):
        mine |= Q(proposal=Score.Proposal.APPROVAL)
    return list(Score.objects.visible_to(reader).filter(mine).select_related("customer").order_by("-clv", "-pk")[:most])


def moves_between(reader: User, since: date, until: date) -> QuerySet[TierDecision]:
    """Who moved after `since`, up to and with `until`."""
    found = TierDecision.objects.visible_to(reader).filter(kind__in=MOVED, as_of__gt=since, as_of__lte=until)
    return found.exclude(from_tier=F("tier")).select_related("customer", "by", "rules")


@dataclass(frozen=True)
class Migration:
    """How many customers were in which tier at the beginning and at the end; None at the beginning: valued for the first time since."""

    since: date
    until: date
    counts: dict[tuple[int | None, int], int] = field(default_factory=dict)

    def rows(self) -> list[tuple[int | None, list[tuple[int, float | None, bool]], int]]:
        """(from, [(customers, share of the row, is the same tier)] for each tier, all of the row)."""
        rows = []
        for before in (*Tier.values, None):
            cells = [self.counts.get((before, after), 0) for after in Tier.values]
            if before is None and not sum(cells):
                continue
            total = sum(cells)
            shares = [_share(cell, total) if total else None for cell in cells]
            same = [after == before for after in Tier.values]
            rows.append((before, list(zip(cells, shares, same, strict=True)), total))
        return rows

    @property
    def is_empty(self) -> bool:
        return not any(self.counts.values())


def migrations_between(run_a: ValueRun, run_b: ValueRun, *, reader: User) -> Migration:
    """The migration matrix from one run to a later one, over the customers that the reader sees."""
    return migrations(reader, run_a.as_of, run_b.as_of)


def migrations(reader: User, since: date, until: date) -> Migration:
    """The migration matrix from the end of one day to the end of another.

    A customer's tier on a day is what the first later decision moved it from, or its tier of today where there is none.
    """

    def tier_on(day: date) -> Coalesce:
        later = TierDecision.objects.filter(customer=OuterRef("pk"), kind__in=SETTLED, as_of__gt=day).order_by("pk")
        # A first tier comes from no tier: 0 tells it from "no later decision".
        return Coalesce(Subquery(later.annotate(was=Coalesce("from_tier", 0)).values("was")[:1]), "tier")

    scores = Score.objects.visible_to(reader).order_by().annotate(before=tier_on(since), after=tier_on(until))
    found = scores.values_list("before", "after").annotate(customers=Count("pk"))
    counts = {(before or None, after): customers for before, after, customers in found if after}
    return Migration(since, until, counts)


def last_quarter(today: date) -> tuple[date, date]:
    """(the day before it began, its last day) of the calendar quarter before this one."""
    this_quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    last_day = this_quarter - timedelta(days=1)
    return date(last_day.year, last_day.month - 2, 1) - timedelta(days=1), last_day


# ── One customer ──────────────────────────────────────────────────────────────────────────────────────────────────────


def renewals_of(customer: Customer, most: int) -> list[ContractOutlook]:
    found = ContractOutlook.objects.filter(customer=customer).select_related("contract")
    return list(found.order_by(F("next_renewal_on").asc(nulls_last=True), "pk")[:most])


def standing_override(customer: Customer) -> TierOverride | None:
    return TierOverride.objects.filter(customer=customer).standing(timezone.localdate()).select_related("owner").first()


# ── Runs and rules ────────────────────────────────────────────────────────────────────────────────────────────────────


def equity_over_time(reader: User, most: int = 60) -> list[ValueRun]:
    """The last published runs over all customers, the oldest first; one a day, the day's last."""
    runs = ValueRun.objects.visible_to(reader).published().full().filter(equity__isnull=False).order_by("-pk")
    light = runs.only("as_of", "equity", "equity_interval", "future_equity", "customers", "is_indicative")
    by_day: dict[date, ValueRun] = {}
    for run in light[:most]:
        by_day.setdefault(run.as_of, run)
    return [by_day[day] for day in sorted(by_day)]


def differences(versions: list[RuleVersion], fields: tuple[str, ...]) -> dict[int, list[tuple[Any, Any, Any]]]:
    """Version number → [(field, before, after)] against the version before it; `versions` with the newest first."""
    found: dict[int, list[tuple[Any, Any, Any]]] = defaultdict(list)
    for newer, older in pairwise(versions):
        for name in fields:
            before, after = getattr(older, name), getattr(newer, name)
            if before != after:
                found[newer.number].append((RuleVersion._meta.get_field(name), before, after))
    return dict(found)


def what_came(scenario_as_of: date, reader: User) -> ValueRun | None:
    """The newest published run after a scenario's: what really happened since."""
    runs = ValueRun.objects.visible_to(reader).published().full().filter(as_of__gt=scenario_as_of, equity__isnull=False)
    return runs.order_by("-pk").first()
