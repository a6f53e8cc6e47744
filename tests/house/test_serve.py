"""What the web processes load, seen in a fresh interpreter: neither the engines' libraries nor anything that a fork would break."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from crm.house.home import ROOT

# For jobs, commands and the value engine's maths: each would cost every web process 5 to 60 MiB.
NOT_FOR_THE_WEB = frozenset(
    {"numpy", "scipy", "pandas", "lifelines", "sklearn", "matplotlib", "openpyxl", "pypinyin", "qrcode", "lxml", "playwright"}
)
LOOK = """
import json, sys, threading
from crm import serve
serve.load()
from django.db import connections
print(json.dumps({
    "modules": sorted(sys.modules),
    "threads": threading.active_count(),
    "connections": [alias for alias in connections if connections[alias].connection is not None],
}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str] | int]:
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, list[str] | int] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_web_loads_nothing_that_only_jobs_need(loaded: dict[str, list[str]]) -> None:
    assert {"customers.views.customer_list", "customers.api.customers", "users.views"} <= set(loaded["modules"])
    assert NOT_FOR_THE_WEB & set(loaded["modules"]) == set()


def test_what_is_loaded_before_the_fork_holds_no_thread_and_no_connection(loaded: dict[str, list[str] | int]) -> None:
    assert loaded["threads"] == 1
    assert loaded["connections"] == []
