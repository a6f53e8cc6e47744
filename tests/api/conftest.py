from __future__ import annotations

import pytest
from django.core.cache import cache

from tests.api.client import Caller
from tests.people import World


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After all others, even those in a browser: what threads commit stays."""
    items.sort(key=lambda item: item.path.name == "test_together.py")


@pytest.fixture(autouse=True)
def _fresh_limits() -> None:
    cache.clear()


@pytest.fixture
def ivy(world: World) -> Caller:
    """The integrator of the North, who may do nearly everything there."""
    return Caller(world.ivy)
