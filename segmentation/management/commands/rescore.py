"""bin/manage rescore: the whole valuation, here and now."""

from __future__ import annotations

import json
import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers import jobs
from customers.models import Job
from segmentation import jobs as _jobs  # noqa: F401  (registers the valuation)
from segmentation.models import Tier, ValueRun

LONGEST_WAIT = 600  # seconds


class Command(BaseCommand):
    help = "Value all customers now: facts, models, predictions, tiers, ledger. Prints counts per tier, equity and seconds per stage."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--as-of", type=_day, default=None, metavar="DATE", help="only facts up to this day count; today unless given")
        parser.add_argument("--changed", action="store_true", help="only customers whose facts have changed since the last run")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        as_of: date | None = options["as_of"]
        if as_of is not None and as_of > timezone.localdate():
            raise CommandError(f"--as-of: {as_of} lies in the future.", returncode=2)
        extent = ValueRun.Kind.CHANGED if options["changed"] else ValueRun.Kind.FULL
        arguments = {"as_of": as_of.isoformat() if as_of else None, "extent": extent.value}
        job = _value(str(extent.label), arguments)
        waited_until = time.monotonic() + LONGEST_WAIT
        while job.result.get("skipped") == "under_way" and time.monotonic() < waited_until:
            self.stderr.write("Another valuation is under way; waiting for its end.")
            time.sleep(2)
            job = _value(str(extent.label), arguments)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or job.get_state_display())
        if skipped := job.result.get("skipped"):
            raise CommandError({"under_way": "Another valuation is under way.", "nothing_changed": "No facts have changed."}[skipped])
        self.stdout.write(json.dumps(job.result) if options["json"] else _in_words(job.result))


def _value(title: str, arguments: dict[str, Any]) -> Job:
    """Do it in this process. Not by `Job.start`, which would wake a worker; the sweeper only takes over if this process dies."""
    job = Job.objects.create(kind="value-run", title=title, arguments=arguments)
    jobs.run(job.pk)
    job.refresh_from_db()
    return job


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _in_words(result: dict[str, Any]) -> str:
    counts = ", ".join(f"{Tier(int(tier)).name.capitalize()} {count:,}" for tier, count in result["tiers"].items())
    seconds = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in result["seconds"].items())
    return (
        f"{result['customers']:,} customers as of {result['as_of']}: {counts}\nCustomer equity {result['equity']:,.0f}\nSeconds: {seconds}"
    )
