from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from customers.models import Customer
from tests.factories import make_customer
from tests.people import World
from users.models import Event
from users.records import StaleVersion


def test_numbers_rise_without_gaps_across_a_rollback(world: World) -> None:
    first = make_customer(team=world.north)
    with pytest.raises(RuntimeError), transaction.atomic():
        make_customer(team=world.north)
        raise RuntimeError
    second = make_customer(team=world.north)
    assert int(second.number[1:]) == int(first.number[1:]) + 1


def test_a_change_writes_one_event_with_before_and_after(world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    customer.change(by=world.ana, industry="retail", legal_name="Acme")
    event = Event.objects.of("customer", customer.pk).newest_first()[0]
    assert (event.action, event.actor, event.changes) == ("changed", world.ana, {"industry": ["", "retail"]})
    assert customer.version == 2


def test_changing_nothing_writes_nothing(world: World) -> None:
    customer = make_customer("Acme", team=world.north, annual_revenue="5.00")
    assert customer.change(by=world.ana, legal_name="Acme", annual_revenue="5") == {}
    assert customer.version == 1
    assert Event.objects.of("customer", customer.pk).count() == 1


def test_of_two_editors_with_one_version_the_second_is_told(world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    stale = Customer.objects.get(pk=customer.pk)
    customer.change(by=world.ana, expected_version=1, region="East")
    with pytest.raises(StaleVersion) as conflict:
        stale.change(by=world.mo, expected_version=1, region="West")
    assert conflict.value.current.region == "East"  # type: ignore[attr-defined]


def test_a_customer_cannot_come_to_stand_above_itself(world: World) -> None:
    top = make_customer("Top", team=world.north)
    middle = make_customer("Middle", team=world.north, parent=top)
    bottom = make_customer("Bottom", team=world.north, parent=middle)
    with pytest.raises(ValidationError) as refusal:
        top.change(by=world.ana, parent=bottom)
    assert "parent" in refusal.value.message_dict
    assert Customer.objects.get(pk=top.pk).parent is None


def test_discarding_hides_and_restoring_brings_back(world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    customer.discard(by=world.ana)
    assert not Customer.objects.visible_to(world.ana).exists()
    customer.restore(by=world.ana)
    assert Customer.objects.visible_to(world.ana).get() == customer
    assert [e.action for e in Event.objects.of("customer", customer.pk).order_by("pk")] == ["created", "discarded", "restored"]


@pytest.mark.parametrize(("who", "sees"), [("ana", 1), ("sam", 2), ("mo", 2), ("xia", 3), ("ivy", 2), ("ada", 3), ("eve", 1)])
def test_everybody_sees_what_the_own_reach_covers(world: World, who: str, sees: int) -> None:
    for team in (world.north, world.bergen, world.south):
        make_customer(team=team)
    assert Customer.objects.visible_to(getattr(world, who)).count() == sees


@pytest.mark.parametrize("words", ["华信", "上海", "shanghai", "shhx", "华 科技", "C0", "HuaXin", "信科技"])
def test_a_chinese_name_is_found_by_characters_pinyin_and_initials(world: World, words: str) -> None:
    customer = make_customer("上海华信科技有限公司", team=world.north)
    assert Customer.objects.matching(words).get() == customer


def test_chinese_names_are_similar_in_this_database(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT similarity('上海华信科技有限公司', '上海华信科技')")
        assert cursor.fetchone()[0] > 0.4


def test_history_cannot_be_rewritten(world: World) -> None:
    make_customer("Acme", team=world.north)
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.update(action="forged")
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.all().delete()
