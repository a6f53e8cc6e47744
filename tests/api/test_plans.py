"""How lists find their rows: by an index of their order, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from customers.models import Address, Contact, ContactMethod, ContactPoint, Customer, Position
from segmentation.models import MonthlyValue, Score
from tests.api.client import Caller, assert_problem
from tests.factories import make_contact_point, make_customer
from tests.people import World


def plan_of(rows: QuerySet[Any]) -> str:
    """The plan for a page where reading and sorting all rows is the worse way, as it is in a big company."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
    return rows[:51].explain()


def fill_and_analyse(world: World, contacts: int) -> None:
    customer = make_customer(team=world.north)
    people = Contact.objects.bulk_create(Contact(name=f"Contact {at}") for at in range(contacts))
    Position.objects.bulk_create(Position(contact=contact, customer=customer) for contact in people)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def test_standing_contact_points_are_met_in_their_order(world: World) -> None:
    plan = plan_of(ContactPoint.objects.visible_to(world.ada).standing().newest_first())
    assert "contact_point_by_time" in plan
    assert "Anti Join" not in plan


def test_corrected_contact_points_begin_at_the_corrections(world: World, ivy: Caller) -> None:
    old, _other = (make_contact_point(customer=make_customer(team=world.north)) for _ in range(2))
    new = old.correct(by=world.ivy, minutes=30)
    assert [row["id"] for row in ivy.get("contact-points/", {"is_standing": "false"}).json()["results"]] == [old.pk]
    assert new.pk in [row["id"] for row in ivy.get("contact-points/", {"is_standing": "true"}).json()["results"]]


@pytest.mark.parametrize("model", [ContactMethod, Address], ids=lambda model: model.NOUN)
@pytest.mark.parametrize("reader", ["ivy", "ada"])
@pytest.mark.parametrize("contacts", [None, 0, 300], ids=["never_analysed", "analysed_empty", "analysed_full"])
def test_the_owners_of_a_page_are_looked_up_one_by_one(world: World, model: Any, reader: str, contacts: int | None) -> None:
    """Whatever the planner believes of the tables at that moment."""
    if contacts is not None:
        fill_and_analyse(world, contacts)
    plan = plan_of(model.objects.visible_to(getattr(world, reader)).order_by("-pk"))
    assert f"using {model._meta.db_table}_pkey" in plan
    assert "hashed SubPlan" not in plan


def test_customers_of_a_country_are_met_in_their_order(world: World) -> None:
    assert "customer_of_country" in plan_of(Customer.objects.filter(country="CN").by_name())


def test_a_kind_that_nobody_has_is_not_sought_in_every_row(world: World) -> None:
    assert "contact_method_of_kind" in plan_of(ContactMethod.objects.filter(kind=ContactMethod.Kind.WECHAT).order_by("-pk"))


def test_scores_are_met_in_their_order(world: World) -> None:
    scores = Score.objects.visible_to(world.ada)
    assert "score_by_clv" in plan_of(scores.order_by("-clv", "-pk"))
    assert "score_of_tier" in plan_of(scores.filter(tier=1).order_by("-clv", "-pk"))
    assert "score_by_churn_risk" in plan_of(scores.filter(churn_risk__isnull=False).order_by("-churn_risk", "-pk"))


def test_months_are_met_in_the_order_of_their_key(world: World) -> None:
    assert "segmentation_monthlyvalue_pkey" in plan_of(MonthlyValue.objects.visible_to(world.ada).order_by("customer_id", "month"))


@pytest.mark.parametrize("noun", ["order", "contact-point", "product"])
def test_an_unknown_source_is_answered_without_a_search(ivy: Caller, noun: str) -> None:
    with CaptureQueriesContext(connection) as done:
        assert ivy.get(f"{noun}s/", {"source": "unheard"}).json()["results"] == []
    assert f"customers_{noun.replace('-', '')}" not in str(done.captured_queries)


@pytest.mark.parametrize("noun", ["orders", "contact-points", "products"])
def test_a_key_needs_its_source(ivy: Caller, noun: str) -> None:
    assert_problem(ivy.get(f"{noun}/", {"source_key": "A-1"}), 400, field="source", code="required")


def test_a_new_customer_costs_few_statements(ivy: Caller) -> None:
    ivy.post("customers/", {"legal_name": "Before"})  # notes the token's use
    with CaptureQueriesContext(connection) as done:
        assert ivy.post("customers/", {"legal_name": "Acme"}, idempotency_key="one").status_code == 201
    blocks = ("SAVEPOINT", "RELEASE SAVEPOINT")
    assert len([query for query in done.captured_queries if not query["sql"].startswith(blocks)]) <= 11
