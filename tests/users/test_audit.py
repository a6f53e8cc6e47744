from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import PASSWORD, make_customer
from tests.people import World
from tests.users.signing_in import sign_in
from users.models import Event


@pytest.fixture
def ada(world: World) -> Client:
    return sign_in(world.ada)


def test_sign_in_and_out_are_events(world: World) -> None:
    browser = Client()
    browser.post(reverse("account_login"), {"login": world.sam.email, "password": PASSWORD})
    browser.post(reverse("account_logout"))
    events = Event.objects.of("account", world.sam.pk).order_by("pk")
    assert [(event.action, event.actor) for event in events] == [("signed_in", world.sam), ("signed_out", world.sam)]
    assert events[0].changes == {"address": [None, "127.0.0.1"]}


def test_a_failed_sign_in_is_an_event_without_what_was_typed(world: World) -> None:
    for login in (world.sam.email, "my secret passphrase@example.com"):
        Client().post(reverse("account_login"), {"login": login, "password": "wrong wrong wrong"})
    events = Event.objects.filter(action="sign_in_failed").order_by("pk")
    assert [event.object_id for event in events] == [world.sam.pk]
    assert not Event.objects.filter(label__contains="passphrase").exists()


def test_a_refused_page_is_one_event_a_minute(world: World) -> None:
    ana = sign_in(world.ana)
    for _again in range(3):
        assert ana.get(reverse("users:list")).status_code == 403
    assert [event.label for event in Event.objects.filter(action="denied", actor=world.ana)] == ["GET /users/"]


def test_changes_are_told_in_words(ada: Client, world: World) -> None:
    world.ana.change(by=world.ada, team=world.south, role="executive")
    page = ada.get(f"{reverse('users:audit')}?noun=user")
    (_event, changes) = page.context["events"][0]
    assert {str(change.label): (change.before, change.after) for change in changes} == {
        "team": ("North", "South"),
        "role": ("Account manager", "Executive"),
    }


def test_counts_are_told_in_words(ada: Client, world: World) -> None:
    Event.record(Event.Action.IMPORTED, noun="import", by=world.ada, changes={"counts": [None, {"created": 2, "to_do": 3, "rejected": 0}]})
    assert "<ins>to do 3, created 2</ins>" in ada.get(reverse("users:audit"), {"action": "imported"}).content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [("action=created", 1), ("action=erased", 0), ("noun=customer", 1), ("noun=nothing", None), ("day=31.2.2026", None), ("actor=x", None)],
)
def test_the_audit_is_narrowed_by_its_filters(ada: Client, world: World, query: str, count: int | None) -> None:
    make_customer(team=world.north, by=world.ana)
    page = ada.get(f"{reverse('users:audit')}?{query}")
    assert page.status_code == 200
    if count is None:
        assert page.context["form"].errors
    else:
        assert len(page.context["page"].rows) == count


def test_a_day_is_the_readers_own(ada: Client, world: World) -> None:
    today, long_ago = timezone.localdate(), timezone.localdate() - timedelta(days=400)
    assert ada.get(f"{reverse('users:audit')}?day={today}").context["page"].rows
    assert not ada.get(f"{reverse('users:audit')}?day={long_ago}").context["page"].rows


def test_an_export_neutralises_formulas_and_is_itself_an_event(ada: Client, world: World) -> None:
    make_customer("=HYPERLINK(1)", team=world.north, by=world.ana)
    answer = ada.get(f"{reverse('users:audit-export')}?noun=customer")
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))  # type: ignore[attr-defined]
    assert {row["field"]: row["after"] for row in rows}["legal_name"] == "'=HYPERLINK(1)"
    assert Event.objects.filter(action="exported", noun="event", actor=world.ada).count() == 1


def test_the_audit_costs_the_same_for_many(ada: Client, world: World, django_assert_max_num_queries: Any) -> None:
    for number in range(60):
        make_customer(team=world.north, by=world.ana, owner=world.ana, industry=str(number))
    with django_assert_max_num_queries(10):
        assert len(ada.get(reverse("users:audit")).context["page"].rows) == 50


def test_history_cannot_be_rewritten(world: World) -> None:
    make_customer(team=world.north, by=world.ana)
    with pytest.raises(Exception, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE users_event SET label = 'nothing happened'")
