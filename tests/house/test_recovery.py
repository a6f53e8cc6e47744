"""A job whose worker is killed in the middle is taken up by another one, and is done once. A valuation is published whole."""

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
VALUE = "from customers.models import Job; Job.start('value-run', by=None, title='Value')"
SCORES = "SELECT string_agg(customer_id || ':' || clv || ':' || tier, ',' ORDER BY customer_id) FROM segmentation_score"
PUBLISHER_WAITS = "SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO segmentation_score%'"
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


def test_a_valuation_whose_worker_is_killed_while_publishing_is_published_once_and_whole(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def manage(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout

    manage("migrate", "--verbosity", "0")
    manage("generate", "--customers", "40", "--seed", "1")
    manage("rescore")
    with closing(_connect(DATABASE)) as connection, connection.cursor() as cursor, closing(_connect(DATABASE)) as other:

        def ask(question: str) -> Any:
            cursor.execute(question)
            row = cursor.fetchone()
            return row[0] if row else None

        before = ask(SCORES)
        cursor.execute("UPDATE customers_order SET amount = amount * 3")
        with other.cursor() as holder:
            holder.execute("BEGIN; LOCK segmentation_score IN SHARE MODE")  # readers go on, the publisher waits
            manage("shell", "-c", VALUE)
            with _worker(environment, tmp_path / "first.log", app="crm") as first:
                eventually(lambda: ask(PUBLISHER_WAITS), 90, "the run is about to publish")
                os.killpg(first.pid, signal.SIGKILL)
            holder.execute("ROLLBACK")
        eventually(lambda: not ask(PUBLISHER_WAITS), 30, "the database has noticed that the publisher is gone")
        assert ask(SCORES) == before
        assert ask("SELECT count(*) FROM segmentation_valuerun WHERE state = 'published'") == 1

        cursor.execute("UPDATE customers_job SET heartbeat_at = now() - interval '1 minute'")  # as if a minute had passed
        manage("shell", "-c", SWEEP)
        with _worker(environment, tmp_path / "second.log", app="crm"):
            eventually(lambda: ask("SELECT count(*) FROM segmentation_valuerun WHERE state = 'published'") == 2, 90, "the run is published")
        assert ask(SCORES) != before
        assert ask("SELECT count(DISTINCT run_id) FROM segmentation_score") == 1
        assert ask("SELECT count(*) FROM segmentation_stale WHERE run_id IS NOT NULL") == 0


@contextmanager
def _worker(environment: dict[str, str], log: Path, app: str = "tests.house.counting") -> Iterator[subprocess.Popen[bytes]]:
    """A real worker in a process group of its own."""
    command = [sys.executable, "-m", "celery", "-A", app, "worker", "--concurrency", "1", "--loglevel", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=60)
