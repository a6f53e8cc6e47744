"""Last stage: scores, ledger, outlooks and history in one transaction. Before its commit nothing has changed for anybody.

The rows go by binary COPY into tables that live as long as the transaction, in the order of customers, and from there by a few
statements into place: in the same order, since such a table is read from its beginning.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from segmentation.engine.drivers import drivers_of
from segmentation.engine.extent import NO_DAY, day_number, extent_of
from segmentation.engine.keeping import keep, kept, shards_of
from segmentation.engine.packing import Columns
from segmentation.engine.reading import write_rows
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.purchases import MONTH
from segmentation.maths.tiers import Decision
from segmentation.models import ContractOutlook, RelationshipType, RunShard, Score, Stale, ValueRun
from users.models import Event

SNAPSHOT = ("customer", "trust", "margin_12m", "clv", "new_tier", "override")
SNAPSHOTS_KEPT = timedelta(days=35)  # of every run; of older ones, the first of each month

# Amounts pass in whole cents: a numeric that is made of a float goes through text, one made of an integer does not.
CENTS = (
    "value", "revenue_12m", "margin_12m", "serving_12m", "overdue_12m", "clv", "clv_orders", "clv_contracts", "clv_referrals",
    "clv_retention_cost", "low_80", "high_80", "low_95", "high_95", "distance_up", "distance_down",
)  # fmt: skip
NO_CENTS = -(2**63)

# Column → type in the passing table. Numbers without a value are NaN, amounts NO_CENTS, days NO_DAY.
DRAFT = {
    **dict.fromkeys(("customer", "next_renewal", *CENTS), "int8"),
    **dict.fromkeys(
        ("tier", "tier_since", "new_tier", "new_proposed_tier", "new_proposed_since", "proposal", "override", "ledger", "is_core",
         "orders", "first_day", "last_day", "recency_score", "frequency_score", "monetary_score", "abc", "rank", "relationship",
         "contracts"),
        "int4",
    ),
    **dict.fromkeys(
        ("move_probability", "expected_orders_12m", "p_alive", "churn_risk", "next_order_days", "renewal_probability", "trend", "trust"),
        "float8",
    ),
}  # fmt: skip
OUTLOOK = {
    **dict.fromkeys(("id", "customer"), "int8"),
    **dict.fromkeys(("passed", "next_renewal", "grade", "automatic", "term"), "int4"),
    **dict.fromkeys(("chance", "value", "revenue"), "float8"),
}

# What the run's outcome is called in the ledger; 0 means that nothing has changed and no row is due.
LEDGER = ("", "first", "moves", "waits", "approval", "trust", "stays", "overridden", "ended")
ABC = ("C", "A", "B", "C")


def publish(run: ValueRun) -> None:
    """Put the run's outcome in the place of what stood there, and say so."""
    with transaction.atomic():
        _create_drafts()
        for shard in shards_of(run):
            _copy_shard(run, shard)
        with connection.cursor() as cursor:
            values = _parameters(run)
            for statement in (WRITE_LEDGER, WRITE_EVENTS, WRITE_SCORES, WRITE_OUTLOOKS):
                cursor.execute(statement, values)
            cursor.execute("DROP TABLE draft_score, draft_outlook")
        _remove_others(run)
        _keep_snapshots(run)
        Stale.objects.filter(run_id=run.pk).delete()
        _finish(run)
        Event.record(Event.Action.CHANGED, noun=ValueRun.NOUN, by=run.requested_by, object_id=run.pk, label=str(run))


