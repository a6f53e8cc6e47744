"""What the trust in a customer's data is made from."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from customers.models import ContactMethod, CrossReference, Customer, Position, SourceRecord, SourceSystem
from segmentation.facts import IdRange
from segmentation.trust import FILLED, trust_inputs
from tests.factories import make_contact, make_contact_point, make_contract, make_customer, make_order
from tests.people import World

TODAY = date(2024, 11, 24)


@pytest.fixture
def customer(world: World) -> Customer:
    return make_customer(team=world.north)


def inputs(customer: Customer, *, as_of: date = TODAY) -> dict[str, Any]:
    """The customer's numbers by column."""
    found = trust_inputs([customer.pk], as_of=as_of)
    assert found.customer_ids == (customer.pk,)
    return {name: values[0] for name, values in found._asdict().items()}


def filled(customer: Customer) -> int:
    share: float = inputs(customer)["completeness"]
    assert round(share * len(FILLED)) == pytest.approx(share * len(FILLED))
    return round(share * len(FILLED))


def reach(*, kind: str = "mail", is_valid: bool = True, **owner: Any) -> None:
    ContactMethod.add(by=None, kind=kind, value="x", normalised=f"x{kind}{is_valid}", is_valid=is_valid, **owner)


def test_completeness_is_the_share_of_what_a_well_kept_record_has(world: World, customer: Customer) -> None:
    assert filled(customer) == 0
    customer.change(by=None, short_name="Nord", industry="retail", employees=0, owner=world.ana)
    assert filled(customer) == 4
    customer.change(by=None, credit_code="91350100M000100Y43", annual_revenue=Decimal(1))
    customer.change(by=None, region="N", country="NO", acquisition_source="web")
    contact = make_contact(customer=customer)
    assert filled(customer) == 10
    reach(contact=contact)
    assert inputs(customer)["completeness"] == 1.0


def test_only_people_who_are_there_count(world: World, customer: Customer) -> None:
    reach(contact=make_contact(customer=customer))
    assert filled(customer) == 2
    Position.objects.update(until=TODAY)
    assert filled(customer) == 0
    Position.objects.update(until=None)
    contact = customer.positions.get().contact
    contact.discard(by=world.ana)
    assert filled(customer) == 0


@pytest.mark.parametrize(("kind", "is_valid", "reachable"), [("mobile", True, 1), ("mail", False, 0), ("fax", True, 0)])
def test_one_is_reachable_by_a_valid_phone_or_mail(customer: Customer, kind: str, is_valid: bool, reachable: int) -> None:
    reach(kind=kind, is_valid=is_valid, customer=customer)
    assert filled(customer) == reachable


def test_ways_that_cannot_be_right_are_counted(customer: Customer) -> None:
    reach(customer=customer, is_valid=False)
    reach(contact=make_contact(customer=customer), is_valid=False)
    reach(contact=make_contact(customer=customer))
    assert inputs(customer)["invalid_methods"] == 2


def test_freshness_is_the_age_of_the_last_fact(customer: Customer) -> None:
    assert inputs(customer)["freshness_days"] is None
    make_contract(customer=customer, starts_on=TODAY - timedelta(300))
    assert inputs(customer)["freshness_days"] == 300
    make_order(customer=customer, ordered_on=TODAY - timedelta(30))
    make_order(customer=customer, ordered_on=TODAY + timedelta(1))
    assert inputs(customer)["freshness_days"] == 30
    make_contact_point(customer=customer, at=datetime(2024, 11, 20, tzinfo=UTC))
    assert inputs(customer)["freshness_days"] == 4
    assert inputs(customer, as_of=date(2024, 11, 20))["freshness_days"] == 0


def test_a_source_record_is_fresh_data_too(world: World) -> None:
    erp = SourceSystem.objects.create(code="erp", name="ERP")
    customer = Customer.add_from(erp, "7", by=None, payload={}, legal_name="Nord", team=world.north)
    assert inputs(customer, as_of=timezone.localdate() + timedelta(5))["freshness_days"] == 5


def test_each_system_counts_once_and_only_while_it_is_tied(world: World) -> None:
    erp = SourceSystem.objects.create(code="erp", name="ERP")
    customer = Customer.add_from(erp, "7", by=None, payload={}, legal_name="Nord", team=world.north)
    CrossReference.objects.create(system=erp, noun=SourceRecord.Noun.CUSTOMER, key="8", customer=customer)
    assert inputs(customer)["sources"] == 1
    customer.change(by=world.ana, region="North")  # people's entries are a source like any other
    assert inputs(customer)["sources"] == 2
    CrossReference.objects.filter(system=erp).update(until=timezone.now())
    assert inputs(customer)["sources"] == 1


def test_contracts_whose_cost_nobody_knows_are_counted(customer: Customer) -> None:
    for cost in (None, Decimal(0)):
        make_contract(customer=customer, recurring_cost=cost, starts_on=date(2024, 1, 1))
    assert inputs(customer)["contracts_without_cost"] == 1


def test_columns_are_in_the_order_of_the_ids(world: World) -> None:
    made = [make_customer(team=world.north, region=region) for region in ("", "N", "")]
    made[2].discard(by=world.ada)
    found = trust_inputs(IdRange(made[0].pk, made[2].pk), as_of=TODAY)
    assert found.customer_ids == (made[0].pk, made[1].pk)
    assert list(found.completeness) == pytest.approx([0, 1 / len(FILLED)])
    assert trust_inputs([], as_of=TODAY).customer_ids == ()
