"""Segments through the API: rules in, errors by node, members in reach, and no window on others' customers."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from segmentation.models import Segment
from segmentation.segments import refresh_memberships
from tests.api.client import Caller, assert_problem
from tests.factories import make_customer, make_score, make_segment
from tests.people import World
from users.access import Scope

ACTIVE = {"all": [{"field": "status", "is": "any_of", "value": ["active"]}]}
BODY = {"name": "Actives", "rule": ACTIVE}


def test_a_segment_is_made_read_changed_archived_and_brought_back(world: World, ivy: Caller) -> None:
    made = ivy.post("segments/", BODY)
    assert made.status_code == 201, made.content
    segment = made.json()
    assert (segment["owner"], segment["rule"], segment["in_words"]) == (world.ivy.pk, ACTIVE, "Status is Active")
    path = f"segments/{segment['id']}/"
    assert_problem(ivy.patch(path, {"name": "x"}), 428)
    changed = ivy.patch(path, {"name": "Ours"}, if_match=made["ETag"])
    assert (changed.json()["name"], changed["ETag"]) == ("Ours", '"2"')
    assert_problem(ivy.patch(path, {"name": "x"}, if_match=made["ETag"]), 412)
    assert ivy.delete(path, if_match='"2"').status_code == 204
    assert_problem(ivy.get(path), 404)
    assert ivy.get("segments/").json()["results"] == []
    assert ivy.post(f"{path}restore/").json()["name"] == "Ours"


def test_the_same_request_again_makes_one_segment(world: World, ivy: Caller) -> None:
    first, second = (ivy.post("segments/", BODY, idempotency_key="k1") for _ in range(2))
    assert first.json() == second.json()
    assert Segment.objects.count() == 1


def test_what_is_wrong_with_a_rule_is_named_by_its_node(world: World, ivy: Caller) -> None:
    rule = {"any": [ACTIVE, {"not": {"field": "customer__owner__password", "is": "is", "value": "x"}}, {"field": "employees", "is": "gt"}]}
    problem = assert_problem(ivy.post("segments/", {"name": "x", "rule": rule}), 400, field="rule.any.1.not.field", code="unknown")
    assert {error["field"] for error in problem["errors"]} == {"rule.any.1.not.field", "rule.any.2.value"}
    assert_problem(ivy.post("segments/", {"name": "x", "rule": []}), 400, field="rule")
    assert_problem(ivy.post("segments/", {"name": "x"}), 400, field="rule")


@pytest.mark.parametrize("raw", [b'"\\u0000"', b"1e400", b"9" * 4301, b"[" * 19 + b"]" * 19, b'{"all": ' * 15 + b"1" + b"}" * 15])
def test_odd_rules_are_problems_of_the_sender(world: World, ivy: Caller, raw: bytes) -> None:
    answer = ivy.raw("segments/", b'{"name": "x", "rule": {"field": "employees", "is": "gt", "value": ' + raw + b"}}")
    assert answer.status_code == 400
    assert ivy.raw("segments/preview/", b'{"rule": ' + raw + b"}").status_code == 400


def test_a_name_is_taken_once(world: World, ivy: Caller) -> None:
    ivy.post("segments/", BODY)
    assert_problem(ivy.post("segments/", BODY), 400, field="name")


def test_private_segments_are_their_owners_and_shared_ones_everybodys(world: World, ivy: Caller) -> None:
    private, shared = make_segment(by=world.ana, is_shared=False), make_segment(by=world.ana)
    assert [row["id"] for row in ivy.get("segments/").json()["results"]] == [shared.pk]
    assert_problem(ivy.get(f"segments/{private.pk}/"), 404)
    assert_problem(ivy.get(f"segments/{private.pk}/members/"), 404)
    assert_problem(ivy.patch(f"segments/{shared.pk}/", {"is_shared": False}, if_match='"1"'), 400, field="is_shared")
    assert Caller(world.ana).patch(f"segments/{shared.pk}/", {"is_shared": False}, if_match='"1"').status_code == 200


def test_a_role_that_may_only_look_reads_and_changes_nothing(world: World) -> None:
    segment, sam = make_segment(by=world.ana), Caller(world.sam)
    assert sam.get(f"segments/{segment.pk}/").status_code == 200
    assert_problem(sam.post("segments/", BODY), 403)
    assert_problem(sam.patch(f"segments/{segment.pk}/", {"name": "x"}, if_match='"1"'), 403)
    assert_problem(sam.post("segments/preview/", {"rule": ACTIVE}), 403)


def test_a_token_needs_the_scope(world: World) -> None:
    reading = Caller(world.ivy, scopes=[Scope.VALUE_READ])
    assert reading.get("segments/").status_code == 200
    assert_problem(reading.post("segments/", BODY), 403, code="missing_scope")
    assert_problem(Caller(world.ivy, scopes=[Scope.CUSTOMERS_READ]).get("segments/"), 403, code="missing_scope")


def test_members_are_those_in_reach_with_tier_and_value(world: World, ivy: Caller) -> None:
    mine = make_customer("Nord", team=world.north, status="active")
    make_customer("Syd", team=world.south, status="active")
    make_score(customer=mine, tier=2, clv=5000)
    segment = make_segment(by=world.ivy)
    assert ivy.get(f"segments/{segment.pk}/").json()["members"] is None
    refresh_memberships()
    assert Segment.objects.get().members == 2
    shown = ivy.get(f"segments/{segment.pk}/members/").json()["results"]
    assert [(row["customer"], row["name"], row["tier"], row["clv"]) for row in shown] == [(mine.pk, "Nord", "gold", "5000.00")]
    counts = {
        reader: Caller(getattr(world, reader)).get(f"segments/{segment.pk}/").json()["members"] for reader in ("ivy", "eve", "ada", "sam")
    }
    assert counts == {"ivy": 1, "eve": 1, "ada": 2, "sam": 1}


def test_members_come_in_pages(world: World, ivy: Caller, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(5):
        make_score(customer=make_customer(team=world.north, status="active"))
    segment = make_segment(by=world.ivy)
    refresh_memberships()
    with django_assert_max_num_queries(5):
        first = ivy.get(f"segments/{segment.pk}/members/", {"page_size": 3}).json()
    second = ivy.client.get(first["next"]).json()
    ids = [row["customer"] for row in (*first["results"], *second["results"])]
    assert len(set(ids)) == 5
    assert_problem(ivy.get(f"segments/{segment.pk}/members/", {"owner": 1}), 400, field="owner")


def test_a_preview_counts_what_the_reader_sees_and_keeps_nothing(world: World, ivy: Caller) -> None:
    make_customer("Nord", team=world.north, status="active")
    make_customer("Syd", team=world.south, status="active")
    asked = ivy.post("segments/preview/", {"rule": ACTIVE}).json()
    assert (asked["count"], asked["is_more"], [one["name"] for one in asked["sample"]]) == (1, False, ["Nord"])
    assert asked["in_words"] == "Status is Active"
    assert Caller(world.eve).post("segments/preview/", {"rule": {"not": ACTIVE}}).json()["count"] == 0
    assert not Segment.objects.exists()


def test_no_rule_tells_about_customers_out_of_reach(world: World, ivy: Caller) -> None:
    """Neither a count nor a member nor another segment says whether a hidden customer fits."""
    hidden = make_customer("Syd", team=world.south, status="active", annual_revenue=1000)
    make_score(customer=hidden)
    theirs = make_segment(by=world.eve, is_shared=False)
    refresh_memberships()
    for leaf in ({"field": "annual_revenue", "is": "gt", "value": 1}, {"field": "score.tier", "is": "at_least", "value": "lead"}):
        assert ivy.post("segments/preview/", {"rule": leaf}).json()["count"] == 0
        made: Any = ivy.post("segments/", {"name": leaf["field"], "rule": leaf}).json()
        refresh_memberships()
        assert ivy.get(f"segments/{made['id']}/").json()["members"] == 0
        assert ivy.get(f"segments/{made['id']}/members/").json()["results"] == []
        assert {row["members"] for row in ivy.get("segments/").json()["results"]} == {0}
    rule = {"field": "segment", "is": "any_of", "value": [theirs.pk]}
    assert_problem(ivy.post("segments/preview/", {"rule": rule}), 400, field="rule.value")


def test_a_list_of_segments_costs_few_queries(world: World, ivy: Caller, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(20):
        make_segment(by=world.ivy)
    with django_assert_max_num_queries(5):
        assert len(ivy.get("segments/", {"ordering": "name"}).json()["results"]) == 20
