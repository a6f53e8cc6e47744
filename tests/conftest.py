from __future__ import annotations

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from tests.people import World, make_world


def pytest_configure() -> None:
    """The real hash takes 80 ms on purpose; the tests sign in hundreds of times."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def _world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> World:
    """The people are written once per test database; each test's own rows are rolled back around them."""
    with django_db_blocker.unblock():
        return make_world()


@pytest.fixture
def world(_world: World, db: None) -> World:
    for person in vars(_world).values():
        person.refresh_from_db()
        person.__dict__.pop("reach", None)
    return _world
