"""Fill the database with a believable company of any size."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.demo.generate import generate
from customers.models import Customer

MOST_CUSTOMERS = 5_000_000


class Command(BaseCommand):
    help = "Write a believable company of any size straight into the database: heavy-tailed values, seasons, churn."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=_customers, default=1_000, metavar="N", help="how many (default: 1000)")
        parser.add_argument("--seed", type=_seed, default=1, metavar="S", help="the same number gives the same company (default: 1)")
        parser.add_argument("--add", action="store_true", help="also where there are customers already")
        parser.add_argument("--json", action="store_true", help="report as JSON, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        if Customer.objects.exists() and not options["add"]:
            raise CommandError("There are customers already. Use --add to write more beside them.")
        started = time.monotonic()
        rows = generate(customers=options["customers"], seed=options["seed"], today=timezone.localdate(), tell=self._tell(options))
        self._report(rows, time.monotonic() - started, as_json=options["json"])

    def _tell(self, options: dict[str, Any]) -> Any:
        started, total = time.monotonic(), options["customers"]

        def tell(done: int, rows: int) -> None:
            if sys.stderr.isatty():
                rate = rows / (time.monotonic() - started)
                self.stderr.write(f"\r{done:,} of {total:,} customers, {rows:,} rows, {rate:,.0f} rows/s ", ending="")
                self.stderr.flush()

        return tell

    def _report(self, rows: Counter[str], seconds: float, *, as_json: bool) -> None:
        total = rows.total()
        if as_json:
            report = {"rows": dict(rows), "total": total, "seconds": round(seconds, 2), "rows_per_second": round(total / seconds)}
            self.stdout.write(json.dumps(report, indent=2))
            return
        self.stdout.write("")
        for table, count in rows.most_common():
            self.stdout.write(f"{count:>12,}  {table}")
        self.stdout.write(f"{total:>12,}  rows in {seconds:.1f} s, {total / seconds:,.0f} rows/s")


def _customers(text: str) -> int:
    return _between(text, 1, MOST_CUSTOMERS)


def _seed(text: str) -> int:
    return _between(text, 0, 2**63)


def _between(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)
