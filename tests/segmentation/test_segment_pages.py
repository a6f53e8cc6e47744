"""Segments as people meet them: the list, the builder, a segment's members and history, the file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from segmentation.models import Segment
from segmentation.segments import refresh_memberships
from segmentation.views.segment import PAGE_SIZE
from tests.factories import make_customer, make_score, make_segment
from tests.people import World
from users.models import Event

ACTIVE = {"all": [{"field": "status", "is": "any_of", "value": ["active"]}]}


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def body(rule: Any = ACTIVE, **values: Any) -> dict[str, Any]:
    return {"name": "Actives", "rule": json.dumps(rule), "is_shared": "on", **values}


def names(client: Client, segment: Segment, query: str = "") -> list[str]:
    return [str(customer.name) for customer in client.get(f"/segments/{segment.pk}/?{query}").context["page"].rows]


def test_an_empty_list_shows_the_way_on(ana: Client, world: World) -> None:
    assert "Build the first one" in ana.get("/segments/").content.decode()
    ana.force_login(world.sam)
    assert "Build the first one" not in ana.get("/segments/").content.decode()


def test_the_list_holds_the_own_and_the_shared_ones_with_members_in_reach(ana: Client, world: World) -> None:
    for team in (world.north, world.south, world.south):
        make_customer(team=team, status="active")
    make_segment("Mine", by=world.ana, is_shared=False)
    make_segment("Theirs", by=world.eve, is_shared=False)
    make_segment("Shared", by=world.eve)
    refresh_memberships()
    assert [(one.name, one.members_seen) for one in ana.get("/segments/").context["segments"]] == [("Mine", 1), ("Shared", 1)]


def test_what_the_builder_sends_becomes_a_segment(ana: Client, world: World) -> None:
    answer = ana.post("/segments/new/", body(description="Who buys"))
    segment = Segment.objects.get()
    assert answer["Location"] == f"/segments/{segment.pk}/"
    assert (segment.owner, segment.rule, segment.is_shared, segment.description) == (world.ana, ACTIVE, True, "Who buys")
    page = ana.get(answer["Location"]).content.decode()
    assert "Status is Active" in page
    assert "being worked out" in page


def test_one_printed_form_makes_one_segment(ana: Client) -> None:
    sent = body(once="0" * 32)
    assert ana.post("/segments/new/", sent)["Location"] == ana.post("/segments/new/", sent)["Location"]
    assert Segment.objects.count() == 1


@pytest.mark.parametrize("rule", ["", "{", "[]", "null", "5", '"x"', '{"all": []}', '{"field": "\\u0000"}', "[" * 5000, '{"all": [' * 900])
def test_what_is_no_rule_comes_back_marked(ana: Client, rule: str) -> None:
    answer = ana.post("/segments/new/", {"name": "x", "rule": rule})
    assert answer.status_code == 422
    assert answer.context["problems"]
    assert not Segment.objects.exists()


def test_a_wrong_node_comes_back_with_its_path_and_what_was_built(ana: Client) -> None:
    rule = {"all": [{"field": "status", "is": "any_of", "value": ["nonsense"]}]}
    answer = ana.post("/segments/new/", body(rule))
    assert answer.context["rule"] == rule
    assert [problem["path"] for problem in answer.context["problems"]] == ["all.0.value"]


def test_a_name_that_is_taken_is_said(ana: Client, world: World) -> None:
    make_segment("Actives", by=world.eve, is_shared=False)
    answer = ana.post("/segments/new/", body())
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors


def test_changes_are_saved_and_the_second_of_two_editors_is_told(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.ana)
    rule = {"any": [{"field": "industry", "is": "is", "value": "retail"}]}
    assert ana.post(f"/segments/{segment.pk}/edit/", body(rule, version=1)).status_code == 302
    segment.refresh_from_db()
    assert (segment.rule, segment.version) == (rule, 2)
    late = ana.post(f"/segments/{segment.pk}/edit/", body(name="Late", version=1))
    assert late.status_code == 412
    told = {field.name: (field.mine, field.theirs) for field in late.context["conflict"].fields}
    assert told == {"name": ("Late", "Actives"), "rule": ("Status is Active", "Industry is “retail”")}
    kept = late.context["conflict"].kept
    again = ana.post(f"/segments/{segment.pk}/edit/", {**kept, "version": 2, "name": "Late", "rule": json.dumps(ACTIVE)})
    assert again.status_code == 302
    segment.refresh_from_db()
    assert (segment.name, segment.rule, segment.is_shared) == ("Late", ACTIVE, True)


def test_saving_as_a_copy_leaves_the_first_as_it_is(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.eve)
    rule = {"field": "owner", "is": "empty"}
    ana.post(f"/segments/{segment.pk}/edit/", body(rule, copy="1", version=1))
    copy = Segment.objects.exclude(pk=segment.pk).get()
    assert (copy.name, copy.owner, copy.rule) == ("Actives (copy 1)", world.ana, rule)
    segment.refresh_from_db()
    assert segment.version == 1


def test_a_circle_is_said_at_the_rule(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.ana)
    answer = ana.post(f"/segments/{segment.pk}/edit/", body({"field": "segment", "is": "any_of", "value": [segment.pk]}, version=1))
    assert answer.status_code == 422
    assert "itself" in answer.content.decode()


def test_only_the_owner_shares(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.eve)
    ana.post(f"/segments/{segment.pk}/edit/", {"name": "Ours", "rule": json.dumps(ACTIVE), "version": 1})
    segment.refresh_from_db()
    assert (segment.name, segment.is_shared) == ("Ours", True)


def test_archiving_offers_to_undo_it(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.ana)
    after = ana.post(f"/segments/{segment.pk}/archive/", follow=True)
    assert f"/segments/{segment.pk}/restore/" in after.content.decode()
    assert ana.get(f"/segments/{segment.pk}/").status_code == 404
    assert [one.pk for one in ana.get("/segments/?show=archived").context["segments"]] == [segment.pk]
    ana.post(f"/segments/{segment.pk}/restore/")
    assert ana.get(f"/segments/{segment.pk}/").status_code == 200
    assert [event.action for event in Event.objects.of("segment", segment.pk).order_by("pk")] == ["created", "discarded", "restored"]


def test_a_name_that_was_taken_meanwhile_stops_the_undo(ana: Client, world: World) -> None:
    segment = make_segment("Actives", by=world.ana)
    segment.discard(by=world.ana)
    make_segment("Actives", by=world.eve)
    page = ana.post(f"/segments/{segment.pk}/restore/", follow=True).content.decode()
    assert "Another segment is called Actives" in page


def test_the_preview_counts_tells_and_shows_a_few(ana: Client, world: World) -> None:
    for number in range(7):
        make_score(customer=make_customer(f"Nord {number}", team=world.north, status="active"))
    make_customer("Syd", team=world.south, status="active")
    answer = ana.post("/segments/preview/", {"rule": json.dumps(ACTIVE)}).json()
    assert answer["problems"] == []
    assert "<strong>7</strong>" in answer["html"]
    assert "Status is Active" in answer["html"]
    assert answer["html"].count("<li>") == 5
    assert "Syd" not in answer["html"]
    wrong = ana.post("/segments/preview/", {"rule": "{"}).json()
    assert (wrong["html"], [one["path"] for one in wrong["problems"]]) == ("", [""])


def test_the_builder_offers_only_whom_the_person_sees(ana: Client, world: World) -> None:
    make_segment("Theirs", by=world.eve, is_shared=False)
    rows = ana.get("/segments/new/").context["offer"]["rows"]
    assert world.eve.pk not in [value for value, _label in rows["user"]]
    assert [value for value, _label in rows["team"]] == ["mine", world.north.pk]
    assert rows["segment"] == []


def test_members_are_listed_by_value_and_by_name(ana: Client, world: World) -> None:
    for name, clv in (("Acme", 10), ("Bolt", 500), ("Core", None)):
        customer = make_customer(name, team=world.north, status="active")
        if clv:
            make_score(customer=customer, clv=clv)
    make_customer("Syd", team=world.south, status="active")
    segment = make_segment(by=world.eve)
    refresh_memberships()
    assert names(ana, segment) == ["Bolt", "Acme", "Core"]
    assert names(ana, segment, "sort=-name") == ["Core", "Bolt", "Acme"]
    assert names(ana, segment, "cursor=rubbish") == ["Bolt", "Acme", "Core"]


def test_members_page_by_key(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(PAGE_SIZE + 5):
        make_customer(team=world.north, status="active")
    segment = make_segment(by=world.ana)
    refresh_memberships()
    ana.get("/")  # notes the session
    with django_assert_max_num_queries(5):
        first = ana.get(f"/segments/{segment.pk}/").context["page"]
    second = ana.get(f"/segments/{segment.pk}/?cursor={first.next}").context["page"]
    assert len({row.pk for row in (*first.rows, *second.rows)}) == PAGE_SIZE + 5


def test_the_history_says_who_entered_and_left(ana: Client, world: World) -> None:
    acme = make_customer("Acme", team=world.north, status="active")
    make_customer("Syd", team=world.south, status="active")
    segment = make_segment(by=world.eve)
    refresh_memberships()
    acme.change(by=world.ana, status="lost")
    refresh_memberships()
    rows = ana.get(f"/segments/{segment.pk}/?tab=history").context["page"].rows
    assert [(row.customer.name, bool(row.left_at)) for row in rows] == [("Acme", True)]
    assert names(ana, segment) == []


def test_the_file_holds_members_in_reach_and_runs_no_formula(ana: Client, world: World) -> None:
    customer = make_customer('=HYPERLINK("http://evil.example")', team=world.north, status="active", owner=world.ana)
    make_customer("Plain", team=world.north, status="active")
    make_customer("Syd", team=world.south, status="active")
    make_score(customer=customer, tier=2, clv=5000)
    segment = make_segment(by=world.eve)
    refresh_memberships()
    answer: Any = ana.get(f"/segments/{segment.pk}/export/")
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert [row["legal name"][:6] for row in rows] == ["'=HYPE", "Plain"]
    assert (rows[0]["tier"], rows[0]["customer lifetime value"], rows[0]["owner"]) == ("Gold", "5000.00", "Ana")
    assert Event.objects.get(action="exported").object_id == segment.pk


def test_a_rule_whose_field_is_gone_still_has_its_page(ana: Client, world: World) -> None:
    segment = make_segment(by=world.ana)
    Segment.objects.filter(pk=segment.pk).update(rule={"field": "custom.gone", "is": "filled"})
    assert "asks about something that is gone" in ana.get(f"/segments/{segment.pk}/").content.decode()
    assert ana.get(f"/segments/{segment.pk}/edit/").status_code == 200
