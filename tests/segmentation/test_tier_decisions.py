"""What people decide about tiers: approving, refusing, overriding."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from segmentation import actions
from segmentation.models import Score, TierDecision, TierOverride
from tests.factories import make_customer, make_decision, make_score
from tests.people import World
from users.models import Event


@pytest.fixture
def customer(world: World) -> Customer:
    """Platinum; its value of 50,000 speaks for Gold, and somebody has to approve that."""
    customer = make_customer("Nordlys", team=world.north, owner=world.ana)
    make_score(customer=customer, tier=1, proposed_tier=2, proposal="approval", proposed_since=timezone.localdate())
    make_decision(customer=customer, kind="approval", from_tier=1, tier=1, proposed_tier=2)
    return customer


@pytest.fixture
def xia(client: Client, world: World) -> Client:
    client.force_login(world.xia)
    return client


def test_an_approved_move_happens_at_once_and_is_in_the_ledger(xia: Client, world: World, customer: Customer) -> None:
    answer = xia.post(f"/customers/{customer.pk}/tier/approval/", {"proposed_tier": "2", "reason": "Known"})
    assert answer.headers["Location"] == f"/customers/{customer.pk}/"
    score = Score.objects.get(customer=customer)
    assert (score.tier, score.proposal, score.proposed_tier, score.tier_since) == (2, "", None, timezone.localdate())
    assert (score.distance_up, score.distance_down) == (Decimal(50_000), Decimal(30_000))
    row = TierDecision.objects.newest_first().first()
    assert row is not None
    assert (row.kind, row.from_tier, row.tier, row.by, row.reason) == ("approved", 1, 2, world.xia, "Known")
    assert row.inputs["boundaries"]["gold"] == 20_000.0


def test_an_approval_is_in_the_customers_history(xia: Client, customer: Customer) -> None:
    xia.post(f"/customers/{customer.pk}/tier/approval/", {"proposed_tier": "2"})
    event = Event.objects.of("score", customer.pk).get()
    assert (event.customer_id, event.changes["tier"]) == (customer.pk, [1, 2])


def test_a_refused_move_leaves_the_customer_and_drops_the_proposal(xia: Client, customer: Customer) -> None:
    xia.post(f"/customers/{customer.pk}/tier/refusal/", {"proposed_tier": "2"})
    score = Score.objects.get(customer=customer)
    assert (score.tier, score.proposal) == (1, "")
    assert [row.kind for row in TierDecision.objects.newest_first()[:1]] == ["refused"]


@pytest.mark.parametrize("act", ["approval", "refusal"])
@pytest.mark.parametrize("proposed", ["3", "", "nonsense"])
def test_who_decides_on_what_is_no_longer_proposed_is_told(xia: Client, customer: Customer, act: str, proposed: str) -> None:
    answer = xia.post(f"/customers/{customer.pk}/tier/{act}/", {"proposed_tier": proposed})
    assert answer.status_code == 409
    assert "Nothing was written" in answer.content.decode()
    assert Score.objects.get(customer=customer).tier == 1


def test_of_two_who_decide_one_wins(world: World, customer: Customer) -> None:
    actions.approve_move(customer=customer, by=world.xia, proposed_tier=2)
    with pytest.raises(actions.Superseded):
        actions.refuse_move(customer=customer, by=world.ada, proposed_tier=2)


def test_a_proposal_that_waits_for_a_second_run_is_not_a_persons_to_approve(world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer, proposed_tier=3, proposal="confirm")
    with pytest.raises(actions.Superseded):
        actions.approve_move(customer=customer, by=world.xia, proposed_tier=3)


def override(browser: Client, customer: Customer, **values: object) -> int:
    sent = {"tier": "1", "reason": "Opens China", "ends_on": timezone.localdate() + timedelta(days=30), **values}
    return browser.post(f"/customers/{customer.pk}/tier/override/", sent).status_code


def test_an_override_shows_at_once_and_says_why_until_when_and_who(client: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer)
    client.force_login(world.mo)
    assert override(client, customer, owner=world.ana.pk) == 302
    row, score = TierDecision.objects.get(), Score.objects.get()
    assert (row.kind, row.from_tier, row.tier, row.reason) == ("overridden", 2, 1, "Opens China")
    assert (score.tier, score.is_overridden, TierOverride.objects.get().owner) == (1, True, world.ana)


def test_an_override_takes_the_place_of_the_one_before(client: Client, world: World) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer)
    client.force_login(world.mo)
    for tier in ("1", "3"):
        override(client, customer, tier=tier, owner=world.mo.pk)
    assert [one.tier for one in TierOverride.objects.standing(timezone.localdate())] == [3]


def test_who_has_not_been_valued_can_have_an_override(world: World) -> None:
    customer, until = make_customer(team=world.north), timezone.localdate() + timedelta(days=9)
    actions.override_tier(customer=customer, by=world.mo, tier=1, reason="New", owner=world.mo, ends_on=until)
    assert TierOverride.objects.get().tier == 1


@pytest.mark.parametrize(
    ("field", "value"), [("reason", " "), ("ends_on", "2020-01-01"), ("ends_on", ""), ("tier", "5"), ("owner", "999999")]
)
def test_a_bad_override_names_its_field(client: Client, world: World, field: str, value: str) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer)
    client.force_login(world.mo)
    assert override(client, customer, **{"owner": world.mo.pk, field: value}) == 422
    assert not TierOverride.objects.exists()
    assert Score.objects.get().tier == 2


def test_an_override_is_ended_once(client: Client, world: World) -> None:
    customer, until = make_customer(team=world.north), timezone.localdate() + timedelta(days=9)
    standing = actions.override_tier(customer=customer, by=world.mo, tier=1, reason="New", owner=world.mo, ends_on=until)
    client.force_login(world.mo)
    answers = [client.post(f"/tier-overrides/{standing.pk}/end/").status_code for _ in range(2)]
    assert answers == [302, 409]


def test_a_reason_is_more_than_blanks(world: World) -> None:
    with pytest.raises(ValidationError):
        actions.override_tier(
            customer=make_customer(team=world.north), by=world.mo, tier=1, reason=" ", owner=world.mo, ends_on=timezone.localdate()
        )
