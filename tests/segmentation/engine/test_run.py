"""A valuation as a whole: what it writes, and that it writes all of it or nothing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F

from customers.jobs import Cancelled, Progress
from customers.models import Customer, Job
from segmentation import monthly
from segmentation.engine import publishing, runs
from segmentation.models import ContractOutlook, MonthlyValue, RuleVersion, RunShard, Score, Stale, TierDecision, ValueRun
from tests.factories import make_contact_point, make_customer, make_order, make_product
from tests.people import World
from tests.segmentation.company import AS_OF, begun_run, make_company, value

AS_OF_NOON = datetime.combine(AS_OF, time(12), tzinfo=UTC)
CENT = Decimal("0.05")  # four rounded parts


@pytest.fixture
def company(world: World) -> list[Customer]:
    return make_company(world.north)


def complete(run: ValueRun) -> None:
    assert run.job is not None
    runs.complete(run, Progress(run.job))


def scores() -> list[dict[str, Any]]:
    return [
        dict(row) for row in Score.objects.order_by("customer_id").values("customer_id", "tier", "clv", "value", "churn_risk", "drivers")
    ]


def test_every_customer_gets_a_score_and_a_first_decision(company: list[Customer]) -> None:
    run = value()
    assert run is not None
    assert Score.objects.count() == len(company) == run.customers == TierDecision.objects.filter(kind="first").count()
    assert run.equity == pytest.approx(float(sum(score.clv for score in Score.objects.all())), abs=0.01)
    assert sum(figures["customers"] for figures in run.tiers.values()) == len(company)


def test_the_value_is_the_sum_of_its_parts(company: list[Customer]) -> None:
    value()
    for score in Score.objects.all():
        whole = score.clv_orders + score.clv_contracts + score.clv_referrals - score.clv_retention_cost
        assert abs(whole - score.clv) <= CENT
        assert score.clv_low_95 <= score.clv_low_80 <= score.clv <= score.clv_high_80 <= score.clv_high_95 + CENT


def test_contracts_and_orders_are_each_counted_once(world: World, company: list[Customer]) -> None:
    value()
    with_contract = set(ContractOutlook.objects.values_list("customer_id", flat=True))
    assert with_contract == set(Score.objects.filter(clv_contracts__gt=0).values_list("customer_id", flat=True))
    assert Score.objects.filter(clv_orders__gt=0).exclude(customer__in=with_contract).exists()


def test_the_monthly_values_are_those_of_the_facts(company: list[Customer]) -> None:
    value()
    assert MonthlyValue.objects.exists()
    assert monthly.check(as_of=AS_OF, rules=RuleVersion.in_force()).differences == 0


def test_running_twice_on_one_day_changes_nothing(company: list[Customer]) -> None:
    value()
    before, ledger = scores(), TierDecision.objects.count()
    value()
    assert scores() == before
    assert TierDecision.objects.count() == ledger


def test_shards_change_no_figure(company: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    value()
    whole = {row["customer_id"]: (row["tier"], row["clv"]) for row in scores()}
    monkeypatch.setattr(runs, "SHARD_SIZE", 7)
    run = value()
    assert {row["customer_id"]: (row["tier"], row["clv"]) for row in scores()} == whole
    assert RunShard.objects.filter(run=run).count() == 9


def test_another_worker_can_do_all_the_shards(company: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SHARD_SIZE", 20)
    run = begun_run()
    runs.help_with(run.pk)
    assert set(RunShard.objects.filter(run=run).values_list("done", flat=True)) == {ValueRun.Stage.AGGREGATE}
    complete(run)
    assert Score.objects.count() == len(company)


def test_a_run_that_dies_while_publishing_leaves_the_old_result_whole(company: list[Customer], monkeypatch: pytest.MonkeyPatch) -> None:
    value()
    before = scores()
    make_order(customer=company[0], amount=90_000, cost=100, ordered_on=AS_OF)

    def die(run: ValueRun) -> None:
        raise KeyboardInterrupt  # as a killed worker: nothing of ours may catch it

    run = begun_run()
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_keep_snapshots", die)
        with pytest.raises(KeyboardInterrupt):
            complete(run)
    assert scores() == before
    run = ValueRun.objects.get(pk=run.pk)
    assert run.state == ValueRun.State.RUNNING
    complete(run)  # the worker that takes the job over
    assert Score.objects.get(customer=company[0]).revenue_12m >= 90_000


def test_a_cancelled_run_frees_its_notes_and_leaves_the_scores(company: list[Customer]) -> None:
    value()
    before = scores()
    make_order(customer=company[0], amount=90_000, ordered_on=AS_OF)
    run = begun_run()
    assert run.job is not None
    run.job.request_cancel()
    with pytest.raises(Cancelled):
        complete(run)
    run.refresh_from_db()
    assert run.state == ValueRun.State.CANCELLED
    assert scores() == before
    assert Stale.objects.filter(customer_id=company[0].pk, run_id=None).exists()
    assert not RunShard.objects.filter(run=run).exists()


def test_one_valuation_runs_at_a_time(company: list[Customer]) -> None:
    begun_run()
    with pytest.raises(runs.UnderWay):
        begun_run()


def test_a_run_whose_job_was_given_up_makes_room_for_the_next(company: list[Customer]) -> None:
    dead = begun_run()
    assert dead.job is not None
    dead.job.finish(Job.State.FAILED, error="gone")
    assert value() is not None
    dead.refresh_from_db()
    assert dead.state == ValueRun.State.FAILED


def test_only_changed_customers_are_valued_again(company: list[Customer]) -> None:
    full = value()
    before = {row["customer_id"]: row for row in scores()}
    make_order(customer=company[5], amount=50_000, cost=100, ordered_on=AS_OF)
    run = value(extent=ValueRun.Kind.CHANGED)
    assert run is not None
    assert (run.customers, run.fits) == (len(company), full.fits if full else None)
    after = {row["customer_id"]: row for row in scores()}
    assert {pk for pk in after if after[pk] != before[pk]} == {company[5].pk}
    assert Score.objects.get(customer=company[5]).run == run
    assert not Stale.objects.exists()
    assert run.equity == pytest.approx(float(sum(row["clv"] for row in after.values())), abs=0.01)


def test_nothing_changed_means_no_run(company: list[Customer]) -> None:
    value()
    assert value(extent=ValueRun.Kind.CHANGED) is None
    assert ValueRun.objects.count() == 1


def test_before_the_first_full_run_changes_lead_to_one(company: list[Customer]) -> None:
    run = value(extent=ValueRun.Kind.CHANGED)
    assert run is not None
    assert run.kind == ValueRun.Kind.FULL


def test_a_deleted_customer_loses_its_score(world: World, company: list[Customer]) -> None:
    value()
    Customer.objects.get(pk=company[3].pk).discard(by=world.ada)
    value(extent=ValueRun.Kind.CHANGED)
    assert not Score.objects.filter(customer=company[3].pk).exists()
    assert Score.objects.count() == len(company) - 1


def test_prospects_have_no_value_yet(world: World, company: list[Customer]) -> None:
    prospect = make_customer(team=world.north, kind=Customer.Kind.PROSPECT)
    value()
    assert not Score.objects.filter(customer=prospect).exists()


def test_who_refers_a_customer_has_a_part_of_its_value(company: list[Customer]) -> None:
    value()
    richest = Score.objects.order_by("-clv")[0]
    other = next(customer for customer in company if customer.pk != richest.customer_id)
    Customer.objects.filter(pk=richest.customer_id).update(referred_by=other)
    value()
    score = Score.objects.get(customer=other)
    own = richest.clv_orders + richest.clv_contracts - richest.clv_retention_cost
    assert float(score.clv_referrals) == pytest.approx(float(own) * 0.1, rel=1e-3)


def test_a_new_customer_is_worth_what_others_began_with_and_nobody_knows_how_much(world: World, company: list[Customer]) -> None:
    new = make_customer(team=world.north, acquired_on=AS_OF - timedelta(days=10))
    old = make_customer(team=world.north, acquired_on=AS_OF - timedelta(days=900))
    value()
    score = Score.objects.get(customer=new)
    assert score.clv_low_95 < score.clv / 4
    assert score.clv < score.clv_high_80
    assert Score.objects.get(customer=old).clv == 0


def test_facts_after_the_day_do_not_count(company: list[Customer]) -> None:
    value()
    before = scores()
    make_order(customer=company[0], amount=90_000, ordered_on=AS_OF + timedelta(days=1))
    value()
    assert scores() == before


def test_a_company_without_customers_is_valued_at_nothing(world: World) -> None:
    run = value()
    assert run is not None
    assert (run.state, run.customers, run.equity) == (ValueRun.State.PUBLISHED, 0, 0)


@pytest.mark.parametrize("orders", [0, 1, 2])
def test_one_customer_is_enough(world: World, orders: int) -> None:
    customer = make_customer(team=world.north)
    for back in range(orders):
        make_order(customer=customer, ordered_on=AS_OF - timedelta(days=30 * back))
    run = value()
    assert run is not None
    assert Score.objects.get().customer == customer
    assert orders == 2 or run.warnings or run.fits["orders"]["chosen"] is None


def test_scores_name_the_weightiest_reason_first(company: list[Customer]) -> None:
    value()
    for score in Score.objects.filter(clv_contracts__gt=F("clv_orders") + 1):
        assert score.drivers[0]["code"] in ("contracts", "retention_cost")


def test_new_rules_make_everybody_valued_anew(world: World, company: list[Customer]) -> None:
    value()
    costs = sum(row.contact_cost for row in MonthlyValue.objects.all())
    make_contact_point(customer=company[0], at=AS_OF_NOON, minutes=10)
    value(extent=ValueRun.Kind.CHANGED)
    draft = RuleVersion.draft(by=world.ada)
    draft.change(by=world.ada, minute_rates={**draft.minute_rates, "phone": "5.00"})
    draft.publish(by=world.ada)
    make_order(customer=company[1], ordered_on=AS_OF)
    run = value(extent=ValueRun.Kind.CHANGED)
    assert run is not None
    assert (run.kind, run.rules) == (ValueRun.Kind.FULL, draft)
    assert sum(row.contact_cost for row in MonthlyValue.objects.all()) == costs + 50
    assert monthly.check(as_of=AS_OF, rules=draft).differences == 0


def test_time_alone_brings_contracts_their_money(company: list[Customer]) -> None:
    value()
    make_order(customer=company[1], ordered_on=AS_OF)
    value(AS_OF + timedelta(days=20), extent=ValueRun.Kind.CHANGED)
    value(AS_OF + timedelta(days=25))
    assert monthly.check(as_of=AS_OF + timedelta(days=25), rules=RuleVersion.in_force()).differences == 0


def test_what_others_of_the_industry_buy_is_a_potential(world: World, company: list[Customer]) -> None:
    product = make_product(category="storage")
    same = [customer for customer in company if customer.industry == "retail"]
    for customer in same[1:]:
        order = make_order(customer=customer, ordered_on=AS_OF - timedelta(days=40))
        order.lines.update(product=product)
    value()
    assert Score.objects.get(customer=same[0]).growth_potential > 0
    assert Score.objects.get(customer=same[1]).growth_potential == 0


def test_customers_to_come_are_valued_apart(world: World, company: list[Customer]) -> None:
    value()
    new = make_customer(team=world.north)
    for back in (90, 60, 30):
        make_order(customer=new, amount=5_000, cost=1_000, ordered_on=AS_OF - timedelta(days=back))
    run = value()
    assert run is not None
    assert run.equity == pytest.approx(float(sum(score.clv for score in Score.objects.all())), abs=0.01)
    assert run.future_equity is not None
    assert run.future_equity > 0
