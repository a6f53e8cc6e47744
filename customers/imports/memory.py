"""What a source's files had before: which column holds what, and how it is written. The next file is read as the last one was."""

from __future__ import annotations

from typing import Any

from customers.imports.fields import KEY, MATCHED_BY, guess_mapping
from customers.models import ImportRun, SourceSystem


def propose(run: ImportRun) -> None:
    """A column that the source's files had before is matched as then, and one that is new by its name."""
    columns = [column["name"] for column in run.inspection["columns"]]
    last = run.source.mappings.get(run.kind, {})
    mapping: dict[str, str] = {}
    for column in columns:
        name = last.get("mapping", {}).get(column)
        if name and name not in mapping.values():
            mapping[column] = name
    new = [column for column in columns if column not in mapping and column not in last.get("left_out", ())]
    guessed = {column: name for column, name in guess_mapping(new, run.kind).items() if name not in mapping.values()}
    run.mapping = {column: name for column in columns if (name := mapping.get(column) or guessed.get(column))}
    run.options = {"columns": _forms(run, last.get("columns", {})), "match_by": usual_match(run)}


def _forms(run: ImportRun, remembered: dict[str, Any]) -> dict[str, dict[str, str]]:
    """For each column how it writes numbers and days: the only reading that fits, or else what was confirmed last time, where that fits.

    A scale cannot be seen in a file, so it is as it was.
    """
    forms: dict[str, dict[str, str]] = {}
    for column in run.inspection["columns"]:
        last = remembered.get(column["name"], {})
        if not column["unclear"]:
            read = {"order": next(iter(column["orders"]), ""), "mark": next(iter(column["marks"]), "")}
        else:
            read = {name: last[name] for name, fitting in (("order", "orders"), ("mark", "marks")) if last.get(name) in column[fitting]}
        forms[column["name"]] = read | ({"scale": last["scale"]} if "scale" in last else {})
    return forms


def usual_match(run: ImportRun) -> str:
    return next((name for name in MATCHED_BY[run.kind] if name in run.mapping.values()), KEY)


def merged(kept: dict[str, dict[str, str]], given: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """What is known of columns of which nothing is said stays."""
    return {column: {**kept.get(column, {}), **given.get(column, {})} for column in [*kept, *(one for one in given if one not in kept)]}


def remember(run: ImportRun) -> None:
    """Offer this mapping again for the source's next file of the kind. A source has several files: columns that this one lacks stay."""
    source = SourceSystem.objects.select_for_update().get(pk=run.source_id)
    columns = [column["name"] for column in run.inspection["columns"]]
    last = source.mappings.get(run.kind, {})
    absent = {name: value for name, value in last.get("mapping", {}).items() if name not in columns}
    overruled = [name for name in guess_mapping(columns, run.kind) if name not in run.mapping]
    known = {
        "mapping": absent | run.mapping,
        "columns": last.get("columns", {}) | run.options["columns"],
        "left_out": [*(name for name in last.get("left_out", ()) if name not in columns), *overruled],
    }
    source.mappings = source.mappings | {run.kind: known}
    source.save(update_fields=["mappings"])


def columns_left_out(run: ImportRun) -> list[str]:
    """The columns of the file that nothing is read from."""
    return [column["name"] for column in run.inspection["columns"] if column["name"] not in run.mapping]
