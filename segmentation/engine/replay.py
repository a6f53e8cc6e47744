"""What other rules would have decided, from the snapshots that full runs leave: before a draft is published, and over the past."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from segmentation.engine.extent import NO_DAY, day_number
from segmentation.engine.packing import Columns, unpack
from segmentation.engine.publishing import SNAPSHOT
from segmentation.engine.ranking import decided, lately_refused, next_state, tier_rules
from segmentation.maths import tiers
from segmentation.maths.arrays import Floats, Ints
from segmentation.models import RuleVersion, RunShard, Score, Tier, TierDecision, ValueRun

MOST_MOVES_SHOWN = 200


def preview(rules: RuleVersion) -> dict[str, Any]:
    """Who would be in another tier, once all have moved that the rules want to move: {"counts", "moves", "moved", "run"}.

    Values are those of the last run: a new horizon, discount rate or cost shows only in the run after publishing. Customers whom a
    person put into a tier stay there.
    """
    run = ValueRun.current()
    if run is None:
        return {"counts": {}, "moves": [], "moved": 0, "run": None}
    snapshot = snapshot_of(run)
    value = _value(snapshot, rules)
    by_value = tiers.boundaries(value, tier_rules(rules)).tiers(value)
    now = _present_tiers(snapshot["customer"])
    then = np.where(snapshot["override"] > 0, now, by_value)
    moved = np.flatnonzero((then != now) & (now > 0))
    moved = moved[np.argsort(-np.abs(value[moved]), kind="stable")]
    return {
        "counts": {str(tier.value): [int((now == tier).sum()), int((then == tier).sum())] for tier in Tier},
        "moves": [
            {"customer": int(snapshot["customer"][at]), "from": int(now[at]), "to": int(then[at])} for at in moved[:MOST_MOVES_SHOWN]
        ],
        "moved": len(moved),
        "run": run.pk,
    }


@dataclass(frozen=True)
class Replayed:
    """One run under the rules: the tier of each customer, beside the one that it really got."""

    run: ValueRun
    customer: Ints
    tier: Ints
    actual: Ints

    @property
    def matrix(self) -> dict[str, dict[str, int]]:
        """Customers by the tier that they got (outer) and the one that these rules would have given (inner)."""
        table: dict[str, dict[str, int]] = defaultdict(dict)
        pairs, counts = np.unique(self.actual * 10 + self.tier, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            table[str(pair // 10)][str(pair % 10)] = count
        return dict(table)


def replay(rules: RuleVersion) -> list[Replayed]:
    """All full runs of which a snapshot is kept, in order, decided on anew by these rules.

    Each run goes on from what the rules themselves had decided before. What people approved or refused then holds here too;
    runs of changed customers in between are left out.
    """
    state: Columns = {"customer": np.zeros(0, dtype=np.int64)}
    found: list[Replayed] = []
    for run in ValueRun.objects.published().full().filter(shards__isnull=False).distinct().order_by("pk"):
        snapshot = snapshot_of(run)
        columns = _with_state(snapshot, state) | {"value": _value(snapshot, rules)}
        if found:
            _apply_approvals(columns, found[-1].run)
        edges = tiers.boundaries(columns["value"], tier_rules(rules))
        today = day_number(run.as_of)
        outcome = decided(columns, tier_rules(rules), edges, today=today, refused=lately_refused(run))
        state = {"customer": snapshot["customer"], **next_state(columns, outcome, today=today)}
        found.append(Replayed(run, snapshot["customer"], outcome.tier.astype(np.int64), snapshot["new_tier"].astype(np.int64)))
    return found


def snapshot_of(run: ValueRun) -> Columns:
    """What is kept of a full run, of all customers in the order of their ids."""
    shards = RunShard.objects.filter(run=run, arrays__isnull=False).order_by("number").values_list("arrays", flat=True)
    parts = [unpack(arrays or b"", SNAPSHOT) for arrays in shards]
    return {name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, dtype=np.int64) for name in SNAPSHOT}


def _value(snapshot: Columns, rules: RuleVersion) -> Floats:
    return snapshot["clv" if rules.rank_by == RuleVersion.RankBy.CLV else "margin_12m"].astype(np.float64)


def _present_tiers(customers: Ints) -> Ints:
    """The tier of each customer as it stands, 0 for those who are customers no more."""
    rows = np.array(list(Score.objects.order_by("customer_id").values_list("customer_id", "tier")), dtype=np.int64).reshape(-1, 2)
    if not len(rows):
        return np.zeros(len(customers), dtype=np.int64)
    at = np.minimum(np.searchsorted(rows[:, 0], customers), len(rows) - 1)
    return np.where(rows[at, 0] == customers, rows[at, 1], 0)


STATE = {"tier": 0, "proposed_tier": 0, "proposed_since": NO_DAY, "was_confirming": 0, "was_overridden": 0}


def _with_state(snapshot: Columns, state: Columns) -> Columns:
    """The snapshot beside what the run before left of each of its customers; newcomers have nothing."""
    columns = dict(snapshot)
    known = np.isin(snapshot["customer"], state["customer"])
    at = np.searchsorted(state["customer"], snapshot["customer"][known])
    for name, nothing in STATE.items():
        columns[name] = np.full(len(known), nothing, dtype=np.int64)
        if name in state:
            columns[name][known] = state[name][at]
    return columns


def _apply_approvals(columns: Columns, before: ValueRun) -> None:
    """A downgrade that a person approved after the run before has happened, where these rules had proposed it too."""
    approved = dict(TierDecision.objects.filter(run=before, kind=TierDecision.Kind.APPROVED).values_list("customer_id", "tier"))
    for customer, tier in approved.items():
        at = int(np.searchsorted(columns["customer"], customer))
        if at < len(columns["customer"]) and columns["customer"][at] == customer and columns["proposed_tier"][at] == tier:
            columns["tier"][at], columns["proposed_tier"][at], columns["proposed_since"][at] = tier, 0, NO_DAY
