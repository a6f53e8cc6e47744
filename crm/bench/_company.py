"""The generated companies that the benchmarks look at: each a database of its own in the bench's cluster, kept for the next run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from crm.house.home import ROOT

SEED = 1
COMPLETE = "complete, seed 1"


def company_of(customers: int) -> str:
    """The DATABASE_URL of the company with so many customers; it is generated where it is not there yet."""

    def generate(url: str) -> None:
        print(f"generating {customers:,} customers into bench_{customers}", flush=True)
        manage(url, "generate", "--customers", str(customers), "--seed", str(SEED))

    return kept(f"bench_{customers}", COMPLETE, generate)


def kept(name: str, state: str, fill: Callable[[str], None]) -> str:
    """The DATABASE_URL of a database that `fill` has filled, with the tables as they are now; made where it is not in that state."""
    url = _url(name)
    is_there = _state(name) == state
    if not is_there:
        _run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        _run(f"CREATE DATABASE {name}")
    manage(url, "migrate", "--no-input", "--verbosity", "0")
    if not is_there:
        fill(url)
        _vacuum(url)
        _run(f"COMMENT ON DATABASE {name} IS '{state}'")
    return url


def _url(database: str) -> str:
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}"))


def _state(name: str) -> str | None:
    with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
        row = cursor.fetchone()
    return row[0] if row else None


def _run(statement: str) -> None:
    _execute(os.environ["DATABASE_URL"], statement)


def _vacuum(url: str) -> None:
    """What autovacuum would have done by the next day: the visibility map for index-only scans, fresh statistics."""
    _execute(url, "VACUUM (ANALYZE)")


def _execute(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


def manage(url: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, check=True)
