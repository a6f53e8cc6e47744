"""One process that the house keeps: how it is started, watched, restarted and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Both are started as scripts of their own, before exec; the isolated interpreter without site-packages starts in 15 ms.
MORTAL = Path(__file__).with_name("mortal.py")
UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_AFTER = 60.0  # a process that lived this long has earned a fresh start of the back-off
LARGEST_LOG = 10_000_000


@dataclass
class Child:
    """A command, run under `wrapper`. `stop_signal` asks it to end its work in an orderly way."""

    name: str
    command: list[str]
    log: Path
    environment: Mapping[str, str] | None = None
    wrapper: Path = MORTAL
    stop_signal: signal.Signals = signal.SIGTERM
    kill_signal: signal.Signals = signal.SIGUSR2  # for mortal.py: kill the command with all that it started
    lease: int | None = None  # a descriptor that it keeps open while it lives
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float | None = None
    pause: float = SHORTEST_PAUSE

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        wrapped = [sys.executable, "-I", "-S", str(self.wrapper), str(int(self.stop_signal)), *self.command]
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C at the terminal reaches the supervisor alone, which stops things in order.
            self.process = subprocess.Popen(
                wrapped,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[] if self.lease is None else [self.lease],
            )
        self.started_at = time.monotonic()
        self.restart_at = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def tend(self, say: Callable[[str], None]) -> None:
        """Start it again when it has ended and its pause is over; each early end doubles the pause."""
        if self.process is None or self.is_running:
            return
        now = time.monotonic()
        if self.restart_at is None:
            self.pause = SHORTEST_PAUSE if now - self.started_at > STEADY_AFTER else self.pause
            say(f"{self.name} ended ({self.process.returncode}); starting it again in {self.pause:.1f} s — see {self.log}")
            self.restart_at = now + self.pause
            self.pause = min(2 * self.pause, LONGEST_PAUSE)
        elif now >= self.restart_at:
            self.start()

    def ask_to_stop(self) -> None:
        if self.process is not None and self.is_running:
            self.process.send_signal(self.stop_signal)

    def wait_or_kill(self, deadline: float) -> bool:
        """Wait until it has ended; at the deadline kill it. False when it had to be killed."""
        if self.process is None:
            return True
        try:
            self.process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.send_signal(self.kill_signal)
            self.process.wait()
            return False
        return True


def stop_all(children: list[Child], say: Callable[[str], None], *, patience: float) -> None:
    """Ask all to end and wait for them; kill what is left, and everything at once when asked a second time."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + patience
    for child in children:
        try:
            ended = child.wait_or_kill(deadline)
        except KeyboardInterrupt:
            deadline = 0.0
            ended = child.wait_or_kill(deadline)
        if not ended:
            say(f"{child.name} did not end in time and was killed")
