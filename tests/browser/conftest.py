"""A real browser against a live server. Its pages are watched: what the console complains of fails the test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Response
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from crm.house.browser import find_or_fetch_chromium
from tests.browser.furniture import Furniture, furnish
from tests.people import World
from users.models import User

HERE = Path(__file__).parent

# A browser fetched from npm is one process, and root has no sandbox; neither matters for pages of our own.
ARGUMENTS = ["--no-sandbox", "--no-zygote", "--in-process-gpu", "--disable-dev-shm-usage"]

SignIn = Callable[[User], Page]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], site: str) -> dict[str, Any]:
    # After `site`, and so closed before it: an open browser keeps the server's threads and their connections alive.
    chromium = os.environ.get("PARETO_CHROMIUM") or find_or_fetch_chromium()
    return {**browser_type_launch_args, "executable_path": str(chromium), "args": ARGUMENTS}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After all others: what these tests write stays, since the server is another thread and sees committed rows only."""
    items.sort(key=lambda item: HERE in item.path.parents)


@pytest.fixture(scope="session")
def site(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The address of the one live server. (pytest-django's own would empty the database after each test.)"""
    server = LiveServer("localhost")
    yield server.url
    server.stop()
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        # What a thread of the server left open would hold up the removal of the database.
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture(autouse=True)
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """In place of pytest-django's, whose transaction would hide the rows from the server."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(scope="session")
def world(_world: World) -> World:
    return _world


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], site: str) -> dict[str, Any]:
    return {
        **browser_context_args,
        "base_url": site,
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-US",
        "reduced_motion": "reduce",
    }


@pytest.fixture
def complaints(context: BrowserContext) -> Iterator[list[str]]:
    """What the console and the network say is wrong; a test that expects a complaint clears the list."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            said.append(f"{message.text} ({message.location.get('url', '')})")

    def look(response: Response) -> None:
        if response.status >= 500:
            said.append(f"{response.status} {response.url}")

    context.on("console", hear)
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("response", look)
    yield said
    assert said == []


@pytest.fixture
def signed_in_page(context: BrowserContext, site: str, complaints: list[str]) -> SignIn:
    """A page of somebody who has signed in; that the form does it is what test_sign_in.py is about."""

    def sign_in(user: User) -> Page:
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])
        return context.new_page()

    return sign_in


@pytest.fixture(scope="session")
def furniture(_world: World, django_db_blocker: DjangoDbBlocker) -> Furniture:
    with django_db_blocker.unblock():
        return furnish(_world)
