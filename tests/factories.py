"""Plain factories: a row that is valid, with whatever the test says about it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from customers.models import Contact, ContactPoint, Contract, Customer, Order, OrderLine, Position, Product
from segmentation.models import BackTest, ContractOutlook, MonthlyValue, RuleVersion, Score, Segment, TierDecision, ValueRun
from segmentation.segments import add_segment
from users.access import Role
from users.models import Team, User

PASSWORD = "correct horse battery staple"

_serial = count(1)


def make_team(name: str, **values: Any) -> Team:
    return Team.objects.create(name=name, **values)


def make_user(name: str, *, team: Team, role: str = Role.ACCOUNT_MANAGER, **values: Any) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), team=team, role=role, **values)


def make_customer(name: str = "", *, team: Team, by: User | None = None, **values: Any) -> Customer:
    return Customer.add(by=by, legal_name=name or f"Customer {next(_serial)}", team=team, **values)


def make_contact(name: str = "", *, customer: Customer, by: User | None = None, **values: Any) -> Contact:
    contact = Contact.add(by=by, name=name or f"Contact {next(_serial)}", **values)
    Position.add(by=by, contact=contact, customer=customer)
    return contact


def make_product(name: str = "", **values: Any) -> Product:
    name = name or f"Product {next(_serial)}"
    return Product.add(by=None, **{"code": name.upper(), "name": name, "unit_price": Decimal(100), "unit_cost": Decimal(60), **values})


def make_order(*, customer: Customer, amount: Decimal | int = 100, cost: Decimal | int = 60, **values: Any) -> Order:
    order = Order.add(by=None, customer=customer, **{"ordered_on": date(2026, 3, 2), **values})
    OrderLine.objects.create(order=order, amount=amount, cost=cost)
    order.retotal()
    return order


def make_contract(*, customer: Customer, **values: Any) -> Contract:
    defaults = {"title": "Maintenance", "recurring_amount": Decimal(1200), "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
    return Contract.add(by=None, customer=customer, **{**defaults, **values})


def make_contact_point(*, customer: Customer, by: User | None = None, **values: Any) -> ContactPoint:
    defaults = {"kind": ContactPoint.Kind.CALL, "channel": ContactPoint.Channel.PHONE, "subject": "Called"}
    return ContactPoint.log(by=by, customer=customer, **{**defaults, **values})


BOUNDARIES = {"platinum": 100_000.0, "gold": 20_000.0, "iron": 0.0}


def make_run(**values: Any) -> ValueRun:
    """A published run over all customers, as the engine leaves it."""
    defaults = {
        "as_of": date(2026, 3, 31),
        "state": ValueRun.State.PUBLISHED,
        "stage": ValueRun.Stage.PUBLISH,
        "rules": RuleVersion.in_force(),
        "published_at": timezone.now(),
        "customers": 4,
        "equity": 150_000.0,
        "equity_interval": {"80": [120_000.0, 190_000.0], "95": [100_000.0, 230_000.0], "method": "laplace"},
        "boundaries": BOUNDARIES,
        "tiers": {"2": {"customers": 1, "clv": 50_000.0, "margin": 20_000.0, "revenue": 60_000.0}},
        "seconds": {"aggregate": 1.2, "fit": 0.4, "predict": 2.0, "tier": 0.1, "publish": 0.9},
    }
    return ValueRun.objects.create(**{**defaults, **values})


def make_score(*, customer: Customer, run: ValueRun | None = None, **values: Any) -> Score:
    """Gold, worth 50,000 and its interval around it, of the given run or the present one."""
    run = run or ValueRun.current() or make_run()
    clv = Decimal(values.get("clv", 50_000))
    defaults = {
        "as_of": run.as_of,
        "tier": 2,
        "tier_since": date(2025, 6, 30),
        "is_core": True,
        "value": clv,
        "clv": clv,
        "clv_orders": clv,
        "clv_low_80": clv * Decimal("0.7"),
        "clv_high_80": clv * Decimal("1.4"),
        "clv_low_95": clv * Decimal("0.5"),
        "clv_high_95": clv * Decimal("1.9"),
        "margin_12m": Decimal(20_000),
        "revenue_12m": Decimal(60_000),
        "trust": 0.8,
        "drivers": [{"code": "orders", "amount": float(clv), "expected": 2.5}],
    }
    return Score.objects.create(customer=customer, run=run, **{**defaults, **values})


def make_decision(*, customer: Customer, run: ValueRun | None = None, **values: Any) -> TierDecision:
    run = run or ValueRun.current() or make_run()
    defaults = {
        "rules": run.rules,
        "as_of": run.as_of,
        "kind": TierDecision.Kind.FIRST,
        "tier": 2,
        "value": Decimal(50_000),
        "inputs": {"clv": 50_000.0, "orders": 50_000.0, "trust": 0.8, "boundaries": run.boundaries},
        "drivers": [{"code": "orders", "amount": 50_000.0, "expected": 2.5}],
    }
    return TierDecision.objects.create(customer=customer, run=run, **{**defaults, **values})


def make_back_test(*, run: ValueRun | None = None, **values: Any) -> BackTest:
    """One in which the models are better than last year's figures by every measure but the mean error."""
    model = {"total_error": -0.04, "mae": 900.0, "rmse": 2100.0, "spearman": 0.7, "gini": 0.8, "capture_top20": 0.7, "coverage_80": 0.78}
    naive = {"total_error": 0.2, "mae": 850.0, "rmse": 2500.0, "spearman": 0.6, "gini": 0.7, "capture_top20": 0.6}
    defaults = {
        "cut_off": date(2025, 3, 31),
        "until": date(2026, 3, 31),
        "customers": 400,
        "predicted": 96_000.0,
        "actual": 100_000.0,
        "measures": {"model": model, "last_year": naive},
        "calibration": [{"group": group, "customers": 40, "predicted": group * 90.0, "actual": group * 100.0} for group in range(1, 11)],
        "best": "model",
        "verdict": {"use": "model", "better": {**dict.fromkeys(model, "model"), "mae": "last_year"}},
    }
    return BackTest.objects.create(run=run or ValueRun.current() or make_run(), **{**defaults, **values})


def make_outlook(*, contract: Contract, run: ValueRun | None = None, **values: Any) -> ContractOutlook:
    defaults = {"renewals": 2, "next_renewal_on": date(2026, 12, 31), "renewal_probability": 0.8, "expected_value": Decimal(2_400)}
    run = run or ValueRun.current() or make_run()
    return ContractOutlook.objects.create(contract=contract, customer=contract.customer, run=run, **{**defaults, **values})


def make_month(*, customer: Customer, month: date, **values: Any) -> MonthlyValue:
    """A month of orders of 100 that cost 60."""
    MonthlyValue.objects.create(customer=customer, month=month, **{"order_revenue": 100, "order_cost": 60, **values})
    return MonthlyValue.objects.get(customer=customer, month=month)


def make_segment(name: str = "", *, by: User, rule: Any = None, **values: Any) -> Segment:
    """Active customers, unless another rule is given."""
    rule = rule or {"all": [{"field": "status", "is": "any_of", "value": ["active"]}]}
    return add_segment(by=by, name=name or f"Segment {next(_serial)}", rule=rule, **values)
