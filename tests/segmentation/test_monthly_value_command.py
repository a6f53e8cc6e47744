"""bin/manage monthly_value: the table against the facts."""

from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from segmentation import monthly
from segmentation.models import MonthlyValue, RuleVersion
from tests.factories import make_customer, make_order
from tests.people import World

TODAY = date(2026, 11, 24)


@pytest.fixture
def customer(world: World) -> Customer:
    return make_customer(team=world.north)


def monthly_value(*arguments: str) -> Any:
    out = StringIO()
    call_command("monthly_value", "--as-of", TODAY.isoformat(), "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_check_fails_where_a_row_is_not_what_the_facts_say(customer: Customer) -> None:
    make_order(customer=customer, ordered_on=date(2026, 9, 2))
    assert monthly_value("--rebuild")["written"] == 1
    assert monthly_value("--check") == {"as_of": "2026-11-24", "rows": 1, "differences": 0, "shown": [], "missing_rates": []}
    MonthlyValue.objects.update(order_cost=1)
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("monthly_value", "--check", "--as-of", TODAY.isoformat(), "--json", stdout=out)
    assert stop.value.code == 1
    answer = json.loads(out.getvalue())
    assert answer["differences"] == 1
    assert answer["shown"][0]["stored"] == {"order_revenue": "100.00", "order_cost": "1.00"}
    assert MonthlyValue.objects.get().order_cost == 1  # checking mends nothing


def test_rows_too_many_and_too_few_are_differences(world: World, customer: Customer) -> None:
    make_order(customer=customer)
    MonthlyValue.objects.create(customer=make_customer(team=world.north), month=date(2026, 1, 1), contact_cost=5)
    found = monthly.check(as_of=TODAY, rules=RuleVersion.in_force())
    assert found.differences == 2
    assert [(one.stored is None, one.facts is None) for one in found.shown] == [(True, False), (False, True)]


def test_a_currency_without_a_rate_is_named(customer: Customer) -> None:
    make_order(customer=customer, currency="NOK")
    assert monthly_value("--rebuild")["missing_rates"] == [{"currency": "NOK", "noun": "order", "facts": 1}]


@pytest.mark.parametrize("arguments", [[], ["--check", "--rebuild"], ["--check", "--as-of", "tomorrow"]])
def test_a_command_that_is_not_clear_is_refused(arguments: list[str], db: None) -> None:
    with pytest.raises(CommandError):
        call_command("monthly_value", *arguments)
