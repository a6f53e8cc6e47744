from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client, override_settings
from django.urls import reverse

from tests.factories import PASSWORD, make_user
from tests.people import World
from tests.users.signing_in import sign_in
from users.access import Role, Scope
from users.models import ApiToken, Event, User

NEW = {"name": "Nora", "email": "Nora@example.com", "role": "service_agent", "data_scope": "", "language": "en", "time_zone": "Europe/Oslo"}
FIELDS = ("name", "email", "role", "data_scope", "language", "time_zone")


@pytest.fixture
def ada(world: World) -> Client:
    return sign_in(world.ada)


def values_of(user: User, **changes: object) -> dict[str, object]:
    return {**{name: getattr(user, name) for name in FIELDS}, "team": user.team_id, "version": user.version, **changes}


def test_a_new_user_chooses_the_password_through_the_link_shown(ada: Client, world: World) -> None:
    page = ada.post(reverse("users:add"), {**NEW, "team": world.north.pk})
    nora = User.objects.get(email="nora@example.com")
    assert not nora.has_usable_password()
    choose_password(link_on(page.content.decode()))
    assert Client().post(reverse("account_login"), {"login": nora.email, "password": PASSWORD}).status_code == 302


def link_on(page: str) -> str:
    found = re.search(r'value="(http://testserver/account/password/reset/key/[^"]+)"', page)
    assert found
    return found[1]


