"""Servers for the length of one command: those that are up in this home, or own ones."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from crm.house.home import Home
from crm.house.prepare import bring_tables_into_being
from crm.house.servers import Servers, own_servers_given


@contextmanager
def borrowed_servers(home: Home, command: str) -> Iterator[dict[str, str]]:
    """What the environment of `command` needs in order to reach its servers."""
    common = {"SECRET_KEY": home.secret_key(), "PARETO_HOME": str(home.path)}
    if own_servers_given():
        yield common
        return
    with (home.path / "commands.lock").open("a") as commands:
        fcntl.flock(commands, fcntl.LOCK_SH)
        claim = home.claim(f"{command}, process {os.getpid()}")
        servers = Servers(home, lease=claim.lease.fileno() if claim else None)
        try:
            if claim:
                servers.start()
                bring_tables_into_being({"PARETO_HTTPS": "0"} | os.environ | common | servers.environment(), home.postgres)
            else:
                servers.wait_until_ready()
            yield common | servers.environment()
        finally:
            if claim:
                # Other commands may have come to use the servers that this one started: the last one out turns off the light.
                fcntl.flock(commands, fcntl.LOCK_EX)
                servers.stop()
                claim.release()
