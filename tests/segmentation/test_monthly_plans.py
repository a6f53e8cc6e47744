"""How a refresh of a few customers finds their facts: by an index of the customer, whatever the size of the company."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection

from customers.models import Customer
from segmentation.facts import Customers, IdRange
from segmentation.models import RuleVersion
from segmentation.monthly import refreshing
from tests.people import World

INDEXES = {
    "order_of_customer",
    "contract_of_customer",
    "contact_point_of_customer",
    "invoice_of_customer",
    "segmentation_monthlyvalue_pkey",
}


# Enough that reading by customer is the better way, and statistics of its own: those of other tests' tables may still stand.
COMPANY = """
    INSERT INTO customers_customer (number, legal_name, team_id) SELECT 'P' || n, 'Plan ' || n, %s FROM generate_series(1, 1500) AS n;
    CREATE TEMP TABLE planned ON COMMIT DROP AS
        SELECT id, day FROM customers_customer, generate_series(1, 4) AS day WHERE number LIKE 'P%%';
    INSERT INTO customers_order (number, customer_id, ordered_on) SELECT 'P' || id || '-' || day, id, DATE '2026-01-01' + day FROM planned;
    INSERT INTO customers_contract (number, customer_id, title, recurring_amount, starts_on)
        SELECT 'P' || id || '-' || day, id, 'x', 1, DATE '2026-01-01' + day FROM planned;
    INSERT INTO customers_invoice (number, customer_id, issued_on, due_on, amount)
        SELECT 'P' || id || '-' || day, id, DATE '2026-01-01' + day, DATE '2026-02-01', 1 FROM planned;
    INSERT INTO customers_contactpoint (customer_id, at, kind, channel, subject)
        SELECT id, TIMESTAMPTZ '2026-01-01' + make_interval(days => day), 'call', 'phone', 'x' FROM planned;
    INSERT INTO segmentation_monthlyvalue (customer_id, month) SELECT id, DATE '2026-01-01' + make_interval(months => day) FROM planned;
    ANALYZE customers_order, customers_contract, customers_invoice, customers_contactpoint, segmentation_monthlyvalue
"""


@pytest.fixture
def company(world: World) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(COMPANY, [world.north.pk])
    return list(Customer.objects.filter(number__startswith="P").order_by("pk").values_list("pk", flat=True))


def plan_of(customers: Customers) -> dict[str, Any]:
    """The plan where reading a whole table is the worse way, as it is in a big company."""
    sql, values = refreshing(customers, as_of=date(2026, 11, 24), rules=RuleVersion.in_force())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", values)
        (found,) = cursor.fetchone()
    plan: dict[str, Any] = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


@pytest.mark.parametrize("form", ["ids", "range"])
def test_a_refresh_reads_nothing_but_what_belongs_to_its_customers(company: list[int], form: str) -> None:
    customers: Customers = company[:100] if form == "ids" else IdRange(company[0], company[99])
    read = [node for node in nodes(plan_of(customers)) if "Relation Name" in node and node["Node Type"] != "ModifyTable"]
    assert {node["Relation Name"] for node in read if node["Node Type"] == "Seq Scan"} == set()
    by_customer = {node["Index Name"] for node in read if "customer_id" in node.get("Index Cond", "")}
    assert by_customer == INDEXES
    beside = {node["Relation Name"]: node["Index Cond"] for node in read if node["Index Name"] not in INDEXES}
    # Two indexes begin with the invoice; which is taken depends on the statistics that other tests left of the payments.
    of_invoice = "(invoice_id = fact_3.id)"
    assert beside.pop("customers_payment") in (of_invoice, f"({of_invoice} AND (paid_on <= '2026-11-24'::date))")
    assert "corrects_id IS NOT NULL" in beside.pop("customers_contactpoint")
    assert beside.keys() == {"customers_exchangerate"}


def test_a_queryset_is_read_once_and_by_its_ids(db: None) -> None:
    _sql, values = refreshing(Customer.objects.none(), as_of=date(2026, 11, 24), rules=RuleVersion.in_force())
    assert values["ids"] == []
