"""The web server as bin/up starts it, on a company of the benchmark, with what its processes and the database's cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import psycopg2

from crm.house import commands
from crm.house.home import ROOT
from crm.house.up import ONE_THREAD

TICKS = os.sysconf("SC_CLK_TCK")
READY_WITHIN = 60.0


class Memory(NamedTuple):
    """PSS in MiB: pages that are shared, such as those from before the fork, are divided among those who share them."""

    workers: float
    parent: float


class Web:
    """Two workers of granian on a free port, for the length of a `with` block."""

    def __init__(self, database_url: str) -> None:
        self.port = _free_port()
        self._environment = os.environ | ONE_THREAD | {
            "DATABASE_URL": database_url,
            "DJANGO_SETTINGS_MODULE": "crm.bench._settings",
            "PARETO_PROCESS": "bench-web",
            "PARETO_HTTPS": "0",
        }  # fmt: skip
        self._postmaster = _postmaster(database_url)

    def __enter__(self) -> Self:
        command = [*commands.as_python(commands.WEB, sys.executable), "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
        )
        deadline = time.monotonic() + READY_WITHIN
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("The web server did not start: try bin/up.")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=60)

    def cpu(self) -> float:
        """CPU seconds so far, of the web processes and of the database server with all that it started."""
        web = sum(_own_ticks(pid) for pid in [self._process.pid, *self.workers()])
        return (web + _ticks_with_children(self._postmaster)) / TICKS

    def workers(self) -> list[int]:
        return [pid for pid in _children(self._process.pid) if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def memory(self) -> Memory:
        return Memory(sum(_pss_mib(pid) for pid in self.workers()), _pss_mib(self._process.pid))

    def _answers(self) -> bool:
        with closing(self.connect()) as client:
            try:
                client.request("GET", "/account/login/")
                return client.getresponse().status == 200
            except OSError:
                return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _postmaster(database_url: str) -> int:
    with closing(psycopg2.connect(database_url)) as connection:
        return int(_stat(connection.info.backend_pid)[1])


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may itself hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _pss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _own_ticks(pid: int) -> int:
    return sum(int(value) for value in _stat(pid)[11:13])


def _ticks_with_children(pid: int) -> int:
    """Of the process, of its children now, and of those that have ended; again where one ends just now."""
    while True:
        with suppress(FileNotFoundError, ProcessLookupError):
            running = sum(_own_ticks(child) for child in _children(pid))
            return running + sum(int(value) for value in _stat(pid)[11:15])
