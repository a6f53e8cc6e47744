"""bin/bench pages: what pages and JSON answers cost, beside a minimal Django view, on a big company and on a small one.

All kinds of visits take turns in blocks, so that whatever else the machine does falls on all of them alike. The steady
figure is CPU time: of the two web workers and of the database. See docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import islice
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup()

from crm.bench._company import company_of  # noqa: E402  (after setup)
from crm.bench._minimal import COUNT_HEADER  # noqa: E402
from crm.bench._visits import BEFORE, Request, Visit, sample_of, signed_in, visits, with_token  # noqa: E402
from crm.bench._web import Memory, Web  # noqa: E402

SMALL = 1_000
CLIENTS = 2
WARM_UP = 30
MOST_P95_TO_P50 = 2.0
MOST_BIG_TO_SMALL = 1.5
MOST_PSS_MIB = 165.0


@dataclass
class Tally:
    """What all blocks of one kind of visit took."""

    visit: Visit
    queries: int = 0
    requests: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    sizes: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        return self.cpu / self.requests * 1000

    def report(self, minimal: Tally) -> dict[str, Any]:
        p50, p95 = (statistics.quantiles(self.seconds, n=20)[at] * 1000 for at in (9, 18))
        return {
            "visit": self.visit.name,
            "cpu_ms": round(self.cpu_ms, 2),
            "times_minimal": round(self.cpu_ms / minimal.cpu_ms, 1),
            "target": self.visit.most,
            "p50_ms": round(p50, 1),
            "p95_ms": round(p95, 1),
            "per_second": round(self.requests / self.wall),
            "queries": self.queries,
            "kib": round(statistics.mean(self.sizes) / 1024, 1),
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000, help="of the big company (default: 100000)")
    parser.add_argument("--rounds", type=int, default=10, help="blocks of each kind of visit (default: 10)")
    parser.add_argument("--requests", type=int, default=40, help="requests in a block (default: 40)")
    parser.add_argument("--json", action="store_true", help="report as JSON")
    options = parser.parse_args()
    companies = {size: company_of(size) for size in (options.customers, SMALL)}
    results = {size: measure(url, options.rounds, options.requests) for size, url in companies.items()}
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        for size, (rows, memory) in results.items():
            print_table(size, rows, memory)
        if options.customers != SMALL:
            print_ratios(results[options.customers][0], results[SMALL][0])


def measure(database_url: str, rounds: int, requests: int) -> tuple[list[dict[str, Any]], Memory]:
    """The report's rows, and the memory of the web processes afterwards."""
    with Web(database_url) as web, ThreadPoolExecutor(CLIENTS) as clients:
        tallies = [Tally(visit) for visit in visits(sample_of(database_url), signed_in(web), with_token())]
        for tally in tallies:
            run_block(web, clients, Tally(tally.visit), WARM_UP)
            tally.queries = count_queries(web, next(tally.visit.requests))
        for _round in range(rounds):
            for tally in tallies:
                run_block(web, clients, tally, requests)
        minimal = next(tally for tally in tallies if tally.visit.name == BEFORE)
        return [tally.report(minimal) for tally in tallies], web.memory()


def run_block(web: Web, clients: ThreadPoolExecutor, tally: Tally, count: int) -> None:
    requests = list(islice(tally.visit.requests, count))
    cpu, started = web.cpu(), time.monotonic()
    for answers in clients.map(lambda part: list(ask(web, part)), [requests[at::CLIENTS] for at in range(CLIENTS)]):
        for seconds, size in answers:
            tally.seconds.append(seconds)
            tally.sizes.append(size)
    tally.cpu += web.cpu() - cpu
    tally.wall += time.monotonic() - started
    tally.requests += count


def ask(web: Web, requests: list[Request]) -> Iterator[tuple[float, int]]:
    """(seconds, bytes) of each, one after the other on one connection."""
    with closing(web.connect()) as client:
        for request in requests:
            started = time.monotonic()
            size = len(answer(client, request)[0])
            yield time.monotonic() - started, size


def answer(client: HTTPConnection, request: Request, **more: str) -> tuple[bytes, str]:
    """The body, and what the header of the query count says."""
    client.request(request.method, request.path, request.body, request.headers | more)
    response = client.getresponse()
    body = response.read()
    if response.status not in (200, 201):
        raise SystemExit(f"{request.method} {request.path}: {response.status}\n{body[:500].decode(errors='replace')}")
    return body, response.headers.get(COUNT_HEADER, "0")


def count_queries(web: Web, request: Request) -> int:
    with closing(web.connect()) as client:
        return int(answer(client, request, **{COUNT_HEADER: "1"})[1])


def print_table(size: int, rows: list[dict[str, Any]], memory: Memory) -> None:
    told = f"two web workers {memory.workers:.0f} MiB PSS (target {MOST_PSS_MIB:.0f}), their parent {memory.parent:.0f}"
    print(f"\n{size:,} customers; {told}\n")
    print("| visit | CPU ms | × minimal | target | p50 ms | p95 ms | p95/p50 | req/s | SQL | KiB |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for row in rows:
        print(f"| {' | '.join(cells_of(row))} |")


def cells_of(row: dict[str, Any]) -> list[str]:
    """A row of the table; ✗ marks what misses its target."""
    spread = row["p95_ms"] / row["p50_ms"]
    return [
        row["visit"],
        f"{row['cpu_ms']:.1f}",
        f"{row['times_minimal']:.1f}{' ✗' if row['target'] and row['times_minimal'] > row['target'] else ''}",
        f"≤ {row['target']}" if row["target"] else "",
        f"{row['p50_ms']:.1f}",
        f"{row['p95_ms']:.1f}",
        f"{spread:.1f}{' ✗' if spread > MOST_P95_TO_P50 else ''}",
        str(row["per_second"]),
        str(row["queries"]),
        f"{row['kib']:.1f}",
    ]


def print_ratios(big: list[dict[str, Any]], small: list[dict[str, Any]]) -> None:
    print(f"\nCPU of the big company ÷ CPU of the small one (target ≤ {MOST_BIG_TO_SMALL}), each as a multiple of its own minimal view\n")
    for one, other in zip(big, small, strict=True):
        ratio = one["times_minimal"] / other["times_minimal"]
        print(f"  {one['visit']:<32}{ratio:5.2f}{'  ✗' if ratio > MOST_BIG_TO_SMALL else ''}")


if __name__ == "__main__":
    main()
