from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible, assert_contrast, no_horizontal_overflow, show_in
from tests.browser.conftest import SignIn
from tests.factories import PASSWORD
from tests.people import World


def fill_in(page: Page, mail: str, password: str) -> None:
    page.goto("/account/login/")
    page.locator("input[name=login]").fill(mail)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_leads_to_the_page_that_was_asked_for(page: Page, world: World, complaints: list[str]) -> None:
    page.goto("/account/sessions/")
    page.locator("input[name=login]").fill(world.ana.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/account/sessions/$"))
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


@pytest.mark.parametrize("mail", ["ana@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(page: Page, world: World, mail: str) -> None:
    fill_in(page, mail, "not the password")
    expect(page.get_by_role("alert").or_(page.locator(".alert, .invalid-feedback")).first).to_contain_text("not correct")
    expect(page).to_have_url(re.compile("/account/login/"))
    assert_accessible(page)


def test_signing_out_ends_the_session(signed_in_page: SignIn, world: World) -> None:
    page = signed_in_page(world.ana)
    page.goto("/")
    page.get_by_role("button", name="Your menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/account/login/"))
    page.goto("/")
    expect(page).to_have_url(re.compile("/account/login/"))


CHINESE = pytest.mark.browser_context_args(locale="zh-CN")


@pytest.mark.parametrize("language", ["en", pytest.param("zh-Hans", marks=CHINESE)])
def test_the_sign_in_page_is_accessible(page: Page, world: World, complaints: list[str], language: str) -> None:
    page.goto("/account/login/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    show_in(page, "light")
    assert_accessible(page)
    show_in(page, "dark")
    assert_contrast(page)
    no_horizontal_overflow(page)
