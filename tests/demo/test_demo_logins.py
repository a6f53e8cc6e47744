from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from crm.demo.people import DOMAIN, LOGINS, Login, make_people
from users.access import Role
from users.models import ApiToken, User


def demo_logins(**options: object) -> str:
    out = StringIO()
    call_command("demo_logins", stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


@pytest.fixture
def _people(db: None) -> None:
    make_people()


@pytest.mark.usefixtures("_people")
def test_the_list_has_two_teams_times_every_role() -> None:
    rows = json.loads(demo_logins(json=True))

    assert {(row["team"], row["role"]) for row in rows} == {(team, role) for team in ("Central", "East") for role in Role.values}
    assert all(set(row) == {"mail", "role", "team", "password", "token"} for row in rows)


@pytest.mark.usefixtures("_people")
def test_the_listed_password_signs_in(client: Client) -> None:
    row = json.loads(demo_logins(json=True))[0]

    answer = client.post("/account/login/", {"login": row["mail"], "password": row["password"]})

    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(email=row["mail"]).pk)


@pytest.mark.usefixtures("_people")
def test_the_listed_token_is_usable_and_its_secret_is_not_stored() -> None:
    row = json.loads(demo_logins(json=True))[0]

    token = ApiToken.objects.usable().get(digest=ApiToken.digest_of(row["token"]))

    assert token.user.email == row["mail"]
    assert row["token"] not in str(vars(token))


@pytest.mark.usefixtures("_people")
def test_the_text_names_every_log_in() -> None:
    text = demo_logins()

    assert all(login.mail in text and login.password in text for login in LOGINS)


@pytest.mark.django_db
def test_without_the_demo_the_list_is_empty_as_json_and_an_error_as_text() -> None:
    assert json.loads(demo_logins(json=True)) == []
    with pytest.raises(SystemExit, match="1"):
        demo_logins()


def test_another_secret_key_gives_other_passwords_and_tokens(settings: Settings) -> None:
    login = Login("Ana", Role.ACCOUNT_MANAGER, "Central")
    before = (login.password, login.token)
    assert (login.password, login.token) == before

    settings.SECRET_KEY = "another"

    assert login.password != before[0]
    assert login.token != before[1]


@pytest.mark.usefixtures("_people")
def test_sales_staff_cannot_sign_in() -> None:
    staff = User.objects.filter(email__endswith=DOMAIN).exclude(email__in=[login.mail for login in LOGINS])

    assert staff.exists()
    assert not any(person.has_usable_password() for person in staff)


@pytest.mark.usefixtures("_people")
def test_making_the_people_again_changes_nothing() -> None:
    before = list(User.objects.order_by("pk").values_list("pk", "email", "password"))

    make_people()

    assert list(User.objects.order_by("pk").values_list("pk", "email", "password")) == before
