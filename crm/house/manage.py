"""bin/manage: manage.py with the servers of this home, started for the command's length where none are up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from contextlib import nullcontext

from crm.house.home import ROOT, Home, HouseError
from crm.house.prepare import compile_translations
from crm.house.servers import BorrowedServers, own_servers_given


def main() -> int:
    home = Home.of()
    try:
        given = own_servers_given()
        with nullcontext({"SECRET_KEY": os.environ.get("SECRET_KEY") or home.secret_key()}) if given else BorrowedServers(home) as servers:
            compile_translations()
            return _run(os.environ | servers | {"PARETO_HTTPS": os.environ.get("PARETO_HTTPS", "0")})
    except HouseError as error:
        print(error, file=sys.stderr)
        return 1


def _run(environment: dict[str, str]) -> int:
    process = subprocess.Popen([sys.executable, str(ROOT / "manage.py"), *sys.argv[1:]], env=environment)
    # Ctrl-C goes to the command; this process only waits for it, and then stops the servers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    with contextlib.suppress(KeyboardInterrupt):
        process.wait()
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
