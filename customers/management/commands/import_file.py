"""bin/manage import_file PATH --kind KIND --source NAME: the same import as on the page, from the command line."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from customers.imports import runs
from customers.imports.memory import columns_left_out
from customers.imports.problems import BadFile, explain
from customers.models import ImportProblem, ImportRun, SourceSystem
from users.models import User

PROBLEMS_SHOWN = 20
CANNOT_READ = 2  # exit status


class Command(BaseCommand):
    help = (
        "Import a CSV, TSV or XLSX file. Exits with 2 where the file or the mapping cannot be used; rejected rows are counted and kept "
        "with the run, and do not change the exit status."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--kind", required=True, choices=ImportRun.Kind.values)
        parser.add_argument("--source", required=True, help="Name of the source system, such as erp.")
        parser.add_argument(
            "--mapping", type=Path, help='JSON: {"columns": {column: field}, "options": {…}, "hints": {spelling: meaning}}.'
        )
        parser.add_argument("--by", metavar="MAIL", help="Import as this user: what the user sees, and in the user's name.")
        parser.add_argument("--dry-run", action="store_true", help="Check the whole file and count; write nothing.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = self._import(options)
        except BadFile as error:
            self._refuse({"file": [str(error)]}, as_json=options["json"])
        except ValidationError as error:
            messages = error.message_dict if hasattr(error, "error_dict") else {"file": error.messages}
            self._refuse(messages, as_json=options["json"])
        else:
            self._answer(run, as_json=options["json"], is_dry=options["dry_run"])

    def _import(self, options: dict[str, Any]) -> ImportRun:
        path: Path = options["path"]
        if not path.is_file():
            raise BadFile(f"There is no file {path}.")
        by = User.objects.active().filter(email__iexact=options["by"]).first() if options["by"] else None
        if options["by"] and by is None:
            raise BadFile(f"There is no active user {options['by']}.")
        mapping, settings, hints = runs.read_mapping_file(options["mapping"]) if options["mapping"] else (None, None, {})
        if hints:
            self._keep_hints(options["source"], hints)
        return runs.import_path(
            path,
            kind=options["kind"],
            source_code=options["source"],
            by=by,
            mapping=mapping,
            options=settings,
            dry_run=options["dry_run"],
            tell=self._progress if not options["json"] and sys.stderr.isatty() else lambda _done: None,
        )

    def _keep_hints(self, code: str, hints: dict[str, str]) -> None:
        source, _made = SourceSystem.objects.get_or_create(code=code.lower(), defaults={"name": code})
        source.hints = source.hints | hints
        source.save(update_fields=["hints"])

    def _progress(self, done: int) -> None:
        self.stderr.write(f"\r{done:,} rows", ending="")

    def _answer(self, run: ImportRun, *, as_json: bool, is_dry: bool) -> None:
        if as_json:
            answer = {
                "id": run.pk,
                "state": run.state,
                "dry_run": is_dry,
                "rows": run.rows_total,
                "counts": run.counts,
                "mapping": run.mapping,
                "left_out": columns_left_out(run),
            }
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
            return
        self.stdout.write(f"{run}: {run.rows_total:,} rows" + (" checked, nothing written" if is_dry else ""))
        for name, count in run.counts.items():
            if count:
                self.stdout.write(f"  {name.replace('_', ' '):<12}{count:>10,}")
        if left_out := columns_left_out(run):
            self.stdout.write(f"  not read: {', '.join(left_out)} (say what they hold with --mapping)")
        self._show_problems(run)

    def _show_problems(self, run: ImportRun) -> None:
        problems = list(ImportProblem.objects.filter(run=run)[: PROBLEMS_SHOWN + 1])
        for one in problems[:PROBLEMS_SHOWN]:
            self.stdout.write(f"  row {one.row_number}, {one.column or '–'}, {one.value[:40]!r}: {explain(one.code, one.parameters)}")
        if len(problems) > PROBLEMS_SHOWN:
            self.stdout.write("  … all problems are on the page of this import")

    def _refuse(self, errors: dict[str, list[str]], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"errors": errors}, ensure_ascii=False))
        else:
            for name, messages in errors.items():
                for message in messages:
                    self.stderr.write(f"{name}: {message}")
        sys.exit(CANNOT_READ)
