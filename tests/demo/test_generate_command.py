from __future__ import annotations

import json
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from crm.demo.generate import BATCH, batches, generate
from customers.models import Contact, ContactPoint, Contract, Customer, Order

TODAY = date(2026, 11, 23)


def quoted(seed: int) -> dict[str, list[Any]]:
    """What a small company of this seed looks like, without the ids that the database gives; it is rolled back again."""
    with transaction.atomic():
        generate(customers=40, seed=seed, today=TODAY)
        shown: dict[str, list[Any]] = {
            "customers": list(Customer.objects.order_by("number").values_list("legal_name", "status", "employees", "acquired_on")),
            "contacts": list(Contact.objects.order_by("pk").values_list("name", "birthday")),
            "orders": list(Order.objects.order_by("number").values_list("customer__number", "ordered_on", "amount", "cost")),
            "contracts": list(Contract.objects.order_by("number").values_list("starts_on", "ends_on", "recurring_amount")),
            "contact_points": list(ContactPoint.objects.order_by("pk").values_list("at", "subject", "minutes")),
        }
        transaction.set_rollback(True)
    return shown


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_company() -> None:
    assert quoted(seed=3) == quoted(seed=3)


@pytest.mark.django_db
def test_another_seed_gives_another_company() -> None:
    one, other = quoted(seed=3), quoted(seed=4)

    assert all(one[noun] != other[noun] for noun in one)


def test_a_batch_does_not_depend_on_how_many_follow() -> None:
    first, *_rest = batches(BATCH, seed=5)
    same, *_more = batches(3 * BATCH + 7, seed=5)

    assert first[:2] == same[:2] == (0, BATCH)
    assert first[2].random() == same[2].random()


@pytest.mark.django_db
def test_the_command_reports_rows_and_refuses_a_filled_database() -> None:
    out = StringIO()
    call_command("generate", customers=5, json=True, stdout=out)
    report = json.loads(out.getvalue())

    assert report["rows"]["customers_customer"] == 5
    assert report["total"] == sum(report["rows"].values())
    with pytest.raises(CommandError, match="--add"):
        call_command("generate", customers=5)
    call_command("generate", customers=5, seed=2, add=True, stdout=StringIO())
    assert Customer.objects.count() == 10


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "5000001", "²"])
def test_a_number_of_customers_that_cannot_be_is_refused(number: str) -> None:
    with pytest.raises(CommandError, match="customers"):
        call_command("generate", f"--customers={number}")
