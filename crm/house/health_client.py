"""Asks a running web process how everything is, as bin/up and the containers' health checks do."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

PARTS = ["web", "database", "broker", "worker", "beat"]


class Health:
    """Says of each part when it first answers. A sign of life that is older than this object does not count."""

    def __init__(self, host: str, port: int, say: Callable[[str], None]) -> None:
        self.host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        self.port = port
        self.say = say
        self.since = time.monotonic()
        self.waiting_for = list(PARTS)

    def is_good(self) -> bool:
        state = ask(self.host, self.port)
        age = time.monotonic() - self.since
        for part in list(self.waiting_for):
            answer = state.get(part, {})
            if answer.get("ok") and answer.get("seconds_ago", 0) <= age:
                self.say(f"{part} answers")
                self.waiting_for.remove(part)
        return not self.waiting_for


def ask(host: str, port: int) -> dict[str, Any]:
    """What /healthz says, with `web` added; empty where nobody answers."""
    # The name by which this installation is called: to any other it answers 400.
    name = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".*") or "localhost"
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        state: dict[str, Any] = json.load(connection.getresponse())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return {"web": {"ok": True}} | state


def main() -> int:
    """python -m crm.house.health_client PART …: 0 when these parts are well, as web on PARETO_WEB_HOST sees it."""
    state = ask(os.environ.get("PARETO_WEB_HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000")))
    return 0 if all(state.get(part, {}).get("ok") for part in sys.argv[1:]) else 1


if __name__ == "__main__":
    sys.exit(main())
