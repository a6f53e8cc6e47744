"""The people of the demo company: head office, its regional offices, who sells there, and the log-ins for trials.

Passwords and tokens are drawn from SECRET_KEY and the mail address: the same at each call, another in each
installation, and never stored in clear.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import ScryptPasswordHasher, get_hasher, make_password
from django.db import transaction

from crm.demo.words import DEMO_NAMES, SALES_TEAMS
from users.access import DataScope, Role, Scope
from users.models import ApiToken, Team, User
from users.models.api_token import PREFIX

DOMAIN = "pareto.example"  # .example can never be somebody's real address
HEAD_OFFICE = "Head office"
DEMO_TEAMS = ("Central", "East")
TOKEN_NAME = "Demo"  # noqa: S105 (what the list of tokens shows)
ZONES = {"Central": "America/Chicago", "East": "America/New_York", "West": "America/Los_Angeles"}


@dataclass(frozen=True)
class Login:
    """One of the twelve people whom a trial can sign in as."""

    name: str
    role: Role
    team: str

    @property
    def mail(self) -> str:
        return f"{self.role.value.replace('_', '.')}@{self.team.lower()}.{DOMAIN}"

    @property
    def password(self) -> str:
        """Four groups of five letters and digits: 100 bits, and still possible to type."""
        letters = base64.b32encode(_derived("password", self.mail)).decode().lower()
        return "-".join(letters[at : at + 5] for at in range(0, 20, 5))

    @property
    def token(self) -> str:
        return PREFIX + base64.urlsafe_b64encode(_derived("token", self.mail)).decode().rstrip("=")


LOGINS = [Login(name, role, team) for team in DEMO_TEAMS for role, name in zip(Role, DEMO_NAMES[team], strict=True)]


@dataclass(frozen=True)
class Seller:
    name: str
    manager: str
    office: str


@transaction.atomic
def make_people() -> None:
    """Write teams, log-ins and sales staff; whoever is there already is left as is."""
    sellers = read_sellers()
    head_office = Team.objects.get_or_create(name=HEAD_OFFICE, defaults={"kind": Team.Kind.HEAD_OFFICE})[0]
    teams = {
        office: Team.objects.get_or_create(name=office, defaults={"kind": Team.Kind.REGION, "parent": head_office})[0]
        for office in dict.fromkeys([*DEMO_TEAMS, *(seller.office for seller in sellers)])
    }
    known = set(User.objects.values_list("email", flat=True))
    people = [*(_login_user(login, teams[login.team]) for login in LOGINS if login.mail not in known)]
    people += [person for person in _sales_staff(sellers, teams) if person.email not in known]
    User.objects.bulk_create(people)
    _issue_tokens({person.email: person for person in people})


def read_sellers(path: Path | None = None) -> list[Seller]:
    """The company's own list where it is at hand, else one of the same shape."""
    path = path or settings.SHARED_DATA / "data" / "crm_sales" / "sales_teams.csv"
    if not path.exists():
        return [Seller(*row) for row in SALES_TEAMS]
    with path.open(newline="", encoding="utf-8") as lines:
        return [Seller(row["sales_agent"], row["manager"], row["regional_office"]) for row in csv.DictReader(lines)]


def _login_user(login: Login, team: Team) -> User:
    return User(
        email=login.mail, password=_hashed(login.password), name=login.name, team=team, role=login.role, time_zone=_zone(login.team)
    )


def _hashed(password: str) -> str:
    """A cheap round of scrypt: nobody guesses 100 random bits, and `demo` has to be quick. Signing in makes it the usual one."""
    hasher = get_hasher()
    if isinstance(hasher, ScryptPasswordHasher):
        return hasher.encode(password, hasher.salt(), n=2**10, p=1)
    return make_password(password)


def _sales_staff(sellers: Iterable[Seller], teams: dict[str, Team]) -> list[User]:
    """Salespeople and their managers. They are names on customers and orders, and cannot sign in."""
    staff = {}
    for seller in sellers:
        for name, scope in ((seller.name, ""), (seller.manager, DataScope.SUBTREE)):
            mail = f"{name.lower().replace(' ', '.')}@{DOMAIN}"
            staff[mail] = User(
                email=mail,
                password=make_password(None),
                name=name,
                team=teams[seller.office],
                role=Role.ACCOUNT_MANAGER,
                data_scope=scope,
                time_zone=_zone(seller.office),
            )
    return list(staff.values())


def _issue_tokens(people: dict[str, User]) -> None:
    for login in LOGINS:
        if login.mail in people:
            ApiToken.issue(user=people[login.mail], by=None, name=TOKEN_NAME, scopes=list(Scope.values), secret=login.token)


def _zone(team: str) -> str:
    return ZONES.get(team, "UTC")


def _derived(purpose: str, mail: str) -> bytes:
    return hmac.digest(str(settings.SECRET_KEY).encode(), f"pareto demo {purpose} {mail}".encode(), hashlib.sha256)