def choose_password(link: str) -> Client:
    browser = Client()
    form = browser.get(link)
    assert form.status_code == 302, "the key leaves the address, so that it leaks through no Referer"
    done = browser.post(form.headers["Location"], {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    return browser


def test_the_link_works_once(ada: Client, world: World) -> None:
    ada.post(reverse("users:add"), {**NEW, "team": world.north.pk})
    link = link_on(ada.post(reverse("users:invite", args=[User.objects.get(name="Nora").pk])).content.decode())
    choose_password(link)
    assert "does not work any more" in Client().get(link).content.decode()


def test_the_link_ends_with_the_account(ada: Client, world: World) -> None:
    link = link_on(ada.post(reverse("users:invite", args=[world.sam.pk])).content.decode())
    ada.post(reverse("users:deactivate", args=[world.sam.pk]))
    assert "does not work any more" in Client().get(link).content.decode()


@override_settings(MAIL_IS_SET_UP=True)
def test_with_a_mail_server_the_link_goes_out_by_mail_alone(ada: Client, world: World) -> None:
    page = ada.post(reverse("users:add"), {**NEW, "team": world.north.pk})
    assert mail.outbox[0].to == ["nora@example.com"]
    assert "/account/password/reset/key/" in mail.outbox[0].body
    assert "/account/password/reset/key/" not in page.content.decode()


def test_a_change_of_team_acts_at_once(ada: Client, world: World) -> None:
    assert ada.post(reverse("users:edit", args=[world.ana.pk]), values_of(world.ana, team=world.south.pk)).status_code == 302
    assert User.objects.get(pk=world.ana.pk).reach.team_ids == (world.south.pk,)
    assert Event.objects.of("user", world.ana.pk).newest_first()[0].changes == {"team": [world.north.pk, world.south.pk]}


def test_a_stale_version_is_answered_with_both_values(ada: Client, world: World) -> None:
    seen = values_of(world.ana)
    world.ana.change(by=world.ada, name="Ana Berg", role=Role.SERVICE_MANAGER)
    page = ada.post(reverse("users:edit", args=[world.ana.pk]), {**seen, "name": "Ana Dahl"})
    assert page.status_code == 412
    name, role = page.context["conflict"].fields
    assert (name.mine, name.theirs, name.keep_theirs) == ("Ana Dahl", "Ana Berg", False)
    assert (role.theirs_value, role.keep_theirs) == ("service_manager", True), "what only the other changed is proposed, not turned back"


def test_two_accounts_with_one_address_are_refused_at_the_field(ada: Client, world: World) -> None:
    page = ada.post(reverse("users:add"), {**NEW, "email": "ANA@example.com", "team": world.north.pk})
    assert page.status_code == 422
    assert "email" in page.context["form"].errors


@pytest.mark.parametrize(
    "bad", [{"name": "x\x00y"}, {"name": "x" * 5000}, {"team": "999999"}, {"team": "x"}, {"time_zone": "Mars/Base"}, {"role": "root"}]
)
def test_bad_input_is_named_at_its_field(ada: Client, world: World, bad: dict[str, str]) -> None:
    page = ada.post(reverse("users:add"), {**NEW, "team": world.north.pk, **bad})
    assert page.status_code == 422
    assert list(page.context["form"].errors) == list(bad)


def test_deactivating_ends_sessions_and_tokens_at_once(ada: Client, world: World) -> None:
    sam = sign_in(world.sam)
    token, _secret = ApiToken.issue(user=world.sam, by=world.sam, name="x", scopes=[Scope.CUSTOMERS_READ])
    ada.post(reverse("users:deactivate", args=[world.sam.pk]))
    assert sam.get(reverse("users:profile")).status_code == 302
    assert not UserSession.objects.filter(user=world.sam).exists()
    token.refresh_from_db()
    assert token.revoked_at


def test_reactivating_opens_the_account_and_no_former_session(ada: Client, world: World) -> None:
    sam = sign_in(world.sam)
    ada.post(reverse("users:deactivate", args=[world.sam.pk]))
    ada.post(reverse("users:reactivate", args=[world.sam.pk]))
    assert sam.get(reverse("users:profile")).status_code == 302
    assert Client().post(reverse("account_login"), {"login": world.sam.email, "password": PASSWORD}).headers["Location"] == "/"


def test_the_last_administrator_cannot_be_deactivated(ada: Client, world: World) -> None:
    ada.post(reverse("users:deactivate", args=[world.ada.pk]))
    assert User.objects.get(pk=world.ada.pk).is_active


def test_the_last_administrator_cannot_be_demoted(ada: Client, world: World) -> None:
    page = ada.post(reverse("users:edit", args=[world.ada.pk]), values_of(world.ada, role="executive"))
    assert page.status_code == 422
    assert "role" in page.context["form"].errors


def test_of_two_administrators_one_may_go(ada: Client, world: World) -> None:
    second = make_user("bo", team=world.head_office, role=Role.ADMINISTRATOR)
    ada.post(reverse("users:deactivate", args=[second.pk]))
    assert not User.objects.get(pk=second.pk).is_active


def test_a_former_address_does_not_sign_in_any_more(ada: Client, world: World) -> None:
    sign_in(world.sam)
    ada.post(reverse("users:edit", args=[world.sam.pk]), values_of(world.sam, email="samuel@example.com"))
    assert Client().post(reverse("account_login"), {"login": "sam@example.com", "password": PASSWORD}).status_code == 200
    assert Client().post(reverse("account_login"), {"login": "samuel@example.com", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize(
    ("query", "names"),
    [("q=ANA", ["Ana"]), ("role=executive", ["Xia"]), ("state=inactive", []), ("q=%00", None), ("team=abc", None), ("q=nobody", [])],
)
def test_the_list_is_narrowed_by_its_filters(ada: Client, query: str, names: list[str] | None) -> None:
    page = ada.get(f"{reverse('users:list')}?{query}")
    assert page.status_code == 200
    if names is None:
        assert page.context["form"].errors
    else:
        assert [user.name for user in page.context["page"].rows] == names


def test_a_damaged_cursor_is_a_bad_request(ada: Client) -> None:
    assert ada.get(f"{reverse('users:list')}?cursor=nonsense").status_code == 400


def test_the_list_costs_the_same_for_many(ada: Client, world: World, django_assert_max_num_queries: Any) -> None:
    User.objects.bulk_create(User(email=f"{n}@example.com", name=f"User {n:02}", team=world.north, role=Role.EXECUTIVE) for n in range(60))
    with django_assert_max_num_queries(10):
        page = ada.get(reverse("users:list"))
    assert len(page.context["page"].rows) == 50
    second = ada.get(f"{reverse('users:list')}?cursor={page.context['page'].next}")
    assert len(second.context["page"].rows) == 17
