"""Fourth stage: where the tiers of this company begin, in which one each customer is, and what the company amounts to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta
from typing import Any

import numpy as np
from scipy.special import ndtr

from segmentation.engine.extent import NO_DAY, day_number
from segmentation.engine.keeping import gathered, keep, kept, shards_of
from segmentation.engine.packing import Columns
from segmentation.engine.predicting import LEVELS
from segmentation.maths import concentration as spread
from segmentation.maths import tiers
from segmentation.maths.arrays import Floats, Ints
from segmentation.maths.tiers import Boundaries, Decision, Outcome, TierRules
from segmentation.maths.value_components import ValueComponents
from segmentation.maths.what_if import stream
from segmentation.models import RuleVersion, Score, TierDecision, ValueRun
from segmentation.scenarios import basis_of

Z_80 = 2.5631  # width of an 80 % interval in standard deviations
NEWS_OF_A_YEAR = 0.5  # of the spread of what a customer will bring: so much of it shows in a year. A judgement
ABC_B = 0.95  # A and B together
NEW_MONTHS = 12  # since the first order
REFUSAL_LASTS = timedelta(days=90)  # a downgrade that a person refused is not proposed again for so long

EDGES = tuple(one.name for one in fields(Boundaries))
CONFIRM, APPROVAL, TRUST = 1, 2, 3  # places of Score.Proposal, from 1

NEEDED = (
    "customer", "referred_by", "tier", "proposed_tier", "proposed_since", "override", "was_overridden", "was_confirming", "trust",
    "margin_12m", "serving_12m", "overdue_12m", "churn_risk", "clv_orders", "clv_contracts", "clv_retention_cost", "spread_80",
    "orders", "age",
)  # fmt: skip


def rank(run: ValueRun) -> None:
    """Decide on every customer, keep the outcome with the shards and the company's figures on the run."""
    columns = gathered(run, NEEDED)
    columns |= _values(run, columns)
    rules = tier_rules(run.rules)
    if run.kind == ValueRun.Kind.FULL:
        run.boundaries = _boundaries(columns["value"], rules)
    else:
        current = ValueRun.current()
        assert current is not None  # or the run would be a full one
        run.boundaries = current.boundaries
    edges = edges_of(run.boundaries)
    few = columns["customer"].tolist() if run.kind == ValueRun.Kind.CHANGED else None
    outcome = decided(columns, rules, edges, today=day_number(run.as_of), refused=lately_refused(run, among=few))
    columns |= _outcome_columns(columns, outcome, edges, today=day_number(run.as_of))
    columns["rank"] = _ranks(columns["value"]) if run.kind == ValueRun.Kind.FULL else np.zeros(len(columns["value"]), dtype=np.int64)
    columns["abc"] = np.select([columns["value"] >= edges.core, columns["value"] >= _edge(run.boundaries["b"])], [1, 2], 3)
    _describe(run, columns)
    _keep_with_shards(run, columns)
    run.save(update_fields=["boundaries", "concentration", "equity_interval", "future_equity", "fits"])


def _ranks(value: Floats) -> Ints:
    """1 for the most valuable; equal values share the best of their ranks."""
    ordered = np.sort(-value)
    return np.searchsorted(ordered, -value) + 1


def tier_rules(rules: RuleVersion) -> TierRules:
    return TierRules(
        core_share=float(rules.core_share),
        platinum_share=float(rules.platinum_share),
        platinum_most_customers=float(rules.platinum_cap),
        serving_cost_floor=float(rules.serving_floor),
        consecutive_runs=rules.runs_to_move,
        margin=float(rules.move_margin),
        platinum_downgrade_needs_approval=rules.approve_platinum_downgrades,
        least_trust_for_downgrade=float(rules.least_trust),
    )


def decided(columns: Columns, rules: TierRules, edges: Boundaries, *, today: int, refused: Sequence[int] = ()) -> Outcome:
    """The tiers by rules, hysteresis, trust, approvals and overrides. `refused` are customers whose downgrade a person lately refused."""
    # Whose override has ended begins anew: what a person had set is no reason to stay there.
    ended = (columns["was_overridden"] > 0) & (columns["override"] == 0)
    standing = np.where(ended, 0, columns["tier"]).astype(np.int8)
    confirming = columns["was_confirming"] > 0  # what waits for better data is no first vote for a move
    outcome = tiers.decide(
        columns["value"],
        columns["trust"],
        standing,
        np.where(confirming, columns["proposed_tier"], 0).astype(np.int8),
        np.where(confirming, columns["proposed_since"], tiers.NO_DAY).astype(np.int32),
        today,
        rules,
        edges=edges,
        override_tier=columns["override"].astype(np.int8),
    )
    keeps = (outcome.decision == Decision.HELD_FOR_APPROVAL) & np.isin(columns["customer"], list(refused))
    outcome.decision[keeps] = Decision.KEEPS
    outcome.pending_tier[keeps] = 0
    return outcome


