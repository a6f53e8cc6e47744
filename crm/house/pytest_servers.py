"""pytest plugin: throw-away PostgreSQL and Valkey for the length of a test run. Loaded with -p, before Django's settings are read.

Under xdist only the controller starts servers; its workers inherit the environment. With DATABASE_URL and REDIS_URL given,
those servers are used instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

from crm.house.home import Home
from crm.house.prepare import prepare_files
from crm.house.servers import Servers, own_servers_given

MOST_WORKERS = 8  # of Valkey's 16 databases; tests that start processes of their own use some of the others

_running: list[Servers] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
    os.environ.setdefault("PARETO_HTTPS", "0")
    # The browser tests drive a live server from the test's own thread, in which Playwright runs an event loop.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        _take_a_cache_of_ones_own(int(worker.removeprefix("gw")))
        return
    if own_servers_given():
        return
    home = Home.of({"PARETO_HOME": tempfile.mkdtemp(prefix="pareto-test-")})
    os.environ["PARETO_HOME"] = str(home.path)
    servers = Servers(home, throw_away=True)
    _running.append(servers)
    servers.start()
    os.environ.update(servers.environment())
    prepare_files(dict(os.environ))  # pages name their static files by what was collected


def _take_a_cache_of_ones_own(number: int) -> None:
    """The workers share one Valkey; each takes a database of it, or one test's emptied cache would be another's lost counter."""
    address, separator, _ = os.environ["REDIS_URL"].partition("?db=")
    if separator:
        os.environ["REDIS_URL"] = f"{address}?db={1 + number % MOST_WORKERS}"


def pytest_unconfigure() -> None:
    while _running:
        servers = _running.pop()
        servers.stop()
        shutil.rmtree(servers.home.path, ignore_errors=True)
