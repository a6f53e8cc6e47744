"""bin/manage replay_tiers: what other rules would have made of the past."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation.engine.replay import replay
from segmentation.models import RuleVersion


class Command(BaseCommand):
    help = (
        "Decide on tiers anew for every full run of which a snapshot is kept, by another version of the rules. Prints, run by run, how "
        "many customers got which tier and which one these rules would have given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rules", type=int, default=None, metavar="NUMBER", help="a version, draft or published; the one in force unless given"
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        rules = RuleVersion.in_force() if options["rules"] is None else RuleVersion.objects.filter(number=options["rules"]).first()
        if rules is None:
            raise CommandError(f"--rules: there is no version {options['rules']}.", returncode=2)
        runs = [
            {
                "run": one.run.pk,
                "as_of": one.run.as_of.isoformat(),
                "customers": len(one.customer),
                "differ": int((one.tier != one.actual).sum()),
                "matrix": one.matrix,
            }
            for one in replay(rules)
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"rules": rules.number, "runs": runs}))
            return
        for run in runs:
            self.stdout.write(f"{run['as_of']} #{run['run']}: {run['differ']:,} of {run['customers']:,} in another tier")
