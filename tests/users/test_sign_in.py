from __future__ import annotations

import base64
import hmac
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD
from tests.people import World
from users.access import Scope
from users.models import ApiToken, User

LOGIN = "/account/login/"


@pytest.fixture(autouse=True)
def _forgotten_tries() -> Iterator[None]:
    """The throttle counts in the cache, which no rollback empties."""
    cache.clear()
    yield
    cache.clear()


def try_to_sign_in(browser: Client, email: str, password: str = PASSWORD) -> Any:
    return browser.post(LOGIN, {"login": email, "password": password})


def signed_in(user: User) -> Client:
    browser = Client()
    assert try_to_sign_in(browser, user.email).headers["Location"] == "/"
    return browser


def is_signed_in(browser: Client) -> bool:
    return browser.get(reverse("users:profile")).status_code == 200


def totp(secret: str) -> str:
    """RFC 6238, worked out here rather than asked of the code under test."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def test_guessing_is_stopped_within_ten_tries(world: World) -> None:
    browser = Client()
    for _guess in range(9):
        try_to_sign_in(browser, world.ana.email, "a wrong password")
    assert not is_signed_in(browser)
    answer = try_to_sign_in(browser, world.ana.email)
    assert answer.status_code in (200, 429)
    assert not is_signed_in(browser), "the tenth try fails even with the right password"


def test_throttling_one_account_leaves_the_others_open(world: World) -> None:
    for _guess in range(6):
        try_to_sign_in(Client(), world.ana.email, "a wrong password")
    assert is_signed_in(signed_in(world.mo))


def test_an_unknown_address_gets_the_same_answer(world: World) -> None:
    def answer(email: str) -> tuple[int, str]:
        page = try_to_sign_in(Client(), email, "a wrong password")
        return page.status_code, re.sub(r'(csrfmiddlewaretoken"|"X-CSRFToken": ?")[^>]*', "", page.content.decode()).replace(email, "")

    assert answer(world.ana.email) == answer("nobody@example.com")


def test_asking_for_a_new_password_does_not_tell_who_has_an_account(world: World) -> None:
    answers = [Client().post("/account/password/reset/", {"email": email}) for email in (world.ana.email, "nobody@example.com")]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(302, "/account/password/reset/done/")}


def test_a_deactivated_user_gets_in_by_no_password(world: World) -> None:
    world.sam.change(by=world.ada, is_active=False)
    browser = Client()
    try_to_sign_in(browser, world.sam.email)
    assert not is_signed_in(browser)


def test_the_session_gets_a_new_id_at_sign_in(world: World) -> None:
    browser = Client()
    browser.post(reverse("quick-preferences"), {"language": "en"})
    browser.get(LOGIN)
    session = browser.session
    session["x"] = 1
    session.save()
    before = session.session_key
    try_to_sign_in(browser, world.ana.email)
    assert browser.session.session_key != before


def turn_second_step_on(browser: Client) -> str:
    assert browser.get(reverse("mfa_activate_totp")).status_code == 302, "first the password, once more"
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = browser.get(reverse("mfa_activate_totp"))
    secret = str(page.context["form"].secret)
    assert browser.post(reverse("mfa_activate_totp"), {"code": totp(secret)}).status_code == 302
    return secret


def test_with_the_second_step_a_password_alone_opens_nothing(world: World) -> None:
    secret = turn_second_step_on(signed_in(world.ana))
    browser = Client()
    assert try_to_sign_in(browser, world.ana.email).headers["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(browser)
    browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert not is_signed_in(browser)
    code = totp(secret)
    browser.post(reverse("mfa_authenticate"), {"code": code})
    assert is_signed_in(browser)
    overlooker = Client()
    try_to_sign_in(overlooker, world.ana.email)
    overlooker.post(reverse("mfa_authenticate"), {"code": code})
    assert not is_signed_in(overlooker), "a code that was used once is spent"


def test_a_new_password_by_link_keeps_the_second_step(world: World) -> None:
    turn_second_step_on(signed_in(world.ana))
    world.ana.set_password("another correct horse battery")
    world.ana.save()
    assert try_to_sign_in(Client(), world.ana.email, "another correct horse battery").headers["Location"] == reverse("mfa_authenticate")


def test_the_secret_of_the_second_step_lies_encrypted(world: World) -> None:
    secret = turn_second_step_on(signed_in(world.ana))
    assert secret not in str(list(Authenticator.objects.values()))


def test_a_person_sees_the_own_sessions_and_ends_the_others(world: World) -> None:
    office, cafe = signed_in(world.ana), signed_in(world.ana)
    assert is_signed_in(cafe)
    assert len(office.get(reverse("usersessions_list")).context["sessions"]) == 2
    office.post(reverse("usersessions_list"))
    assert not is_signed_in(cafe)
    assert is_signed_in(office)


def test_a_new_password_ends_the_other_sessions_and_revokes_the_tokens(world: World) -> None:
    office, cafe = signed_in(world.ivy), signed_in(world.ivy)
    ApiToken.issue(user=world.ivy, by=world.ivy, name="x", scopes=[Scope.CUSTOMERS_READ])
    new = "quite another passphrase"
    values = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert office.post(reverse("account_change_password"), values).status_code == 302
    assert is_signed_in(office)
    assert not is_signed_in(cafe)
    assert not ApiToken.objects.usable().exists()


@pytest.mark.parametrize("weak", ["short", "password1234", "ana@example.com"])
def test_a_weak_password_is_refused(world: World, weak: str) -> None:
    values = {"oldpassword": PASSWORD, "password1": weak, "password2": weak}
    assert signed_in(world.ana).post(reverse("account_change_password"), values).status_code == 200
    assert User.objects.get(pk=world.ana.pk).check_password(PASSWORD)


def test_a_reset_link_works_once(world: World, mailoutbox: list[Any]) -> None:
    Client().post("/account/password/reset/", {"email": world.ana.email})
    found = re.search(r"http://testserver(/account/password/reset/key/\S+)", mailoutbox[0].body)
    assert found
    browser, new = Client(), "quite another passphrase"
    form = browser.get(found[1]).headers["Location"]
    browser.post(form, {"password1": new, "password2": new})
    assert User.objects.get(pk=world.ana.pk).check_password(new)
    assert "does not work any more" in Client().get(found[1]).content.decode()
    assert "does not work any more" in browser.get(form).content.decode()


def test_nobody_signs_up_or_gives_themselves_an_address(world: World) -> None:
    stranger = Client()
    stranger.post("/account/signup/", {"email": "new@example.com", "password1": PASSWORD})
    assert not User.objects.filter(email="new@example.com").exists()
    assert signed_in(world.ana).post("/account/email/", {"action_add": "", "email": "new@example.com"}).status_code == 404


@pytest.mark.parametrize("path", [LOGIN, "/", "/no/such/page"])
def test_every_page_allows_scripts_and_styles_of_our_own_only(world: World, path: str) -> None:
    policy = signed_in(world.ana).get(path).headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["script-src"] == rules["style-src"] == rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["object-src"] == rules["base-uri"] == "'none'"


def test_what_a_signed_in_person_saw_is_stored_nowhere(world: World) -> None:
    assert signed_in(world.ana).get(reverse("users:profile")).headers["Cache-Control"] == "no-store, private"


SHOW_COOKIES = """
import django
django.setup()
from django.conf import settings
from django.test import Client
cookie = Client().get("/account/login/", secure=True).cookies["__Host-csrf"]
print(settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SAMESITE,
      settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH, settings.SECURE_HSTS_SECONDS > 0)
print(cookie.key, cookie["secure"], cookie["httponly"], cookie["samesite"], repr(cookie["domain"]), cookie["path"])
"""


def test_over_https_cookies_are_bound_to_this_host() -> None:
    environment = {**os.environ, "PARETO_HTTPS": "1", "ALLOWED_HOSTS": "testserver"}
    run = subprocess.run([sys.executable, "-c", SHOW_COOKIES], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True)
    assert run.stdout.splitlines() == [
        "__Host-session True True Lax None / True",
        "__Host-csrf True True Lax '' /",
    ], run.stderr[-2000:]
