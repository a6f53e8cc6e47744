"""bin/bench plans: the plan of every query behind lists, searches and details on the big company; exit 1 where one reads a big table whole.

As an account manager, who sees a team, and as an administrator, who sees everything: the planner decides differently for the two.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from crm.bench._company import company_of

BIG = frozenset({"customers_customer", "customers_contact", "customers_contactpoint"})
SLOW_MS = 50.0
HTMX = {"HX-Request": "true"}
# Their lists are read by other people than these two, or hold little.
ELSEWHERE = frozenset({"users", "teams", "tokens", "events", "jobs", "source-systems", "custom-fields", "exchange-rates"})
ONLY_OF_ONE = frozenset({"source-records", "cross-references"})  # refuse to list everybody's


@dataclass
class Findings:
    addresses: int = 0
    statements: int = 0
    scans: dict[str, str] = field(default_factory=dict)  # statement → address
    slow: list[tuple[float, str, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/bench plans", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=100_000)
    os.environ["DATABASE_URL"] = company_of(parser.parse_args().customers)
    os.environ["DJANGO_SETTINGS_MODULE"] = "crm.bench._settings"
    import django

    django.setup()
    logging.disable(logging.CRITICAL)  # a line per request is for a server
    findings = Findings()
    for visitor in ("account.manager@central", "administrator@central"):
        look(f"{visitor}.pareto.example", findings)
    report(findings)
    return 1 if findings.scans or findings.failures else 0


def look(mail: str, findings: Findings) -> None:
    from django.test import Client

    from users.models import User

    user = User.objects.get(email=mail)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    sample = Sample.of(user)
    for address, headers in [*pages(sample), *answers(sample)]:
        findings.addresses += 1
        with captured() as statements:
            response = client.get(address, headers=headers)
        if response.status_code != 200:
            findings.failures.append(f"{response.status_code} for {mail}: {address}  {response.content[:200].decode(errors='replace')}")
        for sql, params, seconds in statements:
            examine(address, sql, params, seconds, findings)


class captured:  # noqa: N801 (reads as a function)
    """The SELECTs of the block, with their parameters and seconds."""

    def __enter__(self) -> list[tuple[str, Any, float]]:
        from django.db import connection

        self._statements: list[tuple[str, Any, float]] = []
        self._wrapper = connection.execute_wrapper(self._note)
        self._wrapper.__enter__()
        return self._statements

    def __exit__(self, *_error: object) -> None:
        self._wrapper.__exit__(None, None, None)

    def _note(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        started = time.monotonic()
        result = execute(sql, params, many, context)
        if sql.lstrip().upper().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in sql:
            self._statements.append((sql, params, time.monotonic() - started))
        return result


def examine(address: str, sql: str, params: Any, seconds: float, findings: Findings) -> None:
    from django.db import connection

    findings.statements += 1
    if seconds * 1000 > SLOW_MS:
        findings.slow.append((seconds * 1000, address, sql))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    for table in sequential_scans(plan[0]["Plan"]):
        findings.scans.setdefault(f"{table}: {sql[:600]}", address)


def sequential_scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in BIG:
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from sequential_scans(below)


@dataclass(frozen=True)
class Sample:
    """A customer that the visitor sees, and what hangs on it."""

    customer: Any
    ids: dict[str, int | None]

    @classmethod
    def of(cls, user: Any) -> Sample:
        from customers.models import Customer

        seen = Customer.objects.visible_to(user)
        customer = seen.filter(orders__isnull=False, contracts__isnull=False, assets__isnull=False, invoices__payments__isnull=False)[0]
        parent = seen.filter(subsidiaries__isnull=False).values_list("pk", flat=True)[0]
        point = customer.contact_points.exclude(contact=None)[0]
        ids = {
            "customer": customer.pk,
            "parent": parent,
            "contact": point.contact_id,
            "staff": point.staff_id,
            "owner": customer.owner_id,
            "team": customer.team_id,
            "order": customer.orders.values_list("pk", flat=True)[0],
            "contract": customer.contracts.values_list("pk", flat=True)[0],
            "asset": customer.assets.values_list("pk", flat=True)[0],
            "invoice": customer.invoices.filter(payments__isnull=False).values_list("pk", flat=True)[0],
            "product": customer.assets.values_list("product", flat=True)[0],
        }
        return cls(customer, ids)

    def words(self) -> list[str]:
        """Whole words and beginnings, one letter and many, both scripts, a number, and what nobody is called."""
        return [self.customer.number, "gre", "Green", "wood sys", "ltd", "a", "华信", "科技", "上海", "shanghai", "hxkj", "zzzzqq", "C0000"]


def pages(sample: Sample) -> Iterator[tuple[str, dict[str, str]]]:
    from django.urls import reverse

    from customers.models import Customer
    from customers.views.customer import TABS
    from customers.views.customer_list import SORTS

    listed, customer = reverse("customers:list"), sample.customer
    narrowed = [{"q": word} for word in sample.words()] + [{"status": value} for value in Customer.Status.values]
    narrowed += [{"kind": value} for value in Customer.Kind.values] + [{"tag": "reference"}, {"tag": "unheard of"}]
    narrowed += [{"industry": "software"}, {"industry": "unheard of"}, {"region": customer.region}, {"owner": customer.owner_id}]
    narrowed += [
        {"owner": "null"},
        {"team": customer.team_id},
        {"status": "active", "industry": "energy"},
        {"q": "green", "status": "lost"},
    ]
    yield reverse("home"), {}
    for sort in SORTS:
        yield f"{listed}?sort={sort}", {}
        yield from ((f"{listed}?{urlencode(one)}&sort={sort}", HTMX) for one in narrowed)
    for tab in TABS:
        yield f"{reverse('customers:detail', args=[customer.pk])}?tab={tab}", {}
    yield reverse("customers:detail", args=[sample.ids["parent"]]) + "?tab=family", {}
    yield reverse("customers:history", args=[customer.pk]), {}
    yield f"{reverse('customers:timeline', args=[customer.pk])}?kind=visit", HTMX
    yield reverse("customers:contact", args=[sample.ids["contact"]]), {}
    for word in sample.words():
        yield f"{reverse('customers:lookup')}?q={quote(word)}", HTMX


def answers(sample: Sample) -> Iterator[tuple[str, dict[str, str]]]:
    """Every list of the API, in each order and with each filter alone, and one detail of each noun about a customer."""
    from crm.api import NOUNS
    from customers.models import SourceSystem

    json_only = {"accept": "application/json"}
    for noun, view in NOUNS.items():
        if noun in ELSEWHERE:
            continue
        listed = f"/api/v1/{noun}/"
        for sort in view.sorts if noun not in ONLY_OF_ONE else ():
            for sign in ("", "-"):
                yield f"{listed}?ordering={sign}{sort.key.removeprefix('-')}", json_only
        for name, one in view.filters.items():
            for value in _values(name, one.schema, sample):
                beside = {one.beside: SourceSystem.STEWARD} if one.beside else {}
                yield f"{listed}?{urlencode({name: value} | beside)}", json_only
        if view.is_searchable:
            yield from ((f"{listed}?{urlencode({'search': word})}", json_only) for word in sample.words())
    for noun in ("customer", "contact", "order", "contract", "asset", "invoice"):
        yield f"/api/v1/{noun}s/{sample.ids[noun]}/", json_only


def _values(name: str, schema: dict[str, Any], sample: Sample) -> list[Any]:
    """Values to try for a filter: a usual one, and one that finds little."""
    if name in sample.ids:
        return [sample.ids[name]]
    if schema.get("format") == "date":
        return ["2026-11-01", "2019-02-01"]
    if schema.get("format") == "date-time":
        return ["2026-11-20T00:00:00Z", "2019-02-01T00:00:00Z"]
    if schema["type"] == "boolean":
        return ["true", "false"]
    if schema["type"] == "integer":
        return [3]
    if "example" in schema:
        return [schema["example"]]
    return [value for value in (getattr(sample.customer, name, None), "unheard of") if value]


def report(findings: Findings) -> None:
    print(f"{findings.statements:,} statements of {findings.addresses:,} addresses")
    for milliseconds, address, sql in sorted(findings.slow, reverse=True)[:20]:
        print(f"\n{milliseconds:6.0f} ms  {address}\n  {sql[:400]}")
    for failure in findings.failures:
        print(f"\n{failure}")
    if not findings.scans:
        print(f"no sequential scan over {', '.join(sorted(BIG))}")
    for statement, address in findings.scans.items():
        print(f"\nreads a table whole: {address}\n  {statement}")


if __name__ == "__main__":
    sys.exit(main())
