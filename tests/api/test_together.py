"""Many at once, with real threads and real commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from customers.models import Customer
from tests.api.client import Caller
from tests.factories import make_customer, make_team, make_user
from users.access import Role
from users.models import IdempotentReply, User

TWINS = 20
_serial = count(1)


@pytest.fixture
def ivy(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[User]:
    """Somebody of a team of her own, in rows that the threads can see and that stay: see `conftest.pytest_collection_modifyitems`."""
    with django_db_blocker.unblock():
        name = f"together-{next(_serial)}"
        yield make_user(name, team=make_team(name), role=Role.INTEGRATOR)


def at_once(act: Callable[[int], Any], times: int = TWINS) -> list[Any]:
    def one(index: int) -> Any:
        try:
            return act(index)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_of_twenty_who_submit_the_same_one_creates(ivy: User) -> None:
    callers = [Caller(ivy) for _ in range(TWINS)]
    for round_ in range(20):
        answers = at_once(lambda i: callers[i].post("customers/", {"legal_name": f"Acme {round_}"}, idempotency_key=f"key-{round_}"))  # noqa: B023
        assert {answer.status_code for answer in answers} <= {201, 409}
        made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
        assert len(made) == 1
    assert Customer.objects.filter(team=ivy.team).count() == 20
    assert IdempotentReply.objects.filter(user=ivy, status=201).count() == 20


def test_of_twenty_editors_one_wins(ivy: User) -> None:
    customer = make_customer("Acme", team=ivy.team)
    callers = [Caller(ivy) for _ in range(TWINS)]
    for version in range(1, 6):
        answers = at_once(
            lambda i: callers[i].patch(f"customers/{customer.pk}/", {"region": f"{version}-{i}"}, if_match=f'"{version}"')  # noqa: B023
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * (TWINS - 1)
    assert Customer.objects.get(pk=customer.pk).version == 6


def test_numbers_are_unique_and_without_gaps(ivy: User) -> None:
    callers = [Caller(ivy) for _ in range(TWINS)]
    answers = at_once(lambda i: [callers[i].post("customers/", {"legal_name": "x"}).json()["number"] for _ in range(5)])
    numbers = sorted(int(number[1:]) for some in answers for number in some)
    assert numbers == list(range(numbers[0], numbers[0] + 5 * TWINS))
