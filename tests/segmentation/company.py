"""A small company that orders like real ones: heavy-tailed, some customers gone, contracts that renew or end."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from customers.jobs import Progress
from customers.models import Contract, Customer, Job, Order
from customers.models.contract import contract_number
from customers.models.customer import customer_number
from customers.models.order import order_number
from segmentation.engine import runs
from segmentation.jobs import value_run
from segmentation.models import ValueRun
from users.models import Team

AS_OF = date(2026, 6, 30)
INDUSTRIES = ("retail", "finance", "software")


def make_company(team: Team, *, customers: int = 60, seed: int = 1, contracts: bool = True) -> list[Customer]:
    """Customers with orders of three years up to AS_OF, and every third with a chain of contracts."""
    rng = np.random.default_rng(seed)
    made = Customer.objects.bulk_create(
        [
            Customer(
                number=customer_number(900_000 + place),
                legal_name=f"Company {place}",
                sort_key=f"company {place:05}",
                team=team,
                industry=INDUSTRIES[place % 3],
                acquired_on=AS_OF - timedelta(days=1_000),
            )
            for place in range(customers)
        ]
    )
    orders: list[Order] = []
    for customer in made:
        orders += _orders_of(customer, rng, len(orders))
    Order.objects.bulk_create(orders)
    if contracts:
        _sign_contracts(made[::3], rng)
    return made


def _orders_of(customer: Customer, rng: np.random.Generator, first: int) -> list[Order]:
    day, gone = AS_OF - timedelta(days=int(rng.integers(400, 1_000))), rng.random() < 0.2
    last = AS_OF - timedelta(days=300) if gone else AS_OF
    pace, size = float(rng.gamma(2, 40) + 20), float(rng.lognormal(7, 0.8))
    found: list[Order] = []
    while day <= last:
        amount = Decimal(round(size * float(rng.lognormal(0, 0.3)), 2)).quantize(Decimal("0.01"))
        found.append(
            Order(
                number=order_number(900_000 + first + len(found)),
                customer=customer,
                ordered_on=day,
                amount=amount,
                cost=(amount * Decimal("0.6")).quantize(Decimal("0.01")),
            )
        )
        day += timedelta(days=1 + int(rng.exponential(pace)))
    return found


def _sign_contracts(customers: list[Customer], rng: np.random.Generator) -> None:
    signed: list[Contract] = []
    for customer in customers:
        begins = AS_OF - timedelta(days=int(rng.integers(100, 1_500)))
        while begins <= AS_OF:
            ends = begins + timedelta(days=364)
            signed.append(
                Contract(
                    number=contract_number(900_000 + len(signed)),
                    customer=customer,
                    title="Maintenance",
                    recurring_amount=Decimal(1_200),
                    recurring_cost=Decimal(300),
                    starts_on=begins,
                    ends_on=ends,
                )
            )
            begins = ends + timedelta(days=1)
            if rng.random() < 0.2:
                break
    Contract.objects.bulk_create(signed)


def value(as_of: date = AS_OF, extent: str = ValueRun.Kind.FULL) -> ValueRun | None:
    """A whole valuation as a job does it; None where there was nothing to do."""
    result = value_run(Progress(begun_job()), as_of=as_of.isoformat(), extent=extent)
    return ValueRun.objects.get(pk=result["run"]) if "run" in result else None


def begun_job() -> Job:
    """A job in the hands of a worker."""
    job = Job.objects.create(kind="value-run", title="Valuation")
    assert job.claim()
    return job


def begun_run(as_of: date = AS_OF, extent: str = ValueRun.Kind.FULL) -> ValueRun:
    return runs.begin(as_of=as_of, kind=extent, by=None, job=begun_job())