def _create_drafts() -> None:
    with connection.cursor() as cursor:
        for name, kinds in (("draft_score", {**DRAFT, "drivers": "jsonb"}), ("draft_outlook", OUTLOOK)):
            columns = ", ".join(f"{column} {kind}" for column, kind in kinds.items())
            cursor.execute(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP")


def _copy_shard(run: ValueRun, shard: int) -> None:
    columns = kept(shard)
    running = columns["contract_running"] > 0
    columns["ledger"] = ledger_codes(columns)
    columns["relationship"] = _relationships(columns["industry"], run.fits["relationships"])
    at = np.searchsorted(columns["customer"], columns["contract_customer"][running])
    columns["contracts"] = np.bincount(at, minlength=len(columns["customer"]))
    columns |= _order_days(columns, run)
    for level in (80, 95):
        columns[f"low_{level}"] = columns["clv"] - columns.pop(f"below_{level}")
        columns[f"high_{level}"] = columns["clv"] + columns.pop(f"above_{level}")
    drivers = drivers_of(columns, day_number(run.as_of))
    for name in CENTS:
        columns[name] = _cents(columns[name])
    write_rows("draft_score", DRAFT, columns, ("drivers", drivers))
    outlook = {name: columns[f"contract_{name}"][running] for name in OUTLOOK}
    write_rows("draft_outlook", OUTLOOK, outlook)


def _cents(amount: Floats) -> Ints:
    known = np.isfinite(amount)
    return np.where(known, np.rint(np.where(known, amount, 0.0) * 100), NO_CENTS).astype(np.int64)


def ledger_codes(columns: Columns) -> np.ndarray[Any, np.dtype[np.int32]]:
    """What is to be written down of each customer, as a place in LEDGER."""
    decision, tier, new_tier = columns["decision"], columns["tier"], columns["new_tier"]
    same_proposal = (columns["proposed_tier"] == columns["new_proposed_tier"]) & (columns["was_proposal"] == columns["proposal"])
    kinds = [
        (decision == Decision.OVERRIDDEN) & ((columns["was_overridden"] == 0) | (tier != new_tier)),
        (columns["was_overridden"] > 0) & (columns["override"] == 0),
        tier == 0,
        tier != new_tier,
        same_proposal | (decision == Decision.OVERRIDDEN),
        columns["proposal"] == 0,
    ]
    codes = [7, 8, 1, 2, 0, 6]
    return np.select(kinds, codes, np.array([0, 3, 4, 5])[columns["proposal"]]).astype(np.int32)


def _relationships(industry: Any, types: dict[str, str]) -> Any:
    """The place of each customer's recommended type in RelationshipType, from 1; 0 without one."""
    places = {value: place for place, value in enumerate(RelationshipType.values, 1)}
    keys, at = np.unique(industry, return_inverse=True)
    return np.array([places.get(types.get(str(key), ""), 0) for key in keys], dtype=np.int32)[at] if len(keys) else np.zeros(0, np.int32)


def _order_days(columns: Columns, run: ValueRun) -> Columns:
    first = day_number(run.as_of) - np.rint(columns["age"] * MONTH)
    last = first + np.rint(columns["recency"] * MONTH)
    buyers = columns["orders"] > 0
    return {"first_day": np.where(buyers, first, NO_DAY), "last_day": np.where(buyers, last, NO_DAY)}


def _parameters(run: ValueRun) -> dict[str, Any]:
    return {
        "run": run.pk,
        "rules": run.rules_id,
        "as_of": run.as_of,
        "by": run.requested_by_id,
        "ledger": list(LEDGER),
        "abc": list(ABC),
        "relationships": ["", *RelationshipType.values],
        "proposals": ["", *Score.Proposal.values],
        "boundaries": _boundaries(run),
        "indicative": run.is_indicative,
        "customers": run.customers,
        **_hazards(run),
    }


def _hazards(run: ValueRun) -> dict[str, float]:
    """The effect of each covariate on the risk of a contract, and its average; nothing where no hazards were fitted."""
    found = run.fits["hazards"]
    effects = {name: found["coefficients"].get(name, 0.0) for name in COVARIATES}
    averages = {name: found["averages"].get(name, 0.0) for name in COVARIATES}
    return {f"{name}_effect": value for name, value in effects.items()} | {f"{name}_average": value for name, value in averages.items()}


def _boundaries(run: ValueRun) -> str:
    return json.dumps({name: run.boundaries[name] for name in ("platinum", "gold", "iron")})


def _remove_others(run: ValueRun) -> None:
    """Whoever is no customer any more has no score: of the whole company, or of those whom the run was about."""
    others, outlooks = Score.objects.exclude(run=run), ContractOutlook.objects.exclude(run=run)
    if run.kind == ValueRun.Kind.CHANGED:
        about = [pk for shard in RunShard.objects.filter(run=run).defer("arrays") for pk in extent_of(run, shard).ids or ()]
        others, outlooks = others.filter(customer__in=about), outlooks.filter(customer__in=about)
    others._raw_delete(others.db)
    outlooks._raw_delete(outlooks.db)


def _keep_snapshots(run: ValueRun) -> None:
    """Of a full run, what is needed to compare it with another and to replay it; of a run of changes nothing."""
    if run.kind == ValueRun.Kind.CHANGED:
        RunShard.objects.filter(run=run).delete()
        return
    for shard in shards_of(run):
        keep(shard, kept(shard, SNAPSHOT))
    old = (
        ValueRun.objects.published().full().filter(as_of__lt=run.as_of - SNAPSHOTS_KEPT).order_by("as_of", "pk").values_list("pk", "as_of")
    )
    months: set[tuple[int, int]] = set()
    for pk, as_of in old:
        if (as_of.year, as_of.month) in months:
            RunShard.objects.filter(run=pk).delete()
        months.add((as_of.year, as_of.month))
    ended = ValueRun.objects.filter(kind=ValueRun.Kind.CHANGED, started_at__lt=timezone.now() - SNAPSHOTS_KEPT)
    ended.filter(scores=None, decisions=None).exclude(pk__in=ContractOutlook.objects.values("run")).delete()


def _finish(run: ValueRun) -> None:
    by_tier = Score.objects.values_list("tier").annotate(Count("pk"), Sum("clv"), Sum("margin_12m"), Sum("revenue_12m")).order_by("tier")
    run.tiers = {
        str(tier): {"customers": customers, "clv": float(clv), "margin": float(margin), "revenue": float(revenue)}
        for tier, customers, clv, margin, revenue in by_tier
    }
    run.customers = sum(figures["customers"] for figures in run.tiers.values())
    run.equity = round(sum(figures["clv"] for figures in run.tiers.values()), 2)
    run.state, run.published_at = ValueRun.State.PUBLISHED, timezone.now()
    run.save(update_fields=["tiers", "customers", "equity", "state", "published_at"])


def _money(name: str) -> str:
    return f"{name} * 0.01"


def _money_or_null(name: str) -> str:
    return f"nullif({name}, '{NO_CENTS}'::int8) * 0.01"


def _or_null(name: str) -> str:
    return f"nullif({name}, 'NaN')"


def _day(name: str) -> str:
    return f"CASE WHEN {name} <> {NO_DAY} THEN DATE '1970-01-01' + {name}::int4 END"


WRITE_LEDGER = f"""
    INSERT INTO segmentation_tierdecision (customer_id, run_id, rules_id, as_of, by_id, kind, from_tier, tier, proposed_tier, value,
                                           distance_up, distance_down, inputs, drivers, reason)
    SELECT customer, %(run)s, %(rules)s, %(as_of)s, %(by)s, (%(ledger)s::text[])[ledger + 1], nullif(tier, 0), new_tier,
           nullif(new_proposed_tier, 0), {_money("value")}, {_money_or_null("distance_up")}, {_money_or_null("distance_down")},
           jsonb_build_object('clv', {_money("clv")}, 'orders', {_money("clv_orders")}, 'contracts', {_money("clv_contracts")},
                              'referrals', {_money("clv_referrals")}, 'retention_cost', {_money("clv_retention_cost")},
                              'margin_12m', {_money("margin_12m")}, 'revenue_12m', {_money("revenue_12m")},
                              'trust', round(trust::numeric, 3), 'rank', nullif(rank, 0), 'customers', %(customers)s,
                              'boundaries', %(boundaries)s::jsonb),
           drivers, ''
    FROM draft_score WHERE ledger > 0
"""

WRITE_EVENTS = """
    INSERT INTO users_event (actor_id, action, noun, object_id, label, customer_id, changes)
    SELECT %(by)s, 'changed', 'score', draft.customer, valued.legal_name, draft.customer,
           jsonb_build_object('tier', jsonb_build_array(draft.tier, draft.new_tier))
    FROM draft_score AS draft JOIN customers_customer AS valued ON valued.id = draft.customer
    WHERE draft.tier > 0 AND draft.tier <> draft.new_tier
"""

_SCORE_VALUES = {
    "customer_id": "customer",
    "run_id": "%(run)s",
    "as_of": "%(as_of)s",
    "tier": "new_tier",
    "tier_since": f"CASE WHEN tier = new_tier AND tier_since <> {NO_DAY} THEN {_day('tier_since')} ELSE %(as_of)s END",
    "is_core": "is_core > 0",
    "is_overridden": "override > 0",
    "proposed_tier": "nullif(new_proposed_tier, 0)",
    "proposed_since": _day("new_proposed_since"),
    "proposal": "(%(proposals)s::text[])[CASE WHEN new_proposed_tier > 0 THEN proposal ELSE 0 END + 1]",
    **{name: _money_or_null(name) for name in ("distance_up", "distance_down")},
    **{
        name: _money(name)
        for name in ("value", "revenue_12m", "margin_12m", "serving_12m", "overdue_12m", "clv", "clv_orders", "clv_contracts",
                     "clv_referrals", "clv_retention_cost")
    },
    **{f"clv_{side}_{level}": _money(f"{side}_{level}") for side in ("low", "high") for level in (80, 95)},
    "orders": "orders",
    "first_order_on": _day("first_day"),
    "last_order_on": _day("last_day"),
    "next_renewal_on": _day("next_renewal"),
    "next_order_days": "round(nullif(next_order_days, 'NaN'))::int4",
    **{name: name for name in ("expected_orders_12m", "churn_risk", "trust", "move_probability", "recency_score", "frequency_score",
                               "monetary_score", "drivers")},
    **{name: _or_null(name) for name in ("p_alive", "renewal_probability", "trend")},
    "abc": "(%(abc)s::text[])[abc + 1]",
    "relationship_type": "(%(relationships)s::text[])[relationship + 1]",
    "is_indicative": "%(indicative)s",
}  # fmt: skip
WRITE_SCORES = f"""
    INSERT INTO segmentation_score ({", ".join(_SCORE_VALUES)})
    SELECT {", ".join(_SCORE_VALUES.values())} FROM draft_score
    ON CONFLICT (customer_id) DO UPDATE SET {", ".join(f"{name} = EXCLUDED.{name}" for name in _SCORE_VALUES if name != "customer_id")}
"""

# What makes the risk of a contract differ from the average contract's: the parts of its logarithm (Cox), read as factors.
COVARIATES = {"size": "ln(1 + greatest(draft.revenue, 0))", "grade": "draft.grade", "automatic": "draft.automatic", "term": "draft.term"}
LEAST_PART = 0.05  # smaller ones are no reason
_SHOWN = {"size": "round(draft.revenue::numeric, 2)"}
_COVARIATE_PARTS = ", ".join(
    f"('{name}', {_SHOWN.get(name, value)}::numeric, %({name}_effect)s::float8 * ({value} - %({name}_average)s::float8))"
    for name, value in COVARIATES.items()
)
WRITE_OUTLOOKS = f"""
    INSERT INTO segmentation_contractoutlook (contract_id, customer_id, run_id, renewals, next_renewal_on, renewal_probability,
                                              expected_value, drivers)
    SELECT draft.id, draft.customer, %(run)s, draft.passed, {_day("draft.next_renewal")}, draft.chance, round(draft.value::numeric, 2),
           (SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'value', value, 'factor', round(exp(part)::numeric, 2))
                                      ORDER BY abs(part) DESC), '[]')
            FROM (VALUES {_COVARIATE_PARTS}) AS listed(code, value, part) WHERE abs(part) > {LEAST_PART})
    FROM draft_outlook AS draft ORDER BY draft.id
    ON CONFLICT (contract_id) DO UPDATE SET customer_id = EXCLUDED.customer_id, run_id = EXCLUDED.run_id, renewals = EXCLUDED.renewals,
        next_renewal_on = EXCLUDED.next_renewal_on, renewal_probability = EXCLUDED.renewal_probability,
        expected_value = EXCLUDED.expected_value, drivers = EXCLUDED.drivers
"""
