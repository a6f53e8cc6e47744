"""bin/bench import: files of customers and contacts through the whole import, beside a bare COPY of the rows that it wrote.

The yardstick copies the very same rows, of every table that the import writes, into the same empty, indexed tables.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  (after setup)

from crm.bench._measure import Cost, measured, run_child  # noqa: E402
from customers.models import (  # noqa: E402
    Address,
    Contact,
    ContactMethod,
    CrossReference,
    Customer,
    Position,
    SourceRecord,
)
from users.models import Event, Team  # noqa: E402

WRITTEN = (Customer, Contact, ContactMethod, Position, Address, SourceRecord, CrossReference, Event)
MOST_TIMES_COPY = 4
MOST_MEGABYTES = 300
INDUSTRIES = ("retail", "software", "medical", "finance", "marketing", "logistics", "教育", "制造")
SYLLABLES = ("ka", "ro", "ten", "mi", "sol", "ver", "dan", "lo", "qui", "sta", "nor", "pel", "tri", "ba", "xon", "fi")
HAN = "华信科技东方海天明达新宇中联恒通瑞安金源博远"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/bench import", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="customers; as many contacts come with them")
    parser.add_argument("--customers-only", action="store_true")
    arguments = parser.parse_args()
    _empty()
    Team.objects.get_or_create(name="Head office", defaults={"kind": Team.Kind.HEAD_OFFICE})
    with tempfile.TemporaryDirectory() as folder:
        imported = _import(Path(folder), arguments.rows, with_contacts=not arguments.customers_only)
        copied, rows = _copy_again(Path(folder))
    _report(arguments.rows * (1 if arguments.customers_only else 2), imported, copied, rows)


def _import(folder: Path, count: int, *, with_contacts: bool) -> Cost:
    total = Cost()
    kinds = {"customers": customer_rows, **({"contacts": contact_rows} if with_contacts else {})}
    for kind, rows in kinds.items():
        path = folder / f"{kind}.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(rows(count))
        cost = run_child(["manage.py", "import_file", str(path), "--kind", kind, "--source", "bench", "--json"])
        print(
            f"import of {count:,} {kind}: {cost.wall:.1f} s, {cost.cpu:.1f} CPU s, {count / cost.wall:,.0f} rows/s, {cost.peak_mb:.0f} MB"
        )
        total = Cost(total.wall + cost.wall, total.cpu + cost.cpu, max(total.peak_mb, cost.peak_mb))
    return total


def customer_rows(count: int) -> Iterator[list[str]]:
    chance = random.Random(7)
    yield ["id", "name", "industry", "employees", "revenue", "country", "city", "phone", "website", "customer since"]
    for n in range(count):
        name = (
            "".join(chance.choices(HAN, k=4)) + f"{n}有限公司"
            if n % 4 == 0
            else "".join(chance.choices(SYLLABLES, k=4)).title() + f" {n} Ltd"
        )
        phone = f"+1 212 {555 + n % 400} {n % 10_000:04d}"
        yield [
            f"K{n}", name, chance.choice(INDUSTRIES), str(chance.randint(1, 5000)), f"{chance.paretovariate(1.1) * 1e5:.2f}",
            "CN" if n % 4 == 0 else "United States", "Shanghai" if n % 4 == 0 else "New York", phone, f"www.firm{n}.example",
            f"20{n % 20 + 5:02d}-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
        ]  # fmt: skip


def contact_rows(count: int) -> Iterator[list[str]]:
    chance = random.Random(11)
    yield ["id", "name", "company", "job title", "role", "email", "mobile"]
    for n in range(count):
        name = f"{''.join(chance.choices(SYLLABLES, k=2)).title()} {''.join(chance.choices(SYLLABLES, k=3)).title()}"
        mobile = f"+86 138 {n // 10_000 % 10_000:04d} {n % 10_000:04d}"
        yield [f"P{n}", name, f"K{chance.randrange(count)}", "Head of IT", "decision_maker", f"person{n}@firm{n}.example", mobile]


def _copy_again(folder: Path) -> tuple[Cost, int]:
    """Write down what the import wrote, empty the tables, and COPY it back."""
    names = {model: [str(field.column) for field in model._meta.concrete_fields if not field.generated] for model in WRITTEN}
    rows = 0
    with connection.cursor() as cursor:
        for model, columns in names.items():
            with (folder / model._meta.db_table).open("w") as file:
                cursor.copy_expert(f"COPY {_target(model, columns)} TO STDOUT", file)
                rows += cursor.rowcount
    _empty()
    with measured() as cost, transaction.atomic(), connection.cursor() as cursor:  # tables name each other: checked at the end
        for model, columns in names.items():
            with (folder / model._meta.db_table).open() as file:
                cursor.copy_expert(f"COPY {_target(model, columns)} FROM STDIN", file)
    return cost, rows


def _target(model: type, columns: list[str]) -> str:
    quoted = ", ".join(f'"{column}"' for column in columns)
    return f'"{model._meta.db_table}" ({quoted})'  # type: ignore[attr-defined]


def _empty() -> None:
    tables = ", ".join(f'"{model._meta.db_table}"' for model in WRITTEN)
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"TRUNCATE {tables} CASCADE")
        cursor.execute("CHECKPOINT")


def _report(file_rows: int, imported: Cost, copied: Cost, rows: int) -> None:
    out = io.StringIO()
    print(f"\n{file_rows:,} rows of files became {rows:,} rows of {len(WRITTEN)} tables", file=out)
    print(f"  import     {imported.wall:8.1f} s  {imported.cpu:8.1f} CPU s  {file_rows / imported.wall:10,.0f} rows of files/s", file=out)
    print(f"  bare COPY  {copied.wall:8.1f} s  {copied.cpu:8.1f} CPU s", file=out)
    print(
        f"  ratio      {imported.wall / copied.wall:8.2f}    {imported.cpu / copied.cpu:8.2f}        wanted: at most {MOST_TIMES_COPY}",
        file=out,
    )
    print(f"  peak memory {imported.peak_mb:.0f} MB of the importing process, wanted: at most {MOST_MEGABYTES} MB", file=out)
    print(out.getvalue(), end="")


if __name__ == "__main__":
    main()
