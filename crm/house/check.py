"""bin/check: everything that CI runs, in CI's order. All static steps run before the verdict, so that one run tells all."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from crm.house.browser import find_or_fetch_chromium
from crm.house.home import ROOT, HouseError

PYTHON = sys.executable
TOOLS = Path(PYTHON).parent

# Settings as on a real host, for the checks that need some but reach no server.
PRODUCTION = {
    "SECRET_KEY": "checked-" + "x9Q2m7" * 12,
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "PARETO_HTTPS": "1",
    "ALLOWED_HOSTS": "crm.example.com",
}

STATIC_STEPS: dict[str, list[str]] = {
    "format": [str(TOOLS / "ruff"), "format", "--check", "."],
    "lint": [str(TOOLS / "ruff"), "check", "."],
    "types": [str(TOOLS / "mypy")],
    "imports": [str(TOOLS / "lint-imports")],
    "migrations": [PYTHON, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
    "deploy": [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
    "messages": [PYTHON, "bin/messages", "--check"],
    "vendor": [PYTHON, "bin/vendor", "--check"],
}
TESTS = [PYTHON, "-m", "pytest", "-q"]


def main(wanted: list[str]) -> int:
    os.chdir(ROOT)
    failed = [name for name, command in STATIC_STEPS.items() if (not wanted or name in wanted) and not _run(name, command, PRODUCTION)]
    if not wanted or "tests" in wanted:
        failed += [] if _run("tests", [*TESTS, "-n", "2", "tests", "--ignore=tests/browser"]) else ["tests"]
    if not wanted or "browser" in wanted:
        failed += _browser_tests()
    print(f"\nfailed: {', '.join(failed)}" if failed else "\nall is well", flush=True)
    return 1 if failed else 0


def _browser_tests() -> list[str]:
    try:
        chromium = find_or_fetch_chromium()
    except HouseError as error:
        print(f"browser: {error}", flush=True)
        return ["browser"]
    return [] if _run("browser", [*TESTS, "tests/browser"], {"PARETO_CHROMIUM": str(chromium)}) else ["browser"]


def _run(name: str, command: list[str], environment: dict[str, str] | None = None) -> bool:
    print(f"── {name}", flush=True)
    started = time.monotonic()
    done = subprocess.run(command, env=os.environ | (environment or {}), stdin=subprocess.DEVNULL)
    print(f"── {name}: {'ok' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - started:.1f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
