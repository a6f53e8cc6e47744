"""bin/up: everything that the product needs, in the foreground of one terminal."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import partial

from crm.house import commands
from crm.house.child import Child, stop_all
from crm.house.health_client import Health
from crm.house.home import ROOT, Claim, Home, HouseError
from crm.house.prepare import bring_database_up_to_date, compile_translations, demo_is_wanted, start_collecting_static
from crm.house.servers import OWNER, WEB_ROLE, Servers, own_servers_given
from crm.house.supervisor import Supervisor

STARTED = time.monotonic()
READY_WITHIN = 90.0
PATIENCE = 30.0  # seconds for web to answer what is under way, and for the worker to finish its task

# One thread of BLAS per process: on our array sizes more of them only burn time.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def main() -> int:
    # As Ctrl-C: whatever is under way is ended in order. Named itself, since a script's `bin/up &` starts with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        House(Home.of(), os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))).run()
    except HouseError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


class House:
    """One home, its servers, and the processes of the product on one port."""

    def __init__(self, home: Home, host: str, port: int) -> None:
        self.home = home
        self.host = host
        self.port = port
        self.is_local = host in ("127.0.0.1", "::1", "localhost")
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def run(self) -> None:
        if sys.platform != "linux":
            raise HouseError("bin/up knows the processes of Linux only; elsewhere use docker compose up.")
        claim = self.home.claim(f"bin/up at {self.url}, process {os.getpid()}")
        if claim is None:
            raise HouseError(f"{self.home.path} is in use by {self.home.holder}.")
        try:
            self._refuse_a_taken_port()
            self._run(claim, None if own_servers_given() else Servers(self.home, lease=claim.lease.fileno()))
        finally:
            claim.release()

    def _run(self, claim: Claim, servers: Servers | None) -> None:
        try:
            if servers:
                say("starting PostgreSQL and Valkey")
                servers.start()
            self._serve(claim, servers)
        finally:
            if servers:
                say("stopping PostgreSQL and Valkey")
                servers.stop()

    def _serve(self, claim: Claim, servers: Servers | None) -> None:
        as_owner = self._environment(servers, OWNER)
        compile_translations()
        finish_collecting = start_collecting_static(as_owner)
        bring_database_up_to_date(as_owner, self.home.postgres if servers else None, say)
        finish_collecting()
        processes = self._processes(self._environment(servers, WEB_ROLE), claim.lease.fileno())
        supervisor = Supervisor([*(servers.children if servers else []), *processes], say)
        try:
            self._wait_until_ready(supervisor, processes)
            supervisor.keep_running()
        except KeyboardInterrupt:
            print(flush=True)  # after the terminal's ^C
        finally:
            say("stopping web, worker and beat")
            stop_all(processes, say, patience=PATIENCE)

    def _wait_until_ready(self, supervisor: Supervisor, processes: list[Child]) -> None:
        health = Health(self.host, self.port, say)
        say("starting web, worker and beat")
        for child in processes:
            child.start()
        deadline = time.monotonic() + READY_WITHIN
        supervisor.keep_running(until=lambda: health.is_good() or time.monotonic() > deadline)
        if health.waiting_for:
            say(f"still no answer from {', '.join(health.waiting_for)}; see the logs in {self.home.logs}")
        say(f"Pareto CRM is at {self.url} — Ctrl-C stops it")
        if demo_is_wanted():
            subprocess.run([sys.executable, "manage.py", "demo_logins"], cwd=ROOT, env=processes[0].environment)

    def _environment(self, servers: Servers | None, role: str) -> dict[str, str]:
        # Plain HTTP, and so cookies that travel without TLS, for this machine's own loopback only.
        ours = {"PARETO_HTTPS": "0" if self.is_local else "1", "PARETO_BUILD": _build()}
        always = {"PARETO_HOME": str(self.home.path), "SECRET_KEY": self.home.secret_key()}
        return ours | os.environ | always | (servers.environment(role) if servers else {})

    def _processes(self, environment: dict[str, str], lease: int) -> list[Child]:
        def child(name: str, command: list[str], *more: str) -> Child:
            full = [*commands.as_python(command, sys.executable), *more]
            own = environment | ONE_THREAD | {"PARETO_PROCESS": name}
            return Child(name, full, self.home.logs / f"{name}.log", own, lease=lease)

        return [
            child("web", commands.WEB, "--host", self.host, "--port", str(self.port)),
            child("worker", commands.WORKER, "--hostname", f"worker-{self.port}@%h"),
            child("beat", commands.BEAT, "--schedule", str(self.home.path / "beat-schedule")),
        ]

    def _refuse_a_taken_port(self) -> None:
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise HouseError(f"Port {self.port} on {self.host} cannot be had ({error.strerror}): set PORT to another one.") from error


def _build() -> str:
    """The commit that is checked out, for the X-Pareto-Build header."""
    run = partial(subprocess.run, cwd=ROOT, capture_output=True, text=True)
    done = run(["git", "rev-parse", "--short=12", "HEAD"]) if shutil.which("git") else None
    return done.stdout.strip() if done and done.returncode == 0 else "dev"


if __name__ == "__main__":
    sys.exit(main())
