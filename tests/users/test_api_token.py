from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.people import World
from tests.users.signing_in import sign_in
from users.access import Scope
from users.models import ApiToken


def test_the_command_prints_a_working_token(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_token", "IVY@example.com", scopes="customers:read,sales:read", days=7, json=True)
    printed = json.loads(capsys.readouterr().out)
    token = ApiToken.objects.usable().get(digest=ApiToken.digest_of(printed["token"]))
    assert (token.user, token.scopes) == (world.ivy, ["customers:read", "sales:read"])


@pytest.mark.parametrize(
    "arguments",
    [
        {"mail": "nobody@example.com"},
        {"mail": "ana@example.com"},
        {"scopes": "customers:rule"},
        {"scopes": ","},
        {"days": 0},
        {"name": ""},
    ],
)
def test_the_command_says_what_is_wrong(world: World, arguments: dict[str, Any]) -> None:
    mail = arguments.pop("mail", "ivy@example.com")
    with pytest.raises(CommandError):
        call_command("api_token", mail, **{"scopes": "customers:read", **arguments})
    assert not ApiToken.objects.exists()


def test_a_secret_is_shown_once_and_not_stored(world: World) -> None:
    ivy = sign_in(world.ivy)
    page = ivy.post(reverse("users:token-add"), {"name": "ERP", "days": "30", "scopes": ["customers:read"]}).content.decode()
    found = re.search(r'value="(pareto_[^"]{43})"', page)
    assert found
    assert found[1] not in ivy.get(reverse("users:tokens")).content.decode()
    assert found[1] not in str(list(ApiToken.objects.values()))


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "x" * 81), ("name", "\x00"), ("days", "100000"), ("scopes", ["all"]), ("scopes", [])]
)
def test_a_bad_request_for_a_token_is_named_at_its_field(world: World, field: str, value: Any) -> None:
    posted = {"name": "ERP", "days": "30", "scopes": ["customers:read"], field: value}
    page = sign_in(world.ivy).post(reverse("users:token-add"), posted)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]


def test_another_persons_token_is_not_there_to_revoke(world: World) -> None:
    token, _secret = ApiToken.issue(user=world.ada, by=world.ada, name="x", scopes=[Scope.CUSTOMERS_READ])
    assert sign_in(world.ivy).post(reverse("users:token-revoke", args=[token.pk])).status_code == 404
    assert ApiToken.objects.usable().exists()


def test_an_administrator_sees_and_revokes_everybodys_tokens(world: World) -> None:
    token, _secret = ApiToken.issue(user=world.ivy, by=world.ivy, name="Nightly", scopes=[Scope.CUSTOMERS_READ])
    ada = sign_in(world.ada)
    assert "Nightly" in ada.get(f"{reverse('users:tokens')}?of=all").content.decode()
    ada.post(reverse("users:token-revoke", args=[token.pk]))
    assert not ApiToken.objects.usable().exists()
