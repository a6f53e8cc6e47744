"""docker-compose.yml and the Dockerfile, without a container engine: the specification's schema, and the promises of operations.md."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from crm.house import commands
from crm.house.servers import POSTGRES_MAJOR, ROLES

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")
SECRET = re.compile(r"SECRET|PASSWORD|TOKEN", re.IGNORECASE)
REQUIRED = re.compile(r"\$\{\w+:\?[^}]+\}")

each_service = pytest.mark.parametrize("name", SERVICES)


def test_the_file_keeps_to_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_parts_of_the_product_are_there() -> None:
    assert set(SERVICES) == {*OURS, "postgres", "valkey"}


@pytest.mark.parametrize(
    ("name", "command", "more"),
    [
        ("migrate", commands.MIGRATE, []),
        ("web", commands.WEB, ["--host", "0.0.0.0", "--port", "8000"]),
        ("worker", commands.WORKER, []),
        ("beat", commands.BEAT, ["--schedule", "/var/lib/pareto/beat-schedule"]),
    ],
)
def test_containers_run_what_bin_up_runs(name: str, command: list[str], more: list[str]) -> None:
    assert SERVICES[name]["command"] == [*command, *more]


@each_service
def test_a_service_says_whether_it_is_well(name: str) -> None:
    test = SERVICES[name]["healthcheck"]["test"]
    assert test[0] == "CMD"
    assert len(test) > 1


@each_service
def test_a_service_runs_as_nobody_special(name: str) -> None:
    assert SERVICES[name]["user"] not in ("", "root", "0", 0)
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]
    assert not SERVICES[name].get("privileged")


@each_service
def test_secrets_come_from_the_environment_and_are_missed_when_absent(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert REQUIRED.fullmatch(value), variable
        for user, password in re.findall(r"://(\w+):([^@]+)@", str(value)):
            assert REQUIRED.fullmatch(password), f"{variable}: the password of {user}"


def test_only_migrate_may_change_tables() -> None:
    users = {name: re.findall(r"://(\w+):", SERVICES[name]["environment"]["DATABASE_URL"])[0] for name in OURS}
    assert users == {"migrate": "pareto", "web": "pareto_web", "worker": "pareto_web", "beat": "pareto_web"}


def test_the_web_role_gets_what_the_embedded_one_gets() -> None:
    granted = [line for line in ROLES.splitlines() if line.startswith(("ALTER DEFAULT", "CREATE EXTENSION"))]
    assert len(granted) == 3
    assert set(granted) <= set(COMPOSE["configs"]["roles"]["content"].splitlines())


def test_postgres_is_the_major_that_is_embedded_and_keeps_its_data() -> None:
    postgres = SERVICES["postgres"]
    assert postgres["image"] == f"postgres:{POSTGRES_MAJOR}"
    assert postgres["volumes"] == ["database:/var/lib/postgresql"]  # where images from 18 on keep it
    assert "--builtin-locale=C.UTF-8" in postgres["environment"]["POSTGRES_INITDB_ARGS"]


def test_nothing_but_web_can_be_reached_and_that_from_this_host_only() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES["web"]["ports"])
    assert COMPOSE["networks"]["back"]["internal"] is True


def test_the_image_is_built_in_two_stages_and_runs_as_its_own_user() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert sum(line.startswith("FROM python:3.12-slim") for line in lines) == 2
    assert [line for line in lines if line.startswith("USER ")] == ["USER pareto"]
    assert any("--require-hashes" in line for line in lines)
    assert not any(re.search(r"(SECRET|PASSWORD)\w*=(?!build )", line) for line in lines)


def test_nothing_private_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".*", "var", "staticfiles"} <= set(ignored)
