from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.people import World
from tests.users.signing_in import sign_in
from users.models import Team


@pytest.fixture
def ada(world: World) -> Client:
    return sign_in(world.ada)


def posted(team: Team, **changes: Any) -> dict[str, Any]:
    return {"name": team.name, "kind": team.kind, "parent": team.parent_id or "", "version": team.version, **changes}


def test_a_team_moves_with_everything_below_it(ada: Client, world: World) -> None:
    assert ada.post(reverse("users:team", args=[world.north.pk]), posted(world.north, parent=world.south.pk)).status_code == 302
    bergen = Team.objects.get(pk=world.bergen.pk)
    assert bergen.path == f"/{world.head_office.pk}/{world.south.pk}/{world.north.pk}/{world.bergen.pk}/"


@pytest.mark.parametrize("below", ["north", "bergen"])
def test_a_circle_of_teams_is_an_error_of_the_field(ada: Client, world: World, below: str) -> None:
    page = ada.post(reverse("users:team", args=[world.north.pk]), posted(world.north, parent=getattr(world, below).pk))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["parent"]
    assert Team.objects.get(pk=world.north.pk).parent_id == world.head_office.pk


def test_a_new_team_hangs_where_it_was_asked_for(ada: Client, world: World) -> None:
    ada.post(reverse("users:team-add"), {"name": "Oslo", "kind": "city", "parent": world.north.pk})
    assert Team.objects.get(name="Oslo").path.startswith(world.north.path)


def test_a_team_name_is_taken_once(ada: Client, world: World) -> None:
    page = ada.post(reverse("users:team-add"), {"name": "North", "kind": "city", "parent": ""})
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["name"])


def test_a_stale_move_is_a_conflict(ada: Client, world: World) -> None:
    stale = posted(world.north, parent=world.south.pk)
    world.north.change(by=world.ada, parent=None)
    page = ada.post(reverse("users:team", args=[world.north.pk]), stale)
    assert page.status_code == 412
    assert [one.name for one in page.context["conflict"].fields] == ["parent"]
    assert "Somebody else changed this" in page.content.decode()
