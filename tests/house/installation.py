"""A real `bin/up` in a home of its own, and what can be seen of it from outside."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("DATABASE_URL", "REDIS_URL", "PARETO_HOME", "SECRET_KEY", "PYTHONDONTWRITEBYTECODE")

# An interpreter under somebody's home cannot be read by others: the ordinary user may read (and only read) everything.
ORDINARY_USER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
ORDINARY_USER += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]


def broker(database: int) -> str:
    """Another database of the test run's Valkey."""
    return f"{os.environ['REDIS_URL'].partition('?')[0]}?db={database}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(condition: Callable[[], object], within: float, what: str) -> None:
    """Wait for it. The limits are for a machine with much else to do; where all is well, nothing waits for them."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what}"
        time.sleep(0.1)


class Installation:
    def __init__(self, home: Path, *, port: int = 0, run_as: list[str] | None = None, **environment: Any) -> None:
        self.home = home
        self.port = port or free_port()
        self.output = home.with_suffix(".out")
        self.root = ROOT
        # Not through bin/up itself: it would make this very environment into one without the tools of development.
        self._command = [*(run_as or []), sys.executable, "-m", "crm.house.up"]
        theirs = {name: value for name, value in os.environ.items() if name not in OURS}
        self._environment = theirs | {"PARETO_HOME": str(home), "PORT": str(self.port), "PARETO_DEMO": "0", "HOME": str(home)} | environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self._command, cwd=self.root, env=self._environment, stdout=output, stderr=output, start_new_session=True
            )

    def wait_until_served(self) -> None:
        eventually(lambda: "Pareto CRM is at" in self.said or self._ended(), 180, f"served (see {self.output})")
        assert not self._ended(), self.said
        assert "still no answer" not in self.said, self.said

    def wait_for_the_end(self, within: float = 60.0) -> int:
        assert self.process is not None
        return self.process.wait(timeout=within)

    def stop(self) -> None:
        """Whatever the test did, nothing of it is left running."""
        if self.process is not None and self.process.poll() is None:
            self.send(signal.SIGINT)
            try:
                self.wait_for_the_end()
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    @property
    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def health(self) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()

    def processes(self) -> dict[int, str]:
        """Everything that the supervisor has started, by process id, with its command line."""
        assert self.process is not None
        parents = dict(_parents())
        found: dict[int, str] = {}
        for process in parents:
            ancestor = process
            while ancestor in parents and ancestor != self.process.pid:
                ancestor = parents[ancestor]
            if ancestor == self.process.pid and process != self.process.pid:
                found[process] = command_of(process)
        return found

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "crm.house.manage", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True).stdout

    def _ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


class Checkout(Installation):
    """A copy of the sources, started by its own bin/up with nothing but the port said, as a newcomer does."""

    def __init__(self, root: Path) -> None:
        super().__init__(root / "var")
        self.root = root
        self._command = [str(root / "bin" / "up")]
        for name in ("PARETO_HOME", "PARETO_DEMO"):
            del self._environment[name]


def clean_copy(root: Path) -> None:
    """The files under version control as they stand here, and this environment in place of one that is installed for minutes."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    # A folder of links rather than one link: the stamp, which says that all is installed, is the copy's own.
    (root / ".venv").mkdir()
    for path in Path(sys.prefix).iterdir():
        if path.name != "pareto-stamp":
            (root / ".venv" / path.name).symlink_to(path)
    wanted = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()
    (root / ".venv" / "pareto-stamp").write_text(wanted)


@contextmanager
def installed(home: Path, **options: Any) -> Iterator[Installation]:
    """Started and served, and stopped in the end."""
    installation = Installation(home, **options)
    installation.start()
    try:
        installation.wait_until_served()
        yield installation
    finally:
        installation.stop()


def is_alive(process: int, command: str) -> bool:
    return command_of(process) == command != ""


def command_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # The name of the command stands in brackets and may hold anything; the parent is the second word after it.
                yield int(folder.name), int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
