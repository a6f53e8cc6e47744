"""What runs and people decide together on a tier, and how the ledger tells it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from customers.jobs import Progress
from customers.models import Customer, Job
from segmentation import jobs
from segmentation.engine import replay
from segmentation.models import BackTest, RuleVersion, Scenario, Score, Tier, TierDecision, TierOverride, ValueRun
from tests.factories import make_order
from tests.people import World
from tests.segmentation.company import AS_OF, make_company, value


@pytest.fixture
def company(world: World) -> list[Customer]:
    made = make_company(world.north)
    value()
    return made


def days(count: int) -> timedelta:
    return timedelta(days=count)


def make_iron_rich(customer: Customer, *, on: timedelta = timedelta()) -> None:
    make_order(customer=customer, amount=2_000_000, cost=1_000, ordered_on=AS_OF + on - days(1))
    make_order(customer=customer, amount=2_000_000, cost=1_000, ordered_on=AS_OF + on)


def kinds_of(customer: Customer) -> list[str]:
    return list(TierDecision.objects.filter(customer=customer).order_by("pk").values_list("kind", flat=True))


def test_far_beyond_the_boundary_moves_at_once(company: list[Customer]) -> None:
    poor = Score.objects.filter(tier=Tier.IRON).order_by("clv").first()
    assert poor is not None
    make_iron_rich(poor.customer)
    value(AS_OF + days(1))
    assert Score.objects.get(pk=poor.pk).tier == Tier.PLATINUM
    assert kinds_of(poor.customer) == ["first", "moves"]


def test_a_downgrade_out_of_platinum_waits_for_a_person(company: list[Customer]) -> None:
    top = Score.objects.filter(tier=Tier.PLATINUM).first()
    assert top is not None
    top.customer.orders.all().update(status="cancelled")
    top.customer.contracts.all().delete()
    value(AS_OF + days(1))
    value(AS_OF + days(2))
    score = Score.objects.get(pk=top.pk)
    assert (score.tier, score.proposal) == (Tier.PLATINUM, Score.Proposal.APPROVAL)
    assert kinds_of(top.customer)[-1] == "approval"


def test_an_override_wins_until_it_ends(world: World, company: list[Customer]) -> None:
    poor = Score.objects.filter(tier=Tier.IRON).order_by("clv").first()
    assert poor is not None
    override = TierOverride.objects.create(
        customer=poor.customer, tier=Tier.PLATINUM, reason="Strategic", owner=world.mo, ends_on=AS_OF + days(5)
    )
    value(AS_OF + days(1))
    score = Score.objects.get(pk=poor.pk)
    assert (score.tier, score.is_overridden) == (Tier.PLATINUM, True)
    value(AS_OF + days(6))
    score = Score.objects.get(pk=poor.pk)
    assert (score.tier, score.is_overridden) == (Tier.IRON, False)
    assert override.ended_at is None
    assert kinds_of(poor.customer) == ["first", "overridden", "ended"]


def test_replaying_the_rules_in_force_gives_the_ledger_again(company: list[Customer]) -> None:
    for back, customer in enumerate(company[:3]):
        make_iron_rich(customer, on=days(back * 20))
    for ahead in (10, 20, 30, 34):
        value(AS_OF + days(ahead))
    replayed = replay.replay(RuleVersion.in_force())
    assert len(replayed) == 5
    assert all((one.tier == one.actual).all() for one in replayed)
    assert TierDecision.objects.filter(kind="moves").exists()


def test_a_preview_tells_who_would_move_and_moves_nobody(world: World, company: list[Customer]) -> None:
    before = list(Score.objects.order_by("pk").values_list("pk", "tier"))
    draft = RuleVersion.draft(by=world.ada)
    draft.change(by=world.ada, platinum_share="0.05", core_share="0.10")
    result = jobs.rules_preview(Progress(Job()), rules=draft.pk)
    assert result["moved"] > 0
    assert sum(now for now, _then in result["counts"].values()) == sum(then for _now, then in result["counts"].values()) == len(before)
    assert list(Score.objects.order_by("pk").values_list("pk", "tier")) == before


def test_a_point_of_retention_is_worth_something(world: World, company: list[Customer]) -> None:
    run = ValueRun.current()
    assert run is not None
    scenario = Scenario.objects.create(name="Keep them", run=run, by=world.xia, changes={"retention": {"2": 0.05}, "discount_rate": None})
    jobs.scenario(Progress(Job()), scenario=scenario.pk)
    scenario.refresh_from_db()
    result = scenario.result
    assert result["now"]["equity"] == pytest.approx(run.equity, rel=1e-6)
    assert result["then"]["equity"] > result["now"]["equity"]
    assert result["tiers"]["3"]["now"] == pytest.approx(result["tiers"]["3"]["then"])
    assert result["change"]["80"][0] <= result["change"]["equity"] <= result["change"]["80"][1]


def test_nothing_changed_changes_no_equity(world: World, company: list[Customer]) -> None:
    run = ValueRun.current()
    assert run is not None
    scenario = Scenario.objects.create(name="As is", run=run, by=world.xia, changes={})
    jobs.scenario(Progress(Job()), scenario=scenario.pk)
    scenario.refresh_from_db()
    assert scenario.result["change"]["equity"] == pytest.approx(0)


def test_each_run_looks_back_at_what_it_would_have_said(company: list[Customer]) -> None:
    tests = list(BackTest.objects.all())
    assert 1 <= len(tests) <= 3
    for test in tests:
        assert set(test.measures) == {"model", "last_year", "mean_retention", "past_margin"}
        assert test.actual > 0
        assert test.until <= AS_OF
        assert sum(group["customers"] for group in test.calibration) == test.customers


def test_where_a_baseline_is_closer_the_run_goes_by_it(company: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    from segmentation.engine import track_record

    monkeypatch.setattr(track_record, "_best", lambda measured: ("last_year", {}))
    run = value()
    assert run is not None
    assert {"code": "baseline", "use": "last_year"} in run.warnings
    assert Score.objects.filter(clv_orders__gt=0, orders__gt=0).exists()
    silent = Score.objects.filter(revenue_12m=0, clv_contracts=0)
    assert all(score.clv_orders == 0 for score in silent)


def test_a_year_later_the_run_tells_where_the_tiers_went(company: list[Customer]) -> None:
    first = ValueRun.current()
    run = value(AS_OF + days(365))
    assert first is not None
    assert run is not None
    found = run.fits["transitions"]
    assert (found["run"], found["since"]) == (first.pk, AS_OF.isoformat())
    assert sum(sum(row) for row in found["counts"]) == len(company)
    assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in found["probabilities"])
