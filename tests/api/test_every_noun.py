"""What holds for every noun alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Caller, assert_problem
from tests.api.nouns import NOUNS, Noun
from tests.factories import make_customer
from tests.people import World

every_noun = pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.path)
every_changeable = pytest.mark.parametrize("noun", [noun for noun in NOUNS if noun.change], ids=lambda noun: noun.path)


def make(caller: Caller, noun: Noun, team: Any, **over: Any) -> Any:
    made = caller.post(f"{noun.path}/", noun.body(make_customer(team=team)) | over)
    assert made.status_code == 201, made.content
    return made.json()


@every_noun
def test_what_is_created_is_read_again(world: World, ivy: Caller, noun: Noun) -> None:
    made = make(ivy, noun, world.north)
    detail = ivy.get(f"{noun.path}/{made['id']}/")
    assert detail.status_code == 200
    assert detail.json() == made
    listed = [row for row in ivy.get(f"{noun.path}/").json()["results"] if row["id"] == made["id"]]
    assert {name: made[name] for name in listed[0]} == listed[0]


@every_noun
def test_lists_are_narrowed(world: World, ivy: Caller, noun: Noun) -> None:
    made = make(ivy, noun, world.north)
    for query in noun.filters:
        assert [row["id"] for row in ivy.get(f"{noun.path}/", query).json()["results"]] == [made["id"]], query


@every_noun
def test_lists_are_ordered_both_ways(world: World, ivy: Caller, noun: Noun) -> None:
    for _ in range(2):
        make(ivy, noun, world.north, **({"code": str(_)} if noun.path == "products" else {}), **_unique(noun, _))
    for order in noun.orders:
        up = [row["id"] for row in ivy.get(f"{noun.path}/", {"ordering": order}).json()["results"]]
        down = [row["id"] for row in ivy.get(f"{noun.path}/", {"ordering": f"-{order}"}).json()["results"]]
        assert up == down[::-1]
        assert len(up) >= 2


def _unique(noun: Noun, index: int) -> dict[str, Any]:
    return {"exchange-rates": {"currency": "ABC"[index] * 3}, "assets": {"serial": f"SN-{index}"}}.get(noun.path, {})


@every_noun
def test_a_bad_value_names_its_field(world: World, ivy: Caller, noun: Noun) -> None:
    over, field = noun.bad
    answer = ivy.post(f"{noun.path}/", noun.body(make_customer(team=world.north)) | over)
    assert_problem(answer, 400, field=field or None)


@every_noun
def test_unknown_and_read_only_fields_are_refused(world: World, ivy: Caller, noun: Noun) -> None:
    body = noun.body(make_customer(team=world.north))
    assert_problem(ivy.post(f"{noun.path}/", body | {"nonsense": 1}), 400, field="nonsense", code="unknown")
    assert_problem(ivy.post(f"{noun.path}/", body | {"id": 1}), 400, field="id", code="read_only")


@pytest.mark.parametrize(("noun", "field"), [pytest.param(noun, field, id=noun.path) for noun in NOUNS for field in noun.cross])
def test_another_teams_record_cannot_be_named(world: World, ivy: Caller, noun: Noun, field: str) -> None:
    body = noun.body(make_customer(team=world.north))
    theirs = make_customer(team=world.south)
    assert_problem(ivy.post(f"{noun.path}/", body | {field: theirs.pk}), 400, field=field, code="does_not_exist")


@every_noun
def test_another_team_sees_and_changes_nothing(world: World, ivy: Caller, noun: Noun) -> None:
    made = make(ivy, noun, world.north)
    eve = Caller(world.eve)
    if noun.path in ("products", "exchange-rates"):
        return  # the price list is open to everybody
    assert eve.get(f"{noun.path}/").json()["results"] == []
    assert_problem(eve.get(f"{noun.path}/{made['id']}/"), 404)
    if noun.change:
        assert_problem(eve.patch(f"{noun.path}/{made['id']}/", noun.change, if_match=f'"{made["version"]}"'), 404)
    assert ivy.get(f"{noun.path}/{made['id']}/").json() == made


@every_changeable
def test_a_change_needs_the_version_and_raises_it(world: World, ivy: Caller, noun: Noun) -> None:
    made = make(ivy, noun, world.north)
    path, tag = f"{noun.path}/{made['id']}/", f'"{made["version"]}"'
    assert_problem(ivy.patch(path, noun.change), 428)
    changed = ivy.patch(path, noun.change, if_match=tag)
    assert changed.status_code == 200, changed.content
    assert changed.json()["version"] == made["version"] + 1
    assert_problem(ivy.patch(path, noun.change, if_match=tag), 412)
    again = ivy.get(path)
    assert again["ETag"] == changed["ETag"] == f'"{made["version"] + 1}"'
    assert ivy.get(path, if_none_match=again["ETag"]).status_code == 304


@every_changeable
def test_putting_back_what_may_be_written_is_no_change(world: World, ivy: Caller, noun: Noun) -> None:
    body = noun.body(make_customer(team=world.north))
    made = ivy.post(f"{noun.path}/", body).json()
    if noun.path == "contacts":
        body.pop("customer")
    put = ivy.put(f"{noun.path}/{made['id']}/", body, if_match=f'"{made["version"]}"')
    assert (put.status_code, put.json()) == (200, made), put.content


@pytest.mark.parametrize("noun", [noun for noun in NOUNS if not noun.change], ids=lambda noun: noun.path)
def test_what_is_history_is_not_rewritten(world: World, ivy: Caller, noun: Noun) -> None:
    made = make(ivy, noun, world.north)
    for method in ("put", "patch"):
        assert_problem(getattr(ivy, method)(f"{noun.path}/{made['id']}/", {}), 405)
    assert_problem(ivy.delete(f"{noun.path}/{made['id']}/"), 405)


@every_noun
def test_a_role_that_may_only_look_writes_nothing(world: World, ivy: Caller, noun: Noun) -> None:
    made, xia = make(ivy, noun, world.north), Caller(world.xia)
    assert xia.get(f"{noun.path}/{made['id']}/").status_code == 200
    body = noun.body(make_customer(team=world.north))
    answer = xia.post(f"{noun.path}/", body)
    assert_problem(answer, 403)
    if noun.change:
        assert_problem(xia.patch(f"{noun.path}/{made['id']}/", noun.change, if_match='"1"'), 403)


@every_noun
def test_fifty_rows_cost_few_queries_and_bytes(world: World, ivy: Caller, noun: Noun, django_assert_max_num_queries: Any) -> None:
    customer = make_customer(team=world.north)
    for index in range(52):
        over = {"code": f"P{index}"} if noun.path == "products" else {}
        over |= {"currency": f"A{index:02}"} if noun.path == "exchange-rates" else {}
        over |= {"serial": f"SN-{index}"} if noun.path == "assets" else {}
        over |= {"value": f"x{index}@example.com"} if noun.path == "contact-methods" else {}
        assert ivy.post(f"{noun.path}/", noun.body(customer) | over).status_code == 201
    with django_assert_max_num_queries(5):
        page = ivy.get(f"{noun.path}/")
    assert len(page.json()["results"]) == 50
    assert len(page.content) < 40 * 1024
    made = page.json()["results"][0]
    with django_assert_max_num_queries(6):
        ivy.get(f"{noun.path}/{made['id']}/")
