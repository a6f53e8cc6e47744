"""bin/bench value PART …: the value engine beside what others would use, in CPU seconds and peak memory, on one thread.

Exit 1 where answers differ or a wanted multiple is missed. A part is a function in PARTS; it says what it measures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from crm.bench._contest import Contender, Result, contest, reference_python, tell
from crm.bench._lines import NEW_SHARE, filled, lines_of
from crm.bench._people import cdnow, people_of, purchases_in
from crm.bench._valuations import by_pandas_and_lifetimes, value
from segmentation.maths.order_models import MODELS

BOOTSTRAP_SECONDS = 15.0
CHANGED = 100  # customers of an incremental run


@dataclass(frozen=True)
class Options:
    lines: int
    rounds: int
    customers: int


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


def fit(options: Options) -> bool:
    """Parameters by maximum likelihood, beside lifetimes; whose likelihood is higher is told by ours, which the tests check."""
    results = []
    for count in sorted({min(100_000, options.customers), options.customers}):
        for model in ("bgnbd", "mbgnbd"):
            results.append(_fitted(model, people_of(count), f"fit: {model} on {count:,} customers", 20, options))
    results.append(_fitted("pareto_nbd", cdnow(), "fit: pareto_nbd on CDNOW", 10, options))
    return all(results)


def score(options: Options) -> bool:
    """P(alive), orders of twelve months and their discounted spend, by the same parameters."""
    count = min(100_000, options.customers)
    contenders = [_model(who, people_of(count)) for who in ("lifetimes-scores", "ours-scores")]
    results = contest(contenders, options.rounds)
    return tell(f"score: {count:,} customers × 12 months", results, "ours-scores", {"lifetimes-scores": 8}, _same_figures)


def bootstrap(options: Options) -> bool:
    """Two hundred refits of MBG/NBD to resampled customers."""
    count = min(100_000, options.customers)
    result = contest([_model("refits", people_of(count))], options.rounds)["refits"]
    is_good = result.median < BOOTSTRAP_SECONDS
    print(f"\nbootstrap: 200 refits at {count:,} customers")
    print(f"  {result.median:.2f} CPU s  wanted < {BOOTSTRAP_SECONDS:g}{'' if is_good else ' ✗'}")
    print(f"  {json.dumps(result.figures[-1])}", flush=True)
    return is_good


def rescore(options: Options) -> bool:
    """The whole run with everything written; the first one of all, and one that finds the monthly values as they should be."""
    first, full = value(options.customers, "first"), value(options.customers, "full")
    first.tell(f"rescore: {options.customers:,} customers, first filling of the monthly values included")
    full.tell("rescore: the same with monthly values that stand")
    reading, models = by_pandas_and_lifetimes(options.customers)
    multiple, peak = (reading + models) / full.cpu, max(first.peak_mb, full.peak_mb)
    print(f"  pandas reads the orders in {reading:.2f} CPU s, pandas and lifetimes go on from there in {models:.2f}: {multiple:.2f} ×")
    print(f"  wanted ≥ 5 ×{' ✗' if multiple < 5 else ''}; peak {peak:.0f} MB, wanted ≤ 600{' ✗' if peak > 600 else ''}", flush=True)
    return multiple >= 5 and peak <= 600


def scale(options: Options) -> bool:
    """Cost of a full run by size: no faster than linear."""
    sizes = [size for size in (options.customers // 100, options.customers // 10, options.customers) if size >= 1000]
    costs = [(value(size, "first"), value(size, "full"))[1].cpu for size in sizes]
    print("\nscale: CPU of a full run")
    for size, cost in zip(sizes, costs, strict=True):
        print(f"  {size:>9,} customers {cost:8.2f} CPU s  {cost / size * 1e6:6.0f} µs each", flush=True)
    return all(after / before <= 10 for before, after in pairwise(costs))


def incremental(options: Options) -> bool:
    """100 changed customers beside all."""
    full = value(options.customers, "full")
    changed = value(options.customers, "changed", CHANGED)
    changed.tell(f"incremental: {CHANGED} changed of {options.customers:,}")
    share = changed.cpu / full.cpu
    print(f"  {share:.2%} of the full run's {full.cpu:.2f} CPU s  wanted ≤ 2 %{'' if share <= 0.02 else ' ✗'}", flush=True)
    return share <= 0.02


PARTS: dict[str, Callable[[Options], bool]] = {
    "rfm": rfm,
    "rfm-sql": rfm_sql,
    "refresh": refresh,
    "fit": fit,
    "score": score,
    "bootstrap": bootstrap,
    "rescore": rescore,
    "scale": scale,
    "incremental": incremental,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench value", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all where none is named")
    parser.add_argument("--lines", type=int, default=10_000_000, help="of a tenth as many customers")
    parser.add_argument("--customers", type=int, default=1_000_000, help="of models and valuations, with ten orders each")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.parts if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    reference_python()
    options = Options(arguments.lines, arguments.rounds, arguments.customers)
    results = [PARTS[name](options) for name in arguments.parts or PARTS]
    return 0 if all(results) else 1


def _in_memory(who: str, folder: Path) -> Contender:
    is_ours = who in ("ours", "recompute", "refresh")
    return Contender(who, ("_rfm_in_memory", who, str(folder)), is_reference=not is_ours)


def _in_postgres(who: str, folder: Path) -> Contender:
    return Contender(who, ("_rfm_in_postgres", who, str(folder)), is_reference=False)


def _model(who: str, folder: Path) -> Contender:
    return Contender(who, ("_models_in_memory", who, str(folder)), is_reference=who.startswith("lifetimes"))


def _fitted(model: str, folder: Path, title: str, wanted: float, options: Options) -> bool:
    purchases, ours, theirs = purchases_in(folder), f"ours-{model}", f"lifetimes-{model}"

    def judge(results: dict[str, Result]) -> tuple[str, str]:
        of = MODELS[model]
        mine, other = (of.log_likelihood(purchases, of(**results[who].figures[-1])) for who in (ours, theirs))  # type: ignore[arg-type]
        if any(figures != results[ours].figures[0] for figures in results[ours].figures):
            return "ours is not deterministic", ""
        told = f"log-likelihood {mine:.4f}, lifetimes' {other:.4f}"
        return (f"lower {told}", "") if mine < other - 1e-9 * abs(other) else ("", told)

    return tell(title, contest([_model(theirs, folder), _model(ours, folder)], options.rounds), ours, {theirs: wanted}, judge)


def _same_figures(results: dict[str, Result]) -> tuple[str, str]:
    found = [result.figures[-1] for result in results.values()]
    off = max(abs(one[name] / found[0][name] - 1) for one in found for name in one)
    return (f"answers differ by {off:.1e}", "") if off > 1e-6 else ("", f"answers agree to {max(off, 1e-16):.0e}")


if __name__ == "__main__":
    sys.exit(main())