def lately_refused(run: ValueRun, among: Sequence[int] | None = None) -> list[int]:
    """Customers, all or of some, whose downgrade a person refused not long before the run. Of all, the whole ledger is read."""
    refused = TierDecision.objects.filter(kind=TierDecision.Kind.REFUSED, as_of__gt=run.as_of - REFUSAL_LASTS, as_of__lte=run.as_of)
    if among is not None:
        refused = refused.filter(customer__in=among)
    return list(refused.values_list("customer_id", flat=True))


def _values(run: ValueRun, columns: Columns) -> Columns:
    """The whole CLV of each customer, and what customers are ranked by."""
    own = columns["clv_orders"] + columns["clv_contracts"] - columns["clv_retention_cost"]
    referrals = float(run.rules.referral_share) * _referred_value(run, columns, own)
    clv = own + referrals
    found = {"clv": clv, "clv_referrals": referrals}
    found["value"] = clv if run.rules.rank_by == RuleVersion.RankBy.CLV else columns["margin_12m"]
    return found


def _referred_value(run: ValueRun, columns: Columns, own: Floats) -> Floats:
    """What the customers that each one referred are worth themselves; a referred customer that costs money subtracts nothing."""
    value = np.zeros(len(own))
    customers = columns["customer"]

    def add(referrers: Any, worth: Floats) -> None:
        at = np.minimum(np.searchsorted(customers, referrers), len(customers) - 1)
        known = customers[at] == referrers
        np.add.at(value, at[known], np.maximum(worth[known], 0.0))

    if not len(customers):
        return value
    referred = columns["referred_by"] > 0
    add(columns["referred_by"][referred], own[referred])
    if run.kind == ValueRun.Kind.CHANGED:  # those whom this run does not value stand in the table
        others = Score.objects.filter(customer__referred_by__in=customers.tolist()).exclude(customer__in=customers.tolist())
        rows = list(others.values_list("customer__referred_by", "clv", "clv_referrals"))
        add(np.array([row[0] for row in rows], dtype=np.int64), np.array([float(row[1] - row[2]) for row in rows]))
    return value


def _outcome_columns(columns: Columns, outcome: Outcome, edges: Boundaries, *, today: int) -> Columns:
    state = next_state(columns, outcome, today=today)
    return {
        "new_tier": outcome.tier,
        "decision": outcome.decision,
        "new_proposed_tier": state["proposed_tier"],
        "new_proposed_since": state["proposed_since"],
        "proposal": state["proposal"],
        "distance_up": outcome.up,
        "distance_down": outcome.down,
        "is_core": (columns["value"] >= max(edges.core, 0.0)) & (columns["value"] > 0),
        "move_probability": _move_probability(columns, outcome.tier, edges),
    }


def next_state(columns: Columns, outcome: Outcome, *, today: int) -> Columns:
    """What the next run must know of this one: the tier, and what is proposed, since when and why it waits."""
    low_trust = outcome.decision == Decision.HELD_LOW_TRUST
    proposed = np.where(low_trust, outcome.by_value, outcome.pending_tier)
    held = outcome.decision == Decision.HELD_FOR_APPROVAL
    goes_on = (proposed > 0) & (proposed == columns["proposed_tier"]) & (columns["proposed_since"] != NO_DAY)
    since = np.where(goes_on, columns["proposed_since"], today)
    since = np.where(outcome.pending_since_day != tiers.NO_DAY, outcome.pending_since_day, since)
    proposed = np.where(outcome.decision == Decision.OVERRIDDEN, 0, proposed).astype(np.int8)
    return {
        "tier": outcome.tier,
        "proposed_tier": proposed,
        "proposed_since": np.where(proposed > 0, since, NO_DAY).astype(np.int32),
        "proposal": np.select([proposed == 0, low_trust, held], [0, TRUST, APPROVAL], CONFIRM).astype(np.int8),
        "was_confirming": ((proposed > 0) & ~low_trust).astype(np.int32),
        "was_overridden": (columns["override"] > 0).astype(np.int32),
    }


def _move_probability(columns: Columns, tier: Any, edges: Boundaries) -> Floats:
    """The chance that a year from now the value lies beyond the boundaries of the tier: normal about today's value."""
    value = columns["value"]
    deviation = np.maximum(columns["spread_80"] / Z_80 * NEWS_OF_A_YEAR, 1e-9)
    below = np.nan_to_num(edges.below(tier), nan=-np.inf)
    above = np.nan_to_num(edges.below(np.maximum(tier - 1, 0).astype(np.int8)), nan=np.inf)
    chance = ndtr((below - value) / deviation) + ndtr((value - above) / deviation)
    return np.where(deviation > 1e-9, np.clip(chance, 0.0, 1.0), 0.0)


