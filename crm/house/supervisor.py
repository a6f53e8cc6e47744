"""Keeps a handful of processes running: restarts what dies, with back-off, and stops all in order.

Own code, since honcho does not restart, circus and supervisor leave orphans after kill -9, and none knows readiness
(docs/decisions/0002). Children get a signal from the kernel when this process dies, however it dies.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from crm.house.servers import UNPRIVILEGED

LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # a process that lived this long has earned a fresh start of the back-off
TICK = 0.2


@dataclass
class Child:
    """One process to keep running. `stop_signal` asks it to end its work in an orderly way."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float = 0.0
    pause: float = field(default=0.5)

    def start(self) -> None:
        wrapped = [sys.executable, "-I", "-S", str(UNPRIVILEGED.with_name("mortal.py")), str(int(signal.SIGTERM)), *self.command]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                wrapped, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        self.started_at = time.monotonic()

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self, say: Callable[[str], None]) -> None:
        """Restart the process if it is down and its pause is over."""
        now = time.monotonic()
        if self.is_running:
            if now - self.started_at > STEADY_AFTER:
                self.pause = 0.5
            return
        if self.restart_at <= self.started_at:
            assert self.process is not None
            say(f"{self.name} ended ({self.process.returncode}); starting it again in {self.pause:.1f} s — see {self.log}")
            self.restart_at = now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
        elif now >= self.restart_at:
            self.start()


class Supervisor:
    def __init__(self, children: list[Child], say: Callable[[str], None]) -> None:
        self.children = children
        self.say = say
        self.is_stopping = False
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, self._ask_to_stop)

    def start(self, *names: str) -> None:
        for child in self.children:
            if child.name in names:
                child.start()

    def keep_running(self, *, until: Callable[[], bool] | None = None) -> None:
        """Tend the children until asked to stop, or until the condition holds."""
        while not self.is_stopping and not (until and until()):
            for child in self.children:
                if child.process is not None:
                    child.tend(self.say)
            time.sleep(TICK)

    def stop(self, *, patience: float = 30.0) -> None:
        """Ask all to end, wait, and kill what is left with everything that it started."""
        running = [child for child in self.children if child.is_running]
        for child in running:
            assert child.process is not None
            child.process.send_signal(child.stop_signal)
        deadline = time.monotonic() + patience
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} did not end in time and is killed")
                child.process.kill()

    def _ask_to_stop(self, *_: object) -> None:
        self.is_stopping = True
