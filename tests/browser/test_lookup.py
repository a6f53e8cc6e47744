"""The field that suggests customers while one types (static/js/lookup.js), by keyboard and by mouse."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django import DjangoDbBlocker

from customers.models import Customer
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture
from tests.factories import make_customer


@pytest.fixture(scope="module")
def pair(furniture: Furniture, django_db_blocker: DjangoDbBlocker) -> tuple[Customer, Customer]:
    """Two customers that the same word finds, in the order of their names."""
    with django_db_blocker.unblock():
        north = furniture.world.north
        return make_customer("Zebra One", team=north), make_customer("Zebra Two", team=north)


@pytest.fixture
def page(signed_in_page: SignIn, furniture: Furniture, pair: tuple[Customer, Customer]) -> Page:
    page = signed_in_page(furniture.world.ana)
    page.goto("/contacts/new/")
    return page


def _parts(page: Page) -> tuple[str, str, str]:
    box = "[data-lookup]:has([name=positions-0-customer])"
    return f"{box} [role=combobox]", f"{box} input[type=hidden]", f"{box} [role=option]"


def test_arrows_and_enter_choose_a_customer(page: Page, pair: tuple[Customer, Customer]) -> None:
    field, hidden, options = _parts(page)
    combobox = page.locator(field)
    combobox.fill("zebra")
    expect(page.locator(options)).to_have_count(2)
    expect(combobox).to_have_attribute("aria-expanded", "true")
    assert_accessible(page)
    combobox.press("ArrowDown")
    combobox.press("ArrowDown")
    second = page.locator(options).nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(combobox).to_have_attribute("aria-activedescendant", second.get_attribute("id") or "none")
    combobox.press("Enter")
    expect(page).to_have_url(re.compile("/contacts/new/$"))  # the form was not sent
    expect(page.locator(hidden)).to_have_value(str(pair[1].pk))
    expect(combobox).to_have_value(f"{pair[1].number} {pair[1].name}")
    expect(combobox).to_have_attribute("aria-expanded", "false")


def test_a_click_chooses_and_typing_on_takes_the_choice_back(page: Page, pair: tuple[Customer, Customer]) -> None:
    field, hidden, options = _parts(page)
    page.locator(field).fill("zebra")
    page.locator(options).first.click()
    expect(page.locator(hidden)).to_have_value(str(pair[0].pk))
    page.locator(field).press_sequentially("x")
    expect(page.locator(hidden)).to_have_value("")


def test_words_that_name_nobody_are_said_and_not_left_standing(page: Page) -> None:
    field, hidden, _options = _parts(page)
    page.locator(field).fill("qqqq nobody")
    expect(page.locator("[data-lookup]:has([name=positions-0-customer]) [role=listbox]")).to_contain_text("Nothing found")
    page.locator(field).press("Escape")
    expect(page.locator(field)).to_have_attribute("aria-expanded", "false")
    page.locator(field).blur()
    expect(page.locator(field)).to_have_value("")
    expect(page.locator(hidden)).to_have_value("")


def test_customers_out_of_reach_are_not_suggested(page: Page, furniture: Furniture) -> None:
    make_customer("Zebra Theirs", team=furniture.world.south)
    field, _hidden, options = _parts(page)
    page.locator(field).fill("zebra theirs")
    expect(page.locator("[data-lookup]:has([name=positions-0-customer]) [role=listbox]")).to_contain_text("Nothing found")
    expect(page.locator(options)).to_have_count(0)
