from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.maths.arrays import Floats
from segmentation.maths.tiers import NO_DAY, Boundaries, Decision, Outcome, Tier, TierRules, boundaries, decide, tier_totals
from tests.segmentation.maths.strategies import whole_profits

RULES = TierRules()
EDGES = Boundaries(platinum=1000.0, gold=100.0, iron=10.0, core=100.0, below_platinum=1000.0, below_gold=100.0, iron_width=10.0)
TODAY = 100


@dataclass(frozen=True)
class State:
    """One customer before a decision."""

    value: float
    previous: int = Tier.NONE
    pending: int = Tier.NONE
    since: int = NO_DAY
    trust: float = 1.0
    override: int = Tier.NONE
    approved: bool = False


def decided(*states: State, today: int = TODAY, rules: TierRules = RULES) -> Outcome:
    return decide(
        np.array([state.value for state in states]),
        np.array([state.trust for state in states]),
        np.array([state.previous for state in states], np.int8),
        np.array([state.pending for state in states], np.int8),
        np.array([state.since for state in states], np.int32),
        today,
        rules,
        edges=EDGES,
        override_tier=np.array([state.override for state in states], np.int8),
        approved=np.array([state.approved for state in states]),
    )


def after(state: State, outcome: Outcome, value: float | None = None) -> State:
    """The same customer at the next decision."""
    held = int(outcome.pending_tier[0]), int(outcome.pending_since_day[0])
    return replace(state, value=state.value if value is None else value, previous=int(outcome.tier[0]), pending=held[0], since=held[1])


def summary(state: State, today: int = TODAY, rules: TierRules = RULES) -> tuple[int, int, int, int]:
    outcome = decided(state, today=today, rules=rules)
    return int(outcome.tier[0]), int(outcome.decision[0]), int(outcome.pending_tier[0]), int(outcome.pending_since_day[0])


def run(value: list[float], rules: TierRules = RULES) -> list[int]:
    return [int(tier) for tier in boundaries(np.array(value), rules).tiers(np.array(value))]


# Where the tiers begin


def test_a_company_of_the_textbook() -> None:
    value = [400.0, 150, 100, 80, 60, 50, 40, 30, 20, 10, 10, 10, 10, 5, 5, 5, 5, 5, 5, 0]
    assert run(value) == [1] + [2] * 5 + [3] * 13 + [4]
    edges = boundaries(np.array(value), RULES)
    assert (edges.platinum, edges.gold, edges.iron, edges.core) == (400, 50, 0, 50)


@pytest.mark.parametrize(
    ("value", "tiers"),
    [
        ([50.0], [1]),
        ([-50.0], [4]),
        ([0.0], [4]),
        ([60.0, 40.0], [1, 2]),
        ([50.0, 50.0], [2, 2]),  # nobody stands out
        ([90.0, 6.0, 4.0], [1, 3, 3]),  # the giant alone is the core
        ([50.0, 30.0, 20.0], [1, 2, 3]),
        ([-1.0, -2.0, 0.0], [4, 4, 4]),
        ([5.0, -100.0], [1, 4]),
        ([], []),
    ],
)
def test_companies_of_a_few_customers(value: list[float], tiers: list[int]) -> None:
    assert run(value) == tiers


def test_all_alike_are_core_and_none_is_platinum() -> None:
    assert run([7.0] * 40) == [2] * 40


def test_platinum_is_no_more_than_its_share_of_customers() -> None:
    value = [100.0, 99, 98, 97, 96, 95, 94, 93] + [1.0] * 32
    assert run(value)[:8] == [1, 1, 2, 2, 2, 2, 2, 3]
    assert run(value, replace(RULES, platinum_most_customers=0.1))[:8] == [1, 1, 1, 1, 2, 2, 2, 3]


def test_a_tie_at_the_cap_stays_out_of_platinum_whole() -> None:
    value = [100.0, 90, 90, 90, 80] + [1.0] * 35
    assert run(value)[:5] == [1, 2, 2, 2, 2]


def test_below_the_serving_cost_floor_is_lead_however_much_of_the_core_it_is() -> None:
    assert run([100.0, 40, 30, 4], replace(RULES, serving_cost_floor=35.0)) == [1, 2, 4, 4]
    assert run([30.0, 20.0], replace(RULES, serving_cost_floor=35.0)) == [4, 4]


