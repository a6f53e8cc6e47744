"""bin/bench value PART …: the value engine beside what others would use, in CPU seconds and peak memory, on one thread.

Exit 1 where answers differ or a wanted multiple is missed. A part is a function in PARTS; it says what it measures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crm.bench._contest import Contender, contest, reference_python, tell
from crm.bench._lines import NEW_SHARE, filled, lines_of


@dataclass(frozen=True)
class Options:
    lines: int
    rounds: int


def rfm(options: Options) -> bool:
    """Unordered lines in memory → first and last day, distinct days and amount per customer."""
    folder = lines_of(options.lines)
    contenders = [_in_memory(who, folder) for who in ("duckdb-flat", "ours", "duckdb-twice", "polars", "pandas")]
    results = contest(contenders, options.rounds)
    return tell(f"rfm: {options.lines:,} lines in memory", results, "ours", {"duckdb-flat": 2, "duckdb-twice": 2})


def rfm_sql(options: Options) -> bool:
    """The same with the lines in PostgreSQL; ours pays for their transfer, SQL sends one row."""
    folder = filled(options.lines)
    results = contest([_in_postgres(who, folder) for who in ("sql-flat", "table", "sql-twice", "query")], options.rounds)
    title = f"rfm-sql: {options.lines:,} lines in PostgreSQL, CPU of both sides (table: strings of columns; query: row by row)"
    return tell(title, results, "table", {"sql-flat": 2, "sql-twice": 2})


def refresh(options: Options) -> bool:
    """1 % new lines of later days merged into the totals, beside computing them anew."""
    folder = filled(options.lines)
    in_memory = contest([_in_memory(who, folder) for who in ("recompute", "refresh")], options.rounds)
    from_postgres = contest([_in_postgres(who, folder) for who in ("recompute", "refresh")], options.rounds)
    title = f"refresh: {int(options.lines * NEW_SHARE):,} new lines on {options.lines:,}"
    good = tell(f"{title}, in memory", in_memory, "refresh", {"recompute": 100})
    return tell(f"{title}, lines in PostgreSQL", from_postgres, "refresh", {"recompute": 100}) and good


PARTS: dict[str, Callable[[Options], bool]] = {"rfm": rfm, "rfm-sql": rfm_sql, "refresh": refresh}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench value", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all where none is named")
    parser.add_argument("--lines", type=int, default=10_000_000, help="of a tenth as many customers")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    reference_python()
    options = Options(arguments.lines, arguments.rounds)
    results = [PARTS[name](options) for name in arguments.parts or PARTS]
    return 0 if all(results) else 1


def _in_memory(who: str, folder: Path) -> Contender:
    is_ours = who in ("ours", "recompute", "refresh")
    return Contender(who, ("_rfm_in_memory", who, str(folder)), is_reference=not is_ours)


def _in_postgres(who: str, folder: Path) -> Contender:
    return Contender(who, ("_rfm_in_postgres", who, str(folder)), is_reference=False)


if __name__ == "__main__":
    sys.exit(main())
