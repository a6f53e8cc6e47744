"""bin/bench NAME …: run crm/bench/NAME.py in the environment with servers, in a home of its own.

The benchmarks fill a big company and read the server's figures; that has no place in the data that somebody works with.
"""

from __future__ import annotations

import os
import sys

from crm.house.borrow import borrowed_servers
from crm.house.home import ROOT, Home, HouseError
from crm.house.manage import run
from crm.house.prepare import prepare_files

BENCHMARKS = ROOT / "crm" / "bench"


def main() -> int:
    names = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: bin/bench NAME …   NAME is one of: {', '.join(names)}", file=sys.stderr)
        return 2
    os.environ.setdefault("PARETO_HOME", str(ROOT / "var" / "bench"))
    try:
        with borrowed_servers(Home.of(), "bin/bench") as servers:
            environment = {"PARETO_HTTPS": "0"} | os.environ | servers
            prepare_files(environment)
            code = run([str(ROOT / "manage.py"), "migrate", "--no-input", "--verbosity", "0"], environment)
            return code or run(["-m", f"crm.bench.{sys.argv[1]}", *sys.argv[2:]], environment)
    except HouseError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
