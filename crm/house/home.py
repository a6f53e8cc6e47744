"""Where a running installation keeps its things: PARETO_HOME, by default var/ in the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_SOCKET_FOLDER = 80  # bytes; the kernel allows 108 for the whole path
LONGEST_FAREWELL = 45.0  # seconds that the processes of a killed start may need to end


class HouseError(Exception):
    """Something that the person at the keyboard must know and can mend; shown without a traceback."""


@dataclass(frozen=True)
class Claim:
    """What makes this process the one that runs a home.

    `lock` is held by this process alone; `lease` by everything that it starts as well, so that a start after a kill -9
    waits until the last process of the killed one has let go of the data.
    """

    lock: IO[str]
    lease: IO[str]

    def release(self) -> None:
        self.lease.close()
        self.lock.close()


@dataclass(frozen=True)
class Home:
    path: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Home:
        home = cls(Path(environment.get("PARETO_HOME") or ROOT / "var").resolve())
        try:
            home.path.mkdir(parents=True, exist_ok=True)
            home.logs.mkdir(exist_ok=True)
        except PermissionError as error:
            raise HouseError(
                f"{error.filename} cannot be written to: run as its owner, or set PARETO_HOME to a folder of your own."
            ) from error
        return home

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def sockets(self) -> Path:
        """The folder of the unix sockets: run/ in the home, or a short private folder where that path is too long."""
        folder = self.path / "run"
        if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
            name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:12]
            folder = Path(tempfile.gettempdir()) / f"pareto-{os.getuid()}-{name}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        details = folder.lstat()
        if details.st_uid != os.getuid() or not stat.S_ISDIR(details.st_mode) or details.st_mode & 0o077:
            raise HouseError(f"{folder} belongs to somebody else or is open to others; remove it and start again.")
        return folder

    def secret_key(self) -> str:
        """The installation's secret: as given, or made once and readable by its owner only."""
        if given := os.environ.get("SECRET_KEY"):
            return given
        file = self.path / "secret_key"
        if not file.exists():
            # Written whole under another name first: two commands that start together read the same secret.
            draft = file.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(64))
            try:
                os.link(draft, file)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return file.read_text().strip()

    def claim(self, holder: str) -> Claim | None:
        """Become the one that runs this home; None where somebody else does (`holder` then says who)."""
        lock = (self.path / "home.lock").open("a+")
        if not _locked(lock):
            lock.close()
            return None
        lock.truncate(0)
        lock.write(holder)
        lock.flush()
        lease = (self.path / "lease.lock").open("a")
        deadline = time.monotonic() + LONGEST_FAREWELL
        while not _locked(lease):
            if time.monotonic() > deadline:
                raise HouseError(f"Processes of an earlier start still hold {self.path}: end them and start again.")
            time.sleep(0.1)
        return Claim(lock, lease)

    @property
    def holder(self) -> str:
        """Who holds the claim, in words."""
        return (self.path / "home.lock").read_text()


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
