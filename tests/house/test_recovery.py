"""A job whose worker is killed in the middle is taken up by another one, and is done once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
import pytest

from tests.house.counting import UP_TO
from tests.house.installation import ROOT, broker, eventually

START = "from customers.models import Job; print(Job.start('count', by=None, title='Count').pk)"
SWEEP = "from customers.tasks import requeue_stuck_jobs; requeue_stuck_jobs()"
DATABASE = "recovery"


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A database of its own: workers are other processes, and see committed rows only."""
    address = urlsplit(os.environ["DATABASE_URL"])
    with closing(_connect(address.path[1:])) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
        yield os.environ | {"DATABASE_URL": address._replace(path=f"/{DATABASE}").geturl(), "REDIS_URL": broker(11)}
        cursor.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _connect(database: str) -> psycopg2.extensions.connection:
    address = urlsplit(os.environ["DATABASE_URL"])
    host = unquote(address.netloc.rpartition("@")[2])
    connection = psycopg2.connect(host=host, user=address.username, dbname=database)
    connection.autocommit = True
    return connection


def test_a_killed_workers_job_is_resumed_and_done_once(environment: dict[str, str], tmp_path: Path) -> None:
    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    manage("migrate", "--verbosity", "0")
    with closing(_connect(DATABASE)) as connection, connection.cursor() as cursor:

        def ask(question: str) -> Any:
            cursor.execute(question)
            row = cursor.fetchone()
            return row[0] if row else None

        manage("shell", "-c", START)
        with _worker(environment, tmp_path / "first.log") as first:
            eventually(lambda: ask("SELECT progress FROM customers_job") > 5, 60, "the job is under way")
            os.killpg(first.pid, signal.SIGKILL)
        counted = ask("SELECT progress FROM customers_job")
        assert 5 < counted < UP_TO
        assert ask("SELECT state FROM customers_job") == "running"

        cursor.execute("UPDATE customers_job SET heartbeat_at = now() - interval '1 minute'")  # as if a minute had passed
        manage("shell", "-c", SWEEP)
        with _worker(environment, tmp_path / "second.log"):
            eventually(lambda: ask("SELECT state FROM customers_job") == "done", 60, "the job is done")

        assert ask("SELECT attempts FROM customers_job") == 2
        assert ask("SELECT value FROM customers_counter WHERE name = 'counted'") == UP_TO


@contextmanager
def _worker(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real worker in a process group of its own."""
    command = [sys.executable, "-m", "celery", "-A", "tests.house.counting", "worker", "--concurrency", "1", "--loglevel", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=60)
