"""Where a running installation keeps its things: PARETO_HOME, by default var/ in the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_SOCKET_FOLDER = 80  # the kernel allows 108 bytes for the whole path


class HouseError(Exception):
    """Something that the person at the keyboard must know and can mend; shown without a traceback."""


@dataclass(frozen=True)
class Home:
    path: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Home:
        home = cls(Path(environment.get("PARETO_HOME") or ROOT / "var").resolve())
        home.path.mkdir(parents=True, exist_ok=True)
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
        if details.st_uid != os.getuid() or not stat.S_ISDIR(details.st_mode) or details.st_mode & 0o022:
            raise HouseError(f"{folder} belongs to somebody else or is open to others; remove it and start again.")
        return folder

    def secret_key(self) -> str:
        """The installation's secret, made once and readable by its owner only."""
        file = self.path / "secret_key"
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(secrets.token_urlsafe(64))
        except FileExistsError:
            pass
        return file.read_text().strip()

    def lock_servers(self) -> IO[str] | None:
        """The lock of whoever runs this home's servers; None where somebody else holds it. Held until closed."""
        handle = (self.path / "servers.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.close()
            return None
        return handle