@given(whole_profits)
def test_equal_values_are_in_one_tier_and_more_value_never_in_a_worse_one(value: Floats) -> None:
    tiers = boundaries(value, RULES).tiers(value)
    assert (np.diff(tiers[np.argsort(-value, kind="stable")]) >= 0).all()
    assert all(len(set(tiers[value == one].tolist())) == 1 for one in set(value.tolist()))
    assert ((tiers == Tier.LEAD) == (value <= 0)).all()


@given(whole_profits)
def test_core_reaches_its_share_and_is_the_smallest_such_set_but_for_ties(value: Floats) -> None:
    edges = boundaries(value, RULES)
    core = value >= edges.core
    total = value[value > 0].sum()
    assert (edges.tiers(value)[core] <= Tier.GOLD).all()
    if not total:
        assert not core.any()
        return
    assert value[core].sum() >= RULES.core_share * total - 1e-9
    assert value[value > edges.core].sum() < RULES.core_share * total
    assert (edges.tiers(value) == Tier.PLATINUM).sum() <= max(1, math.floor(0.05 * len(value)))


@given(whole_profits)
def test_tiers_add_up_to_the_company(value: Floats) -> None:
    customers, sums = tier_totals(boundaries(value, RULES).tiers(value), value)
    assert (customers.sum(), sums.sum()) == (len(value), value.sum())
    assert len(customers) == len(sums) == len(Tier)


# How customers move


def test_the_first_tier_is_that_of_the_value() -> None:
    for value, tier in ((2000.0, 1), (500.0, 2), (50.0, 3), (5.0, 4)):
        assert summary(State(value)) == (tier, Decision.FIRST, 0, NO_DAY)
    assert summary(State(5.0, trust=0.0)) == (Tier.LEAD, Decision.FIRST, 0, NO_DAY)


def test_a_value_within_the_tier_keeps_it_and_ends_what_was_pending() -> None:
    assert summary(State(500.0, previous=2, pending=1, since=90)) == (Tier.GOLD, Decision.KEEPS, 0, NO_DAY)


def test_a_value_just_beyond_waits_for_the_second_run() -> None:
    customer = State(1050.0, previous=2)
    first = decided(customer)
    assert summary(customer) == (Tier.GOLD, Decision.HOLDS_PENDING, Tier.PLATINUM, TODAY)
    assert summary(after(customer, first), today=TODAY) == (Tier.GOLD, Decision.HOLDS_PENDING, Tier.PLATINUM, TODAY)
    assert summary(after(customer, first), today=TODAY + 1) == (Tier.PLATINUM, Decision.MOVES, 0, NO_DAY)


def test_a_run_within_the_tier_in_between_starts_the_count_anew() -> None:
    customer = State(1050.0, previous=2)
    back = decided(after(customer, decided(customer), value=900.0), today=TODAY + 1)
    assert summary(after(customer, back, value=1050.0), today=TODAY + 2) == (Tier.GOLD, Decision.HOLDS_PENDING, Tier.PLATINUM, TODAY + 2)


def test_a_value_beyond_by_the_margin_moves_at_once() -> None:
    assert summary(State(1101.0, previous=2)) == (Tier.PLATINUM, Decision.MOVES, 0, NO_DAY)
    assert summary(State(89.0, previous=2)) == (Tier.IRON, Decision.MOVES, 0, NO_DAY)
    assert summary(State(91.0, previous=2)) == (Tier.GOLD, Decision.HOLDS_PENDING, Tier.IRON, TODAY)


def test_a_leap_goes_at_once_as_far_as_the_margin_reaches() -> None:
    assert summary(State(1050.0, previous=3)) == (Tier.GOLD, Decision.MOVES, Tier.PLATINUM, TODAY)
    assert summary(State(9.5, previous=2)) == (Tier.IRON, Decision.MOVES, Tier.LEAD, TODAY)


def test_two_runs_that_point_the_same_way_move_as_far_as_both() -> None:
    assert summary(State(95.0, previous=1, pending=4, since=90, approved=True)) == (Tier.IRON, Decision.MOVES, 0, NO_DAY)
    assert summary(State(1050.0, previous=3, pending=2, since=90)) == (Tier.GOLD, Decision.MOVES, Tier.PLATINUM, TODAY)


def test_what_pends_upwards_says_nothing_about_the_way_down() -> None:
    assert summary(State(95.0, previous=2, pending=1, since=90)) == (Tier.GOLD, Decision.HOLDS_PENDING, Tier.IRON, TODAY)


