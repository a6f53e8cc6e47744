"""bin/manage: manage.py with the servers of this home, started for the command's length where none are up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from crm.house.borrow import borrowed_servers
from crm.house.home import ROOT, Home, HouseError
from crm.house.prepare import compile_translations


def main() -> int:
    try:
        with borrowed_servers(Home.of(), "bin/manage " + " ".join(sys.argv[1:2])) as servers:
            compile_translations()
            return run([str(ROOT / "manage.py"), *sys.argv[1:]], {"PARETO_HTTPS": "0"} | os.environ | servers)
    except HouseError as error:
        print(error, file=sys.stderr)
        return 1


def run(arguments: list[str], environment: dict[str, str]) -> int:
    """Run Python with these arguments, and hand on what we are told: Ctrl-C reaches the command by itself."""
    process = subprocess.Popen([sys.executable, *arguments], env=environment)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        code = process.wait()
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
