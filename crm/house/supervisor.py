"""Keeps a handful of processes running: restarts what dies, with back-off, and shows what they complain of.

Own code, since honcho does not restart, circus and supervisor leave orphans after kill -9, and none knows readiness
(docs/decisions/0002-a-small-supervisor-of-our-own.md).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from crm.house.child import Child

TICK = 0.2
COMPLAINT = re.compile(r"^\S+ (WARNING|ERROR|CRITICAL) .*$", re.MULTILINE)  # as crm/logs.py writes them


class Supervisor:
    def __init__(self, children: list[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self.complaints = [Complaints(child.log) for child in children]
        self.say = say

    def keep_running(self, until: Callable[[], bool] = lambda: False) -> None:
        """Tend all that was started, until the condition holds."""
        while not until():
            for child in self.children:
                child.tend(self.say)
            for complaints in self.complaints:
                for line in complaints.new():
                    self.say(line)
            time.sleep(TICK)


class Complaints:
    """Warnings and errors as they come to stand in a log file."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.seen = log.stat().st_size if log.exists() else 0

    def new(self) -> list[str]:
        size = self.log.stat().st_size if self.log.exists() else 0
        if size == self.seen:
            return []
        self.seen = min(self.seen, size) if size > self.seen else 0  # a smaller file is a new one
        with self.log.open("rb") as file:
            file.seek(self.seen)
            whole_lines = file.read().rpartition(b"\n")[0]
        self.seen += len(whole_lines) + 1 if whole_lines else 0
        return [match[0] for match in COMPLAINT.finditer(whole_lines.decode(errors="replace"))]
