"""bin/up for real: whole installations, started, hurt and stopped. Slow (a story takes ten seconds), and so few of them."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.house.installation import ORDINARY_USER, Checkout, Installation, broker, clean_copy, eventually, installed, is_alive

PARTS = ("database", "broker", "worker", "beat")
ADD_A_TEAM = "from users.models import Team; Team.objects.create(name='Kept')"
COUNT_TEAMS = "from users.models import Team; print(Team.objects.filter(name='Kept').count())"


def test_an_installation_serves_survives_a_kill_and_stops_at_ctrl_c(tmp_path: Path) -> None:
    with installed(tmp_path / "home") as first:
        status, health = first.health()
        assert (status, health["ok"]) == (200, True)
        assert all(health[part]["ok"] for part in PARTS)

        _kill_the_worker(first)
        first.manage("shell", "-c", ADD_A_TEAM)

        processes = first.processes()
        assert len(processes) >= 6
        first.send(signal.SIGKILL)
        first.wait_for_the_end()
        eventually(lambda: not any(is_alive(*one) for one in processes.items()), 30, "no process outlives a killed supervisor")

    with installed(tmp_path / "home", port=first.port) as second:
        assert second.manage("shell", "-c", COUNT_TEAMS).split()[-1] == "1"
        assert "bringing the database up to date" not in second.said
        processes = second.processes()
        second.send(signal.SIGINT)
        assert second.wait_for_the_end() == 0
        assert not any(is_alive(*one) for one in processes.items())


def test_the_script_serves_the_demo_company_from_a_clean_copy(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    clean_copy(checkout)
    newcomer = Checkout(checkout)
    newcomer.start()
    try:
        newcomer.wait_until_served()
        assert newcomer.health()[0] == 200
        eventually(lambda: "administrator" in newcomer.said.lower() and "@" in newcomer.said, 30, "the demo log-ins are said")
        page = urllib.request.urlopen(f"http://127.0.0.1:{newcomer.port}/account/login/", timeout=10)
        assert page.status == 200
        assert page.headers["X-Pareto-Build"]
        processes = newcomer.processes()
        newcomer.send(signal.SIGINT)
        assert newcomer.wait_for_the_end() == 0
        assert not any(is_alive(*one) for one in processes.items())
    finally:
        newcomer.stop()
    assert (checkout / "var" / "postgres").is_dir()


def _kill_the_worker(installation: Installation) -> None:
    workers = [process for process, command in installation.processes().items() if "-m celery -A crm worker" in command]
    for process in workers:
        os.kill(process, signal.SIGKILL)
    eventually(lambda: "worker ended" in installation.said, 20, "the supervisor says that the worker ended")
    eventually(
        lambda: {p for p, c in installation.processes().items() if "-m celery -A crm worker" in c} - set(workers), 40, "another worker"
    )


def test_two_homes_live_side_by_side_and_one_may_be_an_ordinary_users(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(ordinary, 65534, 65534)
    first, second = Installation(tmp_path / "first"), Installation(ordinary, run_as=ORDINARY_USER if is_root else [])
    try:
        for one in (first, second):
            one.start()
        for one in (first, second):
            one.wait_until_served()
            assert one.health()[0] == 200
        assert {path.stat().st_uid for path in (ordinary / "postgres").iterdir()} == {65534 if is_root else os.getuid()}
        refused = Installation(first.home)
        refused.output = tmp_path / "refused.out"
        refused.start()
        assert refused.wait_for_the_end() == 1
        assert "is in use by bin/up at" in refused.said
    finally:
        for one in (first, second):
            one.stop()


def test_servers_of_ones_own_are_used_and_none_is_started(tmp_path: Path) -> None:
    with installed(tmp_path / "home", DATABASE_URL=os.environ["DATABASE_URL"], REDIS_URL=broker(10)) as installation:
        assert installation.health()[0] == 200
        assert not (tmp_path / "home" / "postgres").exists()
        assert not any("postgres" in command.split()[0] for command in installation.processes().values() if command)


def test_a_command_in_a_new_home_finds_its_tables_and_bin_up_goes_on_from_there(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "home")
    assert installation.manage("demo_logins", "--json").strip() == "[]"
    try:
        installation.start()
        installation.wait_until_served()
        assert "bringing the database up to date" in installation.said
    finally:
        installation.stop()


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        late = Installation(tmp_path / "home", port=other.getsockname()[1])
        late.start()
        assert late.wait_for_the_end() == 1
    assert f"Port {late.port} on 127.0.0.1 cannot be had" in late.said
    assert "set PORT to another one" in late.said
    assert "Traceback" not in late.said
    assert not (tmp_path / "home" / "postgres").exists()


@pytest.mark.parametrize("given", ["DATABASE_URL", "REDIS_URL"])
def test_half_a_set_of_servers_is_refused(tmp_path: Path, given: str) -> None:
    one_of_two: dict[str, Any] = {given: os.environ[given]}
    half = Installation(tmp_path / "home", **one_of_two)
    half.start()
    assert half.wait_for_the_end() == 1
    assert f"{given} is set without its sister" in half.said


def test_data_of_another_postgresql_is_left_alone_and_the_way_is_named(tmp_path: Path) -> None:
    cluster = tmp_path / "home" / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    old = Installation(tmp_path / "home")
    old.start()
    assert old.wait_for_the_end() == 1
    assert "was written by PostgreSQL 17" in old.said
    assert "docs/operations.md" in old.said
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]
