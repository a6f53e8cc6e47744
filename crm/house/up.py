"""bin/up: everything that the product needs, in the foreground of one terminal."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from crm.house import commands
from crm.house.home import ROOT, Home, HouseError
from crm.house.prepare import prepare_files
from crm.house.servers import Servers, own_servers_given
from crm.house.supervisor import Child, Supervisor

STARTED = time.monotonic()
READY_WITHIN = 60.0


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def main() -> int:
    try:
        return run(Home.of())
    except HouseError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1


def run(home: Home) -> int:
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    _refuse_a_taken_port(host, port)
    lock = home.lock_servers()
    if lock is None:
        raise HouseError(f"Pareto CRM is already running on {home.path} (or bin/manage is at work there).")
    servers = None if own_servers_given() else Servers(home)
    if servers:
        say("starting PostgreSQL and Valkey")
    try:
        if servers:
            servers.start()
        return _serve(home, host, port, servers.environment if servers else {"SECRET_KEY": _secret(home)})
    finally:
        if servers:
            say("stopping PostgreSQL and Valkey")
            servers.stop()
        lock.close()


def _serve(home: Home, host: str, port: int, servers: dict[str, str]) -> int:
    environment = os.environ | servers | {"PARETO_HTTPS": os.environ.get("PARETO_HTTPS", "0"), "PARETO_HOME": str(home.path)}
    home.logs.mkdir(exist_ok=True)
    say("preparing the files")
    prepare_files(environment)
    _bring_the_database_up_to_date(home, environment)
    supervisor = Supervisor(_children(home, host, port, environment), say)
    address = f"http://{host}:{port}"
    say("starting web, then worker and beat")
    supervisor.start("web")  # first and alone: people wait for it
    supervisor.keep_running(until=_answers(address, ["web"]))
    supervisor.start("worker", "beat")
    supervisor.keep_running(until=_answers(address, ["database", "broker", "worker", "beat"]))
    if not supervisor.is_stopping:
        _welcome(address, environment)
    supervisor.keep_running()
    say("stopping web, worker and beat")
    supervisor.stop()
    return 0


def _bring_the_database_up_to_date(home: Home, environment: dict[str, str]) -> None:
    """Migrate and load the demo company, unless this home has seen exactly these migrations before."""
    stamp, wanted = home.path / "database-stamp", _state_of_the_migrations(environment)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say("bringing the database up to date")
    _manage(environment, "migrate", "--no-input", "--verbosity", "0")
    if _demo_wanted():
        say("loading the demo company, the first time only")
        _manage(environment, "demo", "--if-empty")
    stamp.write_text(wanted)


def _demo_wanted() -> bool:
    return os.environ.get("PARETO_DEMO", "1") != "0"


def _state_of_the_migrations(environment: dict[str, str]) -> str:
    names = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/migrations/0*.py"))
    requirements = (ROOT / "requirements.txt").read_text()  # packages bring migrations too
    database = environment.get("DATABASE_URL", "")
    return hashlib.sha256("\n".join([*names, requirements, database]).encode()).hexdigest()


def _children(home: Home, host: str, port: int, environment: dict[str, str]) -> list[Child]:
    # One thread of BLAS per process: on small arrays more of them only burn time.
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    node = f"worker-{port}@%h"

    def child(name: str, command: list[str], *more: str) -> Child:
        full = [*commands.as_python(command, sys.executable), *more]
        return Child(name, full, environment | threads | {"PARETO_PROCESS": name}, home.logs / f"{name}.log", signal.SIGTERM)

    return [
        child("web", commands.WEB, "--host", host, "--port", str(port)),
        child("worker", commands.WORKER, "--hostname", node),
        child("beat", commands.BEAT, "--schedule", str(home.path / "beat-schedule"), "--pidfile", ""),
    ]


def _manage(environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment)
    if done.returncode != 0:
        raise HouseError(f"manage.py {arguments[0]} failed.")


def _secret(home: Home) -> str:
    return os.environ.get("SECRET_KEY") or home.secret_key()


def _refuse_a_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise HouseError(f"Port {port} on {host} cannot be had ({error.strerror}): set PORT to another one.") from error


def _answers(address: str, parts: list[str]) -> Callable[[], bool]:
    """A condition that holds once all these parts are well, or when it has taken too long; tells of each as it comes."""
    deadline = time.monotonic() + READY_WITHIN
    waiting = set(parts)

    def ready() -> bool:
        state = _health(address)
        for part in [part for part in parts if part in waiting and state.get(part)]:
            say(f"{part} answers")
            waiting.discard(part)
        return not waiting or time.monotonic() > deadline

    return ready


def _health(address: str) -> dict[str, bool]:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=3) as answer:
            state = json.load(answer)
    except urllib.error.HTTPError as error:
        state = json.load(error)
    except (OSError, ValueError):
        return {}
    return {"web": True} | {part: details["ok"] for part, details in state["parts"].items()}


def _welcome(address: str, environment: dict[str, str]) -> None:
    say(f"Pareto CRM is at {address} — Ctrl-C stops it")
    if _demo_wanted():
        subprocess.run([sys.executable, "manage.py", "demo_logins"], cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main())
