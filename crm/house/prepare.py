"""What is made and not committed: compiled translations, collected static files and the database's state, each when stale."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from crm.house.home import ROOT, HouseError

STATIC_ROOT = ROOT / "staticfiles"  # as in crm/settings.py, which cannot be read before its environment is there


def prepare_files(environment: dict[str, str]) -> None:
    compile_translations()
    start_collecting_static(environment)()


def compile_translations() -> None:
    """Write each .mo that is older than its .po; Babel does it, so no gettext needs to be installed."""
    for po in (ROOT / "crm" / "locale").glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source)
        draft = mo.with_suffix(f".{os.getpid()}")  # another process may be reading the old one
        with draft.open("wb") as target:
            write_mo(target, catalogue)
        draft.replace(mo)


def start_collecting_static(environment: dict[str, str]) -> Callable[[], None]:
    """Collect in the background; call the result to wait for the end. Nothing happens where all is there already."""
    stamp = STATIC_ROOT / f"stamp-{_state_of_static()}"
    if stamp.exists():
        return lambda: None
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)

    def finish() -> None:
        if process.wait() != 0:
            raise HouseError("manage.py collectstatic failed.")
        stamp.touch()

    return finish


def bring_database_up_to_date(environment: dict[str, str], cluster: Path | None, say: Callable[[str], None]) -> None:
    """Migrate, and load the demo company into an empty database.

    The stamp saves two seconds at each later start. It lies in the embedded cluster, so that it is gone when the data is;
    for a server of one's own the migrations' own table is asked each time.
    """
    stamp = cluster / "pareto-stamp" if cluster else None
    wanted = _state_of_migrations()
    if stamp and stamp.exists() and stamp.read_text() == wanted:
        return
    say("bringing the database up to date")
    _manage(environment, "migrate", "--no-input", "--verbosity", "0")
    if demo_is_wanted():
        say("loading the demo company, the first time only")
        _manage(environment, "demo", "--if-empty")
    if stamp:
        stamp.write_text(wanted)


def bring_tables_into_being(environment: dict[str, str], cluster: Path) -> None:
    """In a home where bin/up has never been, so that a command finds its tables; the demo company is left to bin/up."""
    stamp = cluster / "pareto-stamp"
    if not stamp.exists():
        _manage(environment, "migrate", "--no-input", "--verbosity", "0")
        stamp.write_text("tables alone")  # not what bin/up writes, so it will look for itself


def demo_is_wanted() -> bool:
    return os.environ.get("PARETO_DEMO", "1") != "0"


def _manage(environment: dict[str, str], *arguments: str) -> None:
    if subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment).returncode != 0:
        raise HouseError(f"manage.py {arguments[0]} failed.")


def _state_of_migrations() -> str:
    names = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("*/migrations/0*.py"))
    requirements = (ROOT / "requirements.txt").read_text()  # packages bring migrations too
    return hashlib.sha256("\n".join([*names, str(demo_is_wanted()), requirements]).encode()).hexdigest()


def _state_of_static() -> str:
    folder = ROOT / "static"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = "".join(f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}\n" for path in files)
    sources = [ROOT / "requirements.txt", ROOT / "crm" / "apps.py"]  # packages bring static files; crm.apps leaves some out
    return hashlib.sha256(listing.encode() + b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
