"""What the benchmark asks for: the kinds of visits, each with many different addresses, as one account manager."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPResponse
from itertools import count
from urllib.parse import urlencode

import psycopg2

from crm.bench._web import Web
from crm.demo.people import LOGINS, Login
from users.access import Role

BEFORE = "minimal view"
VISITOR = next(login for login in LOGINS if login.role is Role.ACCOUNT_MANAGER)
STATUSES = ("active", "dormant", "lost", "prospect")
INDUSTRIES = ("software", "retail", "medical", "manufacturing", "energy")


@dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Visit:
    """One row of the report. `most` is the target: the CPU time as a multiple of the minimal view's."""

    name: str
    requests: Iterator[Request]
    most: float | None = None
    most_kib: float | None = None


@dataclass(frozen=True)
class Sample:
    """Customers of the visitor's team, by which addresses are made."""

    ids: list[int]
    names: list[str]


def sample_of(database_url: str, login: Login = VISITOR) -> Sample:
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name FROM customers_customer WHERE deleted_at IS NULL AND team_id = (SELECT id FROM users_team WHERE name = %s)"
            " ORDER BY md5(id::text) LIMIT 300",
            [login.team],
        )
        ids, names = zip(*cursor.fetchall(), strict=True)
    return Sample(list(ids), list(names))


def visits(sample: Sample, session: dict[str, str], token: dict[str, str]) -> list[Visit]:
    """In the order of the report; `session` and `token` are the headers of a signed-in browser and of a program."""
    draw = random.Random(7)

    def many(make: Callable[[], str], headers: dict[str, str] | None = None) -> Iterator[Request]:
        while True:
            yield Request(make(), headers=headers or {})

    def customer() -> int:
        return draw.choice(sample.ids)

    def narrowed() -> str:
        return urlencode({"status": draw.choice(STATUSES), "industry": draw.choice(INDUSTRIES)})

    def words(parameter: str) -> str:
        return urlencode({parameter: draw.choice(sample.names).split()[0][:12]})

    api = "/api/v1"
    return [
        Visit(BEFORE, many(lambda: f"/bench/row/{customer()}")),
        Visit("sign-in page", many(lambda: "/account/login/"), 3),
        Visit("page: list", many(lambda: "/customers/", session), 12),
        Visit("page: filtered list", many(lambda: f"/customers/?{narrowed()}", session), 12),
        Visit("page: name search", many(lambda: f"/customers/?{words('q')}", session), 12),
        Visit("page: search as typed", many(lambda: f"/customers/?{words('q')}", session | {"HX-Request": "true"}), 12),
        Visit("page: customer with timeline", many(lambda: f"/customers/{customer()}/", session), 12),
        Visit("JSON: list", many(lambda: f"{api}/customers/?page_size=50", token), 10, 40),
        Visit("JSON: filtered list", many(lambda: f"{api}/customers/?page_size=50&{narrowed()}", token), 10, 40),
        Visit("JSON: name search", many(lambda: f"{api}/customers/?page_size=50&{words('search')}", token), 10, 40),
        Visit("JSON: customer", many(lambda: f"{api}/customers/{customer()}/", token)),
        Visit("JSON: timeline", many(lambda: f"{api}/contact-points/?page_size=20&customer={customer()}", token)),
        Visit("JSON: create", _creations(token)),
    ]


def _creations(token: dict[str, str]) -> Iterator[Request]:
    own = random.Random()  # a name of its own in each run
    for at in count():
        body = json.dumps({"legal_name": f"Bench {own.getrandbits(40):x} {at} Ltd", "industry": "software", "country": "GB"}).encode()
        headers = token | {"Content-Type": "application/json", "Idempotency-Key": f"bench-{own.getrandbits(64):x}"}
        yield Request("/api/v1/customers/", "POST", body, headers)


def signed_in(web: Web) -> dict[str, str]:
    """The cookies of a browser in which the visitor has signed in."""
    with closing(web.connect()) as client:
        client.request("GET", "/account/login/")
        jar = _cookies(answer := client.getresponse())
        answer.read()
        form = {"csrfmiddlewaretoken": jar["csrf" if "csrf" in jar else "csrftoken"], "login": VISITOR.mail, "password": VISITOR.password}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": _joined(jar)}
        client.request("POST", "/account/login/", urlencode(form), headers)
        answer = client.getresponse()
        answer.read()
        if answer.status != 302:
            raise SystemExit(f"{VISITOR.mail} could not sign in: {answer.status}")
        return {"Cookie": _joined(jar | _cookies(answer))}


def with_token() -> dict[str, str]:
    return {"Authorization": f"Bearer {VISITOR.token}"}


def _cookies(answer: HTTPResponse) -> dict[str, str]:
    pairs = (header.partition(";")[0].partition("=") for header in answer.headers.get_all("Set-Cookie", []))
    return {name: value for name, _equals, value in pairs}


def _joined(jar: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in jar.items())
