"""Seconds and memory of processes, read from /proc: on a shared machine CPU time is the only steady figure."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    wall: float = 0.0  # seconds
    cpu: float = 0.0  # seconds, of our process and of the database's
    peak_mb: float = 0.0  # of our process


def database_cpu() -> float:
    """CPU seconds of the database server so far: the postmaster, its children, and those that have ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend: int = cursor.fetchone()[0]
    postmaster = int(_stat(backend)[1])
    children = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _parent(int(path.name)) == postmaster]
    own = sum(int(value) for value in _stat(postmaster)[11:15])  # with what its ended children used
    return (own + sum(sum(int(value) for value in _stat(child)[11:13]) for child in children)) / TICKS


def run_child(arguments: list[str]) -> Cost:
    """Run a command of ours to its end; raises where it fails."""
    before, started = database_cpu(), time.monotonic()
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{' '.join(arguments)} failed")
    own = usage.ru_utime + usage.ru_stime
    return Cost(time.monotonic() - started, own + database_cpu() - before, usage.ru_maxrss / 1024)


@contextmanager
def measured() -> Iterator[Cost]:
    """What the block costs, here and in the database."""
    cost, before, started, usage = Cost(), database_cpu(), time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    yield cost
    after = resource.getrusage(resource.RUSAGE_SELF)
    cost.wall = time.monotonic() - started
    own = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    cost.cpu, cost.peak_mb = own + database_cpu() - before, after.ru_maxrss / 1024


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, which may itself hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except FileNotFoundError:
        return 0
