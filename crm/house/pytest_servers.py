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

_running: list[Servers] = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
    os.environ.setdefault("PARETO_HTTPS", "0")
    # The browser tests drive a live server from the test's own thread, in which Playwright runs an event loop.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    if own_servers_given() or "PYTEST_XDIST_WORKER" in os.environ:
        return
    home = Home.of({"PARETO_HOME": tempfile.mkdtemp(prefix="pareto-test-")})
    os.environ["PARETO_HOME"] = str(home.path)
    servers = Servers(home, throw_away=True)
    _running.append(servers)
    servers.start()
    os.environ.update(servers.environment())
    prepare_files(dict(os.environ))  # pages name their static files by what was collected


def pytest_unconfigure() -> None:
    while _running:
        servers = _running.pop()
        servers.stop()
        shutil.rmtree(servers.home.path, ignore_errors=True)
