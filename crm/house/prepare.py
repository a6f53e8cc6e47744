"""Files that are made and not committed: compiled translations and collected static files, each only when stale."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crm.house.home import ROOT, HouseError


def prepare_files(environment: dict[str, str]) -> None:
    compile_translations()
    collect_static(environment)


def compile_translations() -> None:
    """Write each .mo that is older than its .po; Babel does it, so no gettext needs to be installed."""
    for po in (ROOT / "crm" / "locale").glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source)
        with mo.open("wb") as target:
            write_mo(target, catalogue)


def collect_static(environment: dict[str, str]) -> None:
    stamp, wanted = ROOT / "staticfiles" / ".stamp", _state_of(ROOT / "static")
    if stamp.exists() and stamp.read_text() == wanted:
        return
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0"]
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise HouseError("manage.py collectstatic failed.")
    stamp.write_text(wanted)


def _state_of(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    requirements = (ROOT / "requirements.txt").read_bytes()  # packages bring static files too
    listing = "".join(f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}\n" for path in files)
    return hashlib.sha256(listing.encode() + requirements).hexdigest()
