"""Makes the project's environment with nothing but python3 and its standard library, for all commands in bin/."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", file=sys.stderr, flush=True)


def make_environment(*, development: bool = False) -> None:
    """Install what requirements.txt names (and requirements-dev.txt, for development), unless that is what is there."""
    if sys.version_info < (3, 11):  # noqa: UP036 (whoever starts this may have an older one)
        sys.exit(f"Pareto CRM needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    files = [ROOT / "requirements.txt"] + ([ROOT / "requirements-dev.txt"] if development else [])
    stamp, wanted = VENV / "pareto-stamp", _digest(files)
    held = stamp.read_text().splitlines() if stamp.exists() and PYTHON.exists() else []
    if wanted in held:
        return
    if not PYTHON.exists():
        say("making the virtual environment")
        _make_venv()
    say("installing the packages")
    _install(files)
    # A development environment holds everything that the plain one needs.
    stamp.write_text("\n".join([wanted, _digest(files[:1])]))


def run_module(module: str, *arguments: str) -> None:
    """Become `python -m MODULE …` in the environment; does not return."""
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of a dozen processes would compile a thousand files: 3 s instead of 1
    os.execv(PYTHON, [str(PYTHON), "-m", module, *arguments])


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _make_venv() -> None:
    # --without-pip: Debian and Ubuntu cut ensurepip out of python3.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], check=True)


def _install(files: list[Path]) -> None:
    uv = _find_uv()
    if uv:
        arguments = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), *map(str, files)]
        if subprocess.run(arguments, cwd=ROOT).returncode == 0:
            return
        say("uv did not manage; trying pip")
    wanted = [argument for file in files for argument in ("-r", str(file))]
    subprocess.run([*_pip(), "install", "--quiet", "--require-hashes", *wanted], cwd=ROOT, check=True)


def _find_uv() -> str | None:
    """uv from the PATH, or installed into the environment's own side folder."""
    found = shutil.which("uv")
    if found:
        return found
    target = VENV / "uv"
    uv = target / "bin" / "uv"
    if not uv.exists():
        done = subprocess.run([*_pip(), "install", "--quiet", "--target", str(target), "uv"], cwd=ROOT)
        if done.returncode != 0:
            return None
    return str(uv) if uv.exists() else None


def _pip() -> list[str]:
    """The pip of the system, working on our environment; or a pip of the environment's own where the system has none."""
    base = [sys.executable, "-m", "pip"]
    if subprocess.run([*base, "--version"], capture_output=True).returncode == 0:
        return [*base, "--python", str(PYTHON), "--disable-pip-version-check"]
    subprocess.run([str(PYTHON), "-m", "ensurepip", "--default-pip"], check=True, capture_output=True)
    return [str(PYTHON), "-m", "pip", "--disable-pip-version-check"]
