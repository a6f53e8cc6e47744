"""Value tiers: who is Platinum, Gold, Iron or Lead, and how a customer moves from one to another without flapping.

The default rules. Customers are ranked by value. Core is the smallest set that reaches 80 % of the positive value. Platinum is the
top of the core: the smallest set that reaches 50 %, at most 5 % of the customers. Gold is the rest of the core, Iron the rest
with positive value, Lead what is at or below zero or below the serving cost floor. Equal values always fall on one side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Flags, Floats, Ints, tally
from segmentation.maths.concentration import smallest_set

Codes: TypeAlias = NDArray[np.int8]
Days: TypeAlias = NDArray[np.int32]

NO_DAY = np.iinfo(np.int32).min


class Tier(IntEnum):
    """A smaller number is a better tier."""

    NONE = 0
    PLATINUM = 1
    GOLD = 2
    IRON = 3
    LEAD = 4


class Decision(IntEnum):
    FIRST = 1  # there was no tier before
    KEEPS = 2
    MOVES = 3
    HOLDS_PENDING = 4  # beyond the boundary for the first time, and not by the margin
    HELD_FOR_APPROVAL = 5  # would leave Platinum
    HELD_LOW_TRUST = 6  # would go down on data that cannot be trusted
    OVERRIDDEN = 7


@dataclass(frozen=True)
class TierRules:
    core_share: float = 0.80  # of the positive value
    platinum_share: float = 0.50  # of the positive value
    platinum_most_customers: float = 0.05  # of the customers; at least one
    serving_cost_floor: float = 0.0  # in the unit of value: who brings less is Lead
    consecutive_runs: int = 2  # that must agree before a move; 1 moves at once. The state between runs is one day, so no more than 2
    margin: float = 0.10  # of the boundary: who is so far beyond it moves at once
    platinum_downgrade_needs_approval: bool = True
    least_trust_for_downgrade: float = 0.50

    def __post_init__(self) -> None:
        if not 0 < self.platinum_share <= self.core_share <= 1:
            raise ValueError("shares must rise: 0 < Platinum's share <= the core's share <= 1")
        if not 0 < self.platinum_most_customers <= 1:
            raise ValueError("the most customers in Platinum is a share above 0 and at most 1")
        if self.consecutive_runs not in (1, 2):
            raise ValueError("a move needs 1 or 2 consecutive runs")
        if not 0 <= self.margin < 1:
            raise ValueError("the margin is a share from 0 to below 1")
        if not 0 <= self.least_trust_for_downgrade <= 1:
            raise ValueError("trust is a share from 0 to 1")
        if not (math.isfinite(self.serving_cost_floor) and self.serving_cost_floor >= 0):
            raise ValueError("the serving cost floor is a number from 0 up")


@dataclass(frozen=True)
class Boundaries:
    """The least value of each tier; inf where nobody can be in it. Lead is what lies below `iron`, or at 0."""

    platinum: float
    gold: float
    iron: float
    core: float  # least value of a core customer, before the floor
    below_platinum: float  # the greatest value under each of the two; 0 where there is none above 0
    below_gold: float
    iron_width: float  # what the margin at Iron's boundary is a share of: the floor, or the median positive value where the floor is 0

    def tiers(self, value: Floats) -> Codes:
        """The tier by value alone, without history."""
        return self._tiers(value, self.platinum, self.gold, self.iron)

    def tiers_if_harder(self, value: Floats, margin: float) -> Codes:
        """The tier with every boundary harder to pass by the margin (easier, where it is negative).

        Upwards the margin is one over the best of those left behind: whoever leads a tier is its boundary, and cannot be
        beyond its own value. Downwards it is one under the last of those who are in.
        """
        iron = self.iron + margin * self.iron_width
        if margin < 0:
            return self._tiers(value, self.platinum * (1 + margin), self.gold * (1 + margin), iron, above_zero=False)
        platinum, gold = max(self.platinum, self.below_platinum * (1 + margin)), max(self.gold, self.below_gold * (1 + margin))
        return self._tiers(value, platinum, gold, iron)

    def below(self, tier: Codes) -> Floats:
        """The least value of each given tier; NaN for Lead and no tier, which have none."""
        return np.array([math.nan, self.platinum, self.gold, self.iron, math.nan])[tier]

    def _tiers(self, value: Floats, platinum: float, gold: float, iron: float, *, above_zero: bool = True) -> Codes:
        tiers = np.full(len(value), Tier.LEAD, np.int8)
        tiers[(value >= iron) & ((value > 0) if above_zero else True)] = Tier.IRON
        tiers[value >= max(gold, iron)] = Tier.GOLD
        tiers[value >= max(platinum, gold, iron)] = Tier.PLATINUM
        return tiers


@dataclass(frozen=True)
class Outcome:
    """One decision per customer; every array has shape (n,).

    `pending_tier` and `pending_since_day` (0 and NO_DAY without one) go into the next decision, with `tier` as the previous one.
    `up` is the value that is missing to the next better tier, `up_share` the same as a share of that boundary, `down` the value
    above the own lower boundary. They turn negative where the value is already beyond and only the rules hold the customer; NaN
    where there is no such tier, or nobody could be in it.
    """

    tier: Codes
    decision: Codes
    by_value: Codes  # the tier by value alone
    pending_tier: Codes
    pending_since_day: Days
    up: Floats
    up_share: Floats
    down: Floats


def boundaries(value: Floats, rules: TierRules) -> Boundaries:
    """Where the tiers of this company begin. ValueError for values that are not finite.

    A tie at the core's edge is in the core; a tie at Platinum's edge is in Platinum only where all of it fits under the cap, so
    that where all customers are equal nobody is Platinum.
    """
    core = smallest_set(value, rules.core_share).edge
    positive = value[value > 0]
    floor = rules.serving_cost_floor
    width = floor or (float(np.median(positive)) if len(positive) else 0.0)
    platinum = _platinum_edge(value, rules)
    platinum, gold = max(platinum, floor), max(core, floor)
    below_platinum, below_gold = (float(value[value < edge].max(initial=0.0)) for edge in (platinum, gold))
    return Boundaries(platinum, gold, floor, core, below_platinum, below_gold, width)


def decide(
    value: Floats,
    trust: Floats,
    previous_tier: Codes,
    pending_tier: Codes,
    pending_since_day: Days,
    today_day: int,
    rules: TierRules,
    *,
    edges: Boundaries | None = None,
    override_tier: Codes | None = None,
    approved: Flags | None = None,
) -> Outcome:
    """The tier of each customer today. Shapes (n,); `trust` from 0 to 1; a tier of 0 means none.

    `edges` are those of the whole company where only some of its customers are given. A move needs two runs of different days
    in a row that agree, or a value beyond the boundary by the margin, at once; it goes as far as both runs, or the margin, reach.
    Deciding again on the same day, with the outcome as the previous state, changes nothing. `approved` lets those leave Platinum.
    An override wins as long as it is given, and ends what was pending.
    """
    edges = edges or boundaries(value, rules)
    by_value = edges.tiers(value)
    reached = _reached(value, by_value, previous_tier, pending_tier, pending_since_day < today_day, edges, rules)
    low_trust = (by_value > previous_tier) & (previous_tier > 0) & (trust < rules.least_trust_for_downgrade)
    held = (previous_tier == Tier.PLATINUM) & (reached > previous_tier) & ~low_trust & rules.platinum_downgrade_needs_approval
    if approved is not None:
        held &= ~approved
    tier = np.where(low_trust | held, previous_tier, reached)
    decision = _kinds(by_value, previous_tier, tier, low_trust, held)
    wanted = np.where(held, reached, by_value)
    is_pending = (wanted != tier) & ~low_trust
    if override_tier is not None:
        tier = np.where(override_tier > 0, override_tier, tier)
        decision = np.where(override_tier > 0, Decision.OVERRIDDEN, decision)
        is_pending &= override_tier == 0
    goes_on = (pending_tier > 0) & (_side(pending_tier, tier) == _side(wanted, tier)) & (tier == previous_tier)
    since = np.where(goes_on, pending_since_day, today_day)
    return Outcome(
        tier.astype(np.int8),
        decision.astype(np.int8),
        by_value,
        np.where(is_pending, wanted, 0).astype(np.int8),
        np.where(is_pending, since, NO_DAY).astype(np.int32),
        *_distances(value, tier, edges),
    )


def tier_totals(tier: Codes, value: Floats) -> tuple[Ints, Floats]:
    """Customers and value per tier, each of shape (5,), indexed by Tier; the sums add up to the total."""
    customers: Ints = np.bincount(tier, minlength=len(Tier))
    return customers, tally(tier.astype(np.int64), value, len(Tier))


def _platinum_edge(value: Floats, rules: TierRules) -> float:
    edge = smallest_set(value, rules.platinum_share).edge
    most = max(1, math.floor(rules.platinum_most_customers * len(value) + 1e-9))
    above = np.sort(value[value >= edge])[::-1]
    if len(above) <= most:
        return edge
    fitting = above[:most][above[:most] > above[most]]  # those at the cap itself, and their equals beyond it, stay out
    return float(fitting[-1]) if len(fitting) else math.inf


def _reached(
    value: Floats, by_value: Codes, previous: Codes, pending: Codes, is_older: Flags, edges: Boundaries, rules: TierRules
) -> Codes:
    """How far the customer may move today: as far as two runs agree, or as the value is beyond by the margin."""
    if rules.consecutive_runs == 1:
        return by_value
    confirmed = is_older & (pending > 0)
    up = np.minimum(previous, edges.tiers_if_harder(value, rules.margin))
    up = np.where(confirmed & (pending < previous), np.minimum(up, np.maximum(pending, by_value)), up)
    down = np.maximum(previous, edges.tiers_if_harder(value, -rules.margin))
    down = np.where(confirmed & (pending > previous), np.maximum(down, np.minimum(pending, by_value)), down)
    reached = np.where(by_value < previous, up, np.where(by_value > previous, down, previous))
    return np.where(previous == 0, by_value, reached).astype(np.int8)


def _kinds(by_value: Codes, previous: Codes, tier: Codes, low_trust: Flags, held: Flags) -> Codes:
    """The kind of each decision; the first that fits."""
    cases = [
        (previous == 0, Decision.FIRST),
        (low_trust, Decision.HELD_LOW_TRUST),
        (held, Decision.HELD_FOR_APPROVAL),
        (by_value == previous, Decision.KEEPS),
        (tier != previous, Decision.MOVES),
    ]
    return np.select([case for case, _ in cases], [kind for _, kind in cases], Decision.HOLDS_PENDING).astype(np.int8)


def _side(tier: Codes, of: Codes) -> Codes:
    """−1 where the tier is better, 1 where it is worse, 0 where it is the same."""
    return np.sign(tier.astype(np.int8) - of.astype(np.int8)).astype(np.int8)


def _distances(value: Floats, tier: Codes, edges: Boundaries) -> tuple[Floats, Floats, Floats]:
    above = edges.below(np.maximum(tier - 1, 0).astype(np.int8))
    above = np.where(np.isfinite(above), above, math.nan)
    own = edges.below(tier)
    own = np.where(np.isfinite(own), own, math.nan)
    up = above - value
    return up, np.divide(up, above, out=np.full(len(value), math.nan), where=above > 0), value - own