def _keep_with_shards(run: ValueRun, columns: Columns) -> None:
    """Give each shard its part of the columns that were made for all customers at once."""
    made = [name for name in columns if name not in NEEDED]
    start = 0
    for shard in shards_of(run):
        own = kept(shard)
        stop = start + len(own["customer"])
        keep(shard, {**own, **{name: columns[name][start:stop] for name in made}})
        start = stop


def _describe(run: ValueRun, columns: Columns) -> None:
    """How concentrated the value is, and how far the sum may be off; a run of some customers keeps what the last full one found."""
    if run.kind == ValueRun.Kind.CHANGED:
        last = ValueRun.objects.published().order_by("-pk")[0]
        run.equity_interval, run.concentration, run.future_equity = last.equity_interval, last.concentration, last.future_equity
        return
    run.equity_interval = _equity_interval(run, float(columns["clv"].sum()))
    run.future_equity = _future_equity(run, columns)
    run.fits["cells"] = [list(cell) for cell in _components(run, columns).cells()]
    run.concentration = describe_concentration(columns["value"], columns["margin_12m"])


def _future_equity(run: ValueRun, columns: Columns) -> float:
    """What customers not yet won may bring within the horizon, shown apart from the equity: as many a year as were won in the
    last one, each worth what those are worth now, less what it costs to win one. A projection of today, and no forecast."""
    new = (columns["orders"] > 0) & (columns["age"] <= NEW_MONTHS)
    if not new.any():
        return 0.0
    won = [source for source in run.fits["acquisition"] if source["won"]]
    cost = float(sum(source["cost"] for source in won)) / max(sum(source["won"] for source in won), 1)
    each = float(columns["clv"][new].mean()) - cost
    years = stream(1.0, float(run.rules.discount_rate), run.rules.horizon_months / 12)
    return float(round(max(each, 0.0) * int(new.sum()) * years, 2))


def _components(run: ValueRun, columns: Columns) -> ValueComponents:
    """What a what-if needs of each customer; kept with the run as the few cells of customers alike."""
    margin, serving = columns["margin_12m"], columns["serving_12m"] + columns["overdue_12m"]
    return ValueComponents(
        tier=columns["new_tier"].astype(str),
        order_value=columns["clv_orders"],
        contract_value=columns["clv_contracts"],
        referral_value=columns["clv_referrals"],
        retention_cost=columns["clv_retention_cost"],
        margin_per_year=margin,
        serving_cost_per_year=serving,
        retention=np.clip(1 - columns["churn_risk"], 0.0, 1.0),
        basis=basis_of(run.rules),
    )


def _equity_interval(run: ValueRun, equity: float) -> dict[str, Any]:
    """Of all customers together. The parameters move all shards at once, so the shards' distances add up; orders and contracts
    are independent of each other."""
    totals = gathered(run, ("order_total", "contract_total"))
    parts = [part.reshape(-1, 1 + 2 * len(LEVELS)) for part in totals.values()]
    found: dict[str, Any] = {"method": "laplace"}
    for level, name in enumerate(("80", "95")):
        below = math.hypot(*(float((part[:, 0] - part[:, 1 + 2 * level]).sum()) for part in parts))
        above = math.hypot(*(float((part[:, 2 + 2 * level] - part[:, 0]).sum()) for part in parts))
        found[name] = [round(equity - below, 2), round(equity + above, 2)]
    return found


def describe_concentration(value: Floats, profit: Floats) -> dict[str, Any]:
    """Lorenz curve and its figures of the value, and the whale curve of the profit, as the pages draw them; {} for nobody."""
    if not len(value):
        return {}
    found, whale = spread.concentration(value), spread.whale(profit)
    return {
        "lorenz": [] if found.gini is None else _points(spread.lorenz(value).thinned()),
        "whale": _points(whale.curve.thinned()),
        "gini": found.gini,
        "top_20_share": found.top_20_share,
        "share_for_80": found.core_share,
        "hhi": found.hhi,
        "top_1_share": found.top_1_share,
        "whale_peak": whale.peak,
        "whale_erosion": whale.erosion,
    }


def _points(curve: spread.Curve) -> list[list[float]]:
    return [[round(float(x), 5), round(float(y), 5)] for x, y in zip(curve.customers, curve.value, strict=True)]


def _boundaries(value: Floats, rules: TierRules) -> dict[str, float | None]:
    """Where the tiers begin, and ABC class B; null where nobody is."""
    found = {**vars(tiers.boundaries(value, rules)), "b": spread.smallest_set(value, ABC_B).edge}
    return {name: edge if np.isfinite(edge) else None for name, edge in found.items()}


def edges_of(boundaries: dict[str, float | None]) -> Boundaries:
    return Boundaries(**{name: _edge(boundaries[name]) for name in EDGES})


def _edge(boundary: float | None) -> float:
    return np.inf if boundary is None else boundary