def test_leaving_platinum_needs_approval_however_far_the_value_fell() -> None:
    assert summary(State(500.0, previous=1)) == (Tier.PLATINUM, Decision.HELD_FOR_APPROVAL, Tier.GOLD, TODAY)
    assert summary(State(950.0, previous=1)) == (Tier.PLATINUM, Decision.HOLDS_PENDING, Tier.GOLD, TODAY)
    assert summary(State(950.0, previous=1, pending=2, since=90)) == (Tier.PLATINUM, Decision.HELD_FOR_APPROVAL, Tier.GOLD, 90)
    assert summary(State(950.0, previous=1, pending=2, since=90, approved=True)) == (Tier.GOLD, Decision.MOVES, 0, NO_DAY)
    free = replace(RULES, platinum_downgrade_needs_approval=False)
    assert summary(State(500.0, previous=1), rules=free) == (Tier.GOLD, Decision.MOVES, 0, NO_DAY)


def test_what_waits_for_approval_is_as_far_as_two_runs_agreed() -> None:
    assert summary(State(91.0, previous=1, pending=2, since=90)) == (Tier.PLATINUM, Decision.HELD_FOR_APPROVAL, Tier.GOLD, 90)


def test_low_trust_never_takes_a_customer_down_but_may_let_it_rise() -> None:
    assert summary(State(-5.0, previous=2, trust=0.4)) == (Tier.GOLD, Decision.HELD_LOW_TRUST, 0, NO_DAY)
    assert summary(State(-5.0, previous=2, trust=0.4, pending=4, since=90)) == (Tier.GOLD, Decision.HELD_LOW_TRUST, 0, NO_DAY)
    assert summary(State(-5.0, previous=1, trust=0.4, approved=True)) == (Tier.PLATINUM, Decision.HELD_LOW_TRUST, 0, NO_DAY)
    assert summary(State(5000.0, previous=2, trust=0.0)) == (Tier.PLATINUM, Decision.MOVES, 0, NO_DAY)
    assert summary(State(-5.0, previous=2, trust=0.5)) == (Tier.LEAD, Decision.MOVES, 0, NO_DAY)


def test_an_override_wins_over_everything_and_then_the_value_counts_again() -> None:
    customer = State(-5.0, previous=2, trust=0.1, pending=4, since=90, override=1)
    assert summary(customer) == (Tier.PLATINUM, Decision.OVERRIDDEN, 0, NO_DAY)
    ended = replace(after(customer, decided(customer)), override=0, trust=1.0)
    assert summary(ended, today=TODAY + 1) == (Tier.PLATINUM, Decision.HELD_FOR_APPROVAL, Tier.LEAD, TODAY + 1)


def test_with_one_run_asked_for_every_move_is_at_once() -> None:
    at_once = replace(RULES, consecutive_runs=1)
    assert summary(State(1001.0, previous=2), rules=at_once) == (Tier.PLATINUM, Decision.MOVES, 0, NO_DAY)


def test_around_zero_the_margin_is_a_share_of_the_median_customer() -> None:
    value = np.array([100.0, 50, 40, 30, -1, -5, 1, 6])
    before = np.array([1, 2, 2, 3, 3, 3, 4, 4], np.int8)
    none = np.zeros(8, np.int8)
    outcome = decide(value, np.ones(8), before, none, np.full(8, NO_DAY, np.int32), TODAY, RULES)
    assert boundaries(value, RULES).iron_width == 35.0
    assert outcome.decision[4:].tolist() == [Decision.HOLDS_PENDING, Decision.MOVES, Decision.HOLDS_PENDING, Decision.MOVES]


def test_distances_are_to_the_next_tier_and_to_the_own_boundary() -> None:
    outcome = decided(State(1500.0, previous=1), State(400.0, previous=2), State(60.0, previous=3), State(4.0, previous=4))
    np.testing.assert_array_equal(outcome.up, [math.nan, 600, 40, 6])
    np.testing.assert_allclose(outcome.up_share, [math.nan, 0.6, 0.4, 0.6])
    np.testing.assert_array_equal(outcome.down, [500, 300, 50, math.nan])


def test_a_distance_turns_negative_where_only_the_rules_hold_the_customer() -> None:
    outcome = decided(State(1050.0, previous=2), State(95.0, previous=2))
    assert outcome.up.tolist() == [-50.0, 905.0]
    assert outcome.down.tolist() == [950.0, -5.0]


