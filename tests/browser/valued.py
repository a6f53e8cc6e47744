"""The furniture of the value pages: a company with some months of runs, as the engine leaves them."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from customers.models import Contract, Customer, Job
from segmentation.models import ContractOutlook, MonthlyValue, RuleVersion, Scenario, TierDecision, TierOverride, ValueRun
from tests.factories import make_back_test, make_customer, make_decision, make_run, make_score
from tests.people import World

LONG_REASON = "Their tender for the whole province is decided in spring, and whoever serves them well until then is in it."


def value_company(world: World, customer: Customer, contract: Contract) -> tuple[ValueRun, TierDecision, Scenario]:
    run = _runs()
    _main_customer(world, customer, contract, run)
    for number in range(24):
        tier = (1, 2, 2, 3, 3, 3, 3, 4)[number % 8]
        one = make_customer(f"Customer of the pyramid {number}", team=world.north, industry=("retail", "banking", "")[number % 3])
        clv = Decimal(240_000) / (number + 1) if tier < 4 else Decimal(-1_200)
        make_score(customer=one, run=run, tier=tier, clv=clv, is_core=tier < 3, move_probability=0.05 * number, churn_risk=number / 30)
        make_decision(customer=one, run=run, tier=tier, kind="moves", from_tier=tier % 4 + 1, value=clv, as_of=date(2026, 9, 1))
    decision = make_decision(
        customer=customer, run=run, kind="moves", from_tier=3,
        drivers=[{"code": "contracts", "amount": 30_000.0, "count": 1}, {"code": "trend", "change": -0.2}],
    )  # fmt: skip
    for year in range(2021, 2026):
        make_back_test(run=run, cut_off=date(year, 3, 31), until=date(year + 1, 3, 31), actual=80_000.0 + 5_000 * (year - 2021))
    draft = RuleVersion.draft(by=world.ada)
    draft.change(by=world.ada, horizon_months=48, note="Look further ahead")
    Job.objects.create(
        kind="rules-preview", title="Preview", requested_by=world.ada, arguments={"rules": draft.pk}, state=Job.State.DONE,
        result={"counts": {"1": [3, 2], "2": [6, 7]}, "moves": [{"customer": customer.pk, "from": 1, "to": 2}], "moved": 1},
    )  # fmt: skip
    result = {
        "now": {"equity": 1_150_000.0, "80": [900_000.0, 1_400_000.0], "95": [700_000.0, 1_700_000.0]},
        "then": {"equity": 1_210_000.0, "80": [950_000.0, 1_480_000.0], "95": [750_000.0, 1_790_000.0]},
        "tiers": {"1": {"now": 600_000.0, "then": 640_000.0}, "2": {"now": 550_000.0, "then": 570_000.0}},
    }
    changes = {"retention": {"1": 0.02, "2": 0.05}, "margin": 0.0, "serving_cost": -0.1, "discount_rate": 0.12}
    scenario = Scenario.objects.create(name="Keep two points more", run=run, by=world.xia, changes=changes, result=result)
    return run, decision, scenario


def _runs() -> ValueRun:
    """A run a month for a year; the last one, which is returned, with all its figures."""
    for month in range(1, 11):
        equity = 900_000.0 + 25_000 * month
        make_run(as_of=date(2026, month, 1), equity=equity, equity_interval={"80": [equity * 0.8, equity * 1.25], "method": "laplace"})
    shares = [index / 40 for index in range(41)]
    models = {
        "mbgnbd": {"params": {"r": 0.5249, "alpha": 6.1833, "a": 0.8914, "b": 1.6136}, "se": {"r": 0.0317, "alpha": 0.5442, "a": None},
                   "log_likelihood": -9582.43, "aic": 19172.86, "converged": True, "status": "converged", "notes": []},
        "pareto_nbd": {"params": {"r": 0.5533}, "se": {"r": 0.0476}, "log_likelihood": -9594.98, "aic": 19197.9, "converged": False,
                       "status": "not_converged", "notes": ["nobody ordered twice, so how often customers order is unknown"]},
    }  # fmt: skip
    return make_run(
        as_of=date(2026, 11, 1),
        customers=25,
        equity=1_150_000.0,
        equity_interval={"80": [900_000.0, 1_400_000.0], "95": [700_000.0, 1_700_000.0], "method": "bootstrap"},
        is_indicative=True,
        warnings=[{"code": "losses", "customers": 12}],
        concentration={
            "lorenz": [[share, share**3] for share in shares],
            "whale": [[share, 1.3 * math.sin(2.3 * share) / math.sin(2.3) / 1.3] for share in shares],
            "gini": 0.5, "top_20_share": 0.49, "share_for_80": 0.42, "hhi": 0.0312, "top_1_share": 0.11, "whale_peak": 1.34,
        },
        fits={
            "orders": {"chosen": "mbgnbd", "why": "likelihood", "models": models},
            "contracts": {"chosen": None, "why": "no_contracts", "models": {}},
            "hazards": {"status": "too_few_events", "coefficients": {"size": 0.41}, "se": {"size": 0.12}, "notes": []},
        },
    )  # fmt: skip


def _main_customer(world: World, customer: Customer, contract: Contract, run: ValueRun) -> None:
    make_score(
        customer=customer, run=run, tier=1, clv=52_000, clv_contracts=Decimal(30_000), clv_orders=Decimal(24_000),
        clv_retention_cost=Decimal(2_000), growth_potential=Decimal(8_000), proposed_tier=2, proposal="approval",
        proposed_since=date(2026, 11, 1), distance_down=Decimal(-48_000), churn_risk=0.13, next_order_days=41, expected_orders_12m=2.4,
        trend=-0.18, renewal_probability=0.81, next_renewal_on=date(2026, 12, 31), move_probability=0.62, orders=7,
        recency_score=4, frequency_score=3, monetary_score=5, abc="A", relationship_type="proactive", is_indicative=True,
        drivers=[{"code": "contracts", "amount": 30_000.0, "count": 1}, {"code": "orders", "amount": 24_000.0, "expected": 2.4},
                 {"code": "renewal_due", "days": 60, "probability": 0.81}, {"code": "trend", "change": -0.18}],
    )  # fmt: skip
    for back in range(30):
        month = date(2024 + (5 + back) // 12, (5 + back) % 12 + 1, 1)
        revenue = Decimal(2_000 + 1_500 * (back % 5))
        MonthlyValue.objects.create(customer=customer, month=month, order_revenue=revenue, order_cost=revenue / 2, contact_cost=300)
    ContractOutlook.objects.create(
        contract=contract, customer=customer, run=run, renewals=2, next_renewal_on=date(2026, 12, 31), renewal_probability=0.81
    )
    make_decision(customer=customer, run=run, kind="approval", from_tier=1, tier=1, proposed_tier=2)
    TierOverride.add(
        by=world.mo, customer=customer, tier=1, reason=LONG_REASON, owner=world.mo, ends_on=timezone.localdate() + timedelta(days=60)
    )
