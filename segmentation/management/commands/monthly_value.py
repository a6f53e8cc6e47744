"""bin/manage monthly_value --check | --rebuild: the monthly value table against the facts."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from segmentation import monthly
from segmentation.facts import MONEY
from segmentation.models import RuleVersion


class Command(BaseCommand):
    help = (
        "Compare every row of the monthly value table with the facts (--check: exits with 1 where any differs), or make it anew"
        " (--rebuild), by the rules in force."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        act = parser.add_mutually_exclusive_group(required=True)
        act.add_argument("--check", action="store_true", help="compare, and change nothing")
        act.add_argument("--rebuild", action="store_true", help="make every row anew; rows that are right already get no write")
        parser.add_argument("--as-of", type=_day, metavar="DATE", help="facts up to this day count (default: today)")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        as_of = options["as_of"] or timezone.localdate()
        if options["check"]:
            self._check(as_of, as_json=options["json"])
        else:
            self._rebuild(as_of, as_json=options["json"])

    def _check(self, as_of: date, *, as_json: bool) -> None:
        checked = monthly.check(as_of=as_of, rules=RuleVersion.in_force())
        shown = [
            {"customer": one.customer_id, "month": one.month.isoformat(), "stored": _named(one.stored), "facts": _named(one.facts)}
            for one in checked.shown
        ]
        if as_json:
            answer = {"as_of": as_of.isoformat(), "rows": checked.rows, "differences": checked.differences, "shown": shown}
            self.stdout.write(json.dumps(answer | _missing(as_of)))
        else:
            self.stdout.write(f"{checked.rows:,} rows, {checked.differences:,} of them not what the facts say")
            for one in shown:
                self.stdout.write(f"  customer {one['customer']}, {one['month']}: {one['stored']} instead of {one['facts']}")
        if checked.differences:
            sys.exit(1)

    def _rebuild(self, as_of: date, *, as_json: bool) -> None:
        started = time.monotonic()
        written, deleted = monthly.rebuild(as_of=as_of, rules=RuleVersion.in_force())
        seconds = round(time.monotonic() - started, 2)
        if as_json:
            answer = {"as_of": as_of.isoformat(), "written": written, "deleted": deleted, "seconds": seconds}
            self.stdout.write(json.dumps(answer | _missing(as_of)))
        else:
            self.stdout.write(f"{written:,} rows written, {deleted:,} deleted, in {seconds} s")
            for one in monthly.missing_rates(as_of=as_of):
                self.stdout.write(f"  no exchange rate for {one.currency}: {one.facts:,} × {one.noun} left out")


def _missing(as_of: date) -> dict[str, Any]:
    return {"missing_rates": [one._asdict() for one in monthly.missing_rates(as_of=as_of)]}


def _named(amounts: tuple[Any, ...] | None) -> dict[str, str] | None:
    """The amounts that are not zero, by column."""
    return None if amounts is None else {name: str(amount) for name, amount in zip(MONEY, amounts, strict=True) if amount}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-03-31") from error