def test_there_is_no_distance_to_a_tier_that_nobody_can_be_in() -> None:
    value = np.array([50.0, 50.0])
    none = np.zeros(2, np.int8)
    outcome = decide(value, np.ones(2), none, none, np.full(2, NO_DAY, np.int32), TODAY, RULES)
    assert outcome.tier.tolist() == [2, 2]
    assert np.isnan(outcome.up).all()
    assert np.isnan(outcome.up_share).all()


states = st.builds(
    State,
    value=st.sampled_from([-50.0, 0.0, 5.0, 9.5, 10.0, 10.5, 50.0, 85.0, 95.0, 100.0, 105.0, 500.0, 950.0, 1000.0, 1050.0, 2000.0]),
    previous=st.integers(0, 4),
    pending=st.integers(0, 4),
    since=st.integers(TODAY - 3, TODAY),
    trust=st.sampled_from([0.0, 0.49, 0.5, 1.0]),
    override=st.sampled_from([0, 0, 0, 1, 4]),
    approved=st.booleans(),
)
all_rules = st.builds(
    TierRules,
    consecutive_runs=st.sampled_from([1, 2]),
    margin=st.sampled_from([0.0, 0.1, 0.5]),
    platinum_downgrade_needs_approval=st.booleans(),
)


@given(states, all_rules)
def test_deciding_again_on_the_same_day_changes_nothing(state: State, rules: TierRules) -> None:
    first = decided(state, rules=rules)
    again = decided(after(state, first), rules=rules)
    for name in ("tier", "pending_tier", "pending_since_day", "up", "up_share", "down"):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name), err_msg=name)


@given(states, all_rules)
def test_every_decision_is_consistent_in_itself(state: State, rules: TierRules) -> None:
    outcome = decided(state, rules=rules)
    tier, kind, pending, since = (
        int(part[0]) for part in (outcome.tier, outcome.decision, outcome.pending_tier, outcome.pending_since_day)
    )
    assert 1 <= tier <= 4
    assert (pending == 0) == (since == NO_DAY)
    assert pending != tier
    if kind == Decision.MOVES:
        assert min(state.previous, outcome.by_value[0]) <= tier <= max(state.previous, outcome.by_value[0])
        assert tier != state.previous
    elif kind in (Decision.KEEPS, Decision.HOLDS_PENDING, Decision.HELD_FOR_APPROVAL, Decision.HELD_LOW_TRUST):
        assert tier == state.previous
    if kind in (Decision.HOLDS_PENDING, Decision.HELD_FOR_APPROVAL):
        assert pending


@given(st.lists(states, min_size=1, max_size=8), all_rules)
def test_customers_are_decided_each_for_itself(several: list[State], rules: TierRules) -> None:
    together = decided(*several, rules=rules)
    for place, state in enumerate(several):
        alone = decided(state, rules=rules)
        for name in ("tier", "decision", "pending_tier", "pending_since_day", "up", "down"):
            np.testing.assert_array_equal(getattr(together, name)[place], getattr(alone, name)[0])


@given(states)
def test_a_value_that_stays_settles_within_two_further_days(state: State) -> None:
    """Nothing pends for ever but what waits for a person or for better data."""
    state = replace(state, override=0, approved=True, trust=1.0)
    for day in range(TODAY, TODAY + 3):
        outcome = decided(state, today=day)
        state = after(state, outcome)
    assert outcome.tier[0] == outcome.by_value[0]
    assert outcome.pending_tier[0] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"platinum_share": 0.9},
        {"core_share": 1.2},
        {"platinum_most_customers": 0.0},
        {"consecutive_runs": 3},
        {"margin": 1.0},
        {"least_trust_for_downgrade": 2.0},
        {"serving_cost_floor": -1.0},
        {"serving_cost_floor": math.inf},
    ],
)
def test_rules_that_contradict_themselves_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        TierRules(**wrong)  # type: ignore[arg-type]  # one of the floats is a count


def test_values_that_are_not_finite_have_no_boundaries() -> None:
    with pytest.raises(ValueError, match="finite"):
        boundaries(np.array([1.0, math.nan]), RULES)


def test_who_alone_makes_a_tier_is_beyond_its_boundary_if_far_above_the_next() -> None:
    value, rules = np.array([5000.0, 100.0, 90.0, 10.0]), RULES
    found = decide(value, np.ones(4), np.array([3, 3, 3, 3], np.int8), np.zeros(4, np.int8), np.full(4, NO_DAY, np.int32), TODAY, rules)
    assert boundaries(value, rules).platinum == 5000.0
    assert (found.tier[0], found.decision[0]) == (Tier.PLATINUM, Decision.MOVES)
