"""Every page for people, opened in a browser: on a desk and on a phone, light and dark, in both languages.

A new page adds its line to PAGES; a name of the navigation that is missing here fails the last test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.urls import reverse
from playwright.sync_api import Page, ViewportSize, expect

from crm.context import ADMINISTRATION, SETTINGS, WORK, address
from tests.browser.accessibility import HEIGHT, NARROW, assert_accessible, assert_contrast, no_horizontal_overflow, show_in
from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture

Arguments = Callable[[Furniture], list[int]]


class Named(NamedTuple):
    url: str
    arguments: Arguments = lambda _: []
    query: str = ""


PAGES = [
    Named("home"),
    Named("customers:list"),
    Named("customers:add"),
    Named("customers:discarded"),
    Named("customers:detail", lambda furniture: [furniture.customer.pk]),
    Named("customers:edit", lambda furniture: [furniture.customer.pk]),
    Named("customers:history", lambda furniture: [furniture.customer.pk]),
    Named("customers:contact", lambda furniture: [furniture.contact.pk]),
    Named("customers:contacts-discarded"),
    Named("customers:contact-add"),
    Named("customers:contact-edit", lambda furniture: [furniture.contact.pk]),
    Named("customers:contact-point-add"),
    Named("customers:contact-privacy", lambda furniture: [furniture.contact.pk]),
    Named("segmentation:value"),
    Named("segmentation:customer-value", lambda furniture: [furniture.customer.pk]),
    Named("segmentation:tier-override", lambda furniture: [furniture.customer.pk]),
    Named("segmentation:moves"),
    Named("segmentation:ledger"),
    Named("segmentation:decision", lambda furniture: [furniture.decision.pk]),
    Named("segmentation:rules"),
    Named("segmentation:rules-draft"),
    Named("segmentation:runs"),
    Named("segmentation:run", lambda furniture: [furniture.value_run.pk]),
    Named("segmentation:track-record"),
    Named("segmentation:what-if"),
    Named("segmentation:scenario", lambda furniture: [furniture.scenario.pk]),
    Named("customers:to-do"),
    Named("customers:to-do", query="?tab=rows"),
    Named("customers:jobs"),
    Named("segmentation:segments"),
    Named("segmentation:segment-add"),
    Named("segmentation:segment", lambda furniture: [furniture.segment.pk]),
    Named("segmentation:segment-edit", lambda furniture: [furniture.segment.pk]),
    Named("customers:job", lambda furniture: [furniture.job.pk]),
    Named("customers:custom-fields"),
    Named("customers:custom-field-add"),
    Named("customers:custom-field-edit", lambda furniture: [furniture.custom_field.pk]),
    Named("customers:imports"),
    Named("customers:import-add"),
    Named("customers:import-columns", lambda furniture: [furniture.import_run.pk]),
    Named("customers:import", lambda furniture: [furniture.checked_run.pk]),
    Named("customers:import", lambda furniture: [furniture.waiting_run.pk]),
    Named("users:list"),
    Named("users:add"),
    Named("users:edit", lambda furniture: [furniture.world.ana.pk]),
    Named("users:reach", lambda furniture: [furniture.world.ana.pk]),
    Named("users:teams"),
    Named("users:team-add"),
    Named("users:team", lambda furniture: [furniture.world.north.pk]),
    Named("users:token-add"),
    Named("users:profile"),
    Named("users:tokens"),
    Named("users:audit"),
    Named("style-guide"),
    Named("api-docs"),
    Named("account_change_password"),
    Named("account_logout"),
    Named("mfa_index"),
    Named("usersessions_list"),
]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": NARROW[0], "height": HEIGHT}


def _open(page: Page, one: Named, furniture: Furniture) -> None:
    answer = page.goto(reverse(one.url, args=one.arguments(furniture)) + one.query)
    assert answer is not None
    assert answer.status == 200, page.url
    expect(page.get_by_role("main")).to_be_visible()
    page.wait_for_load_state("networkidle")  # what htmx fetches belongs to the page


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.url + one.query)
def test_a_page_is_accessible_on_every_screen_and_in_both_themes(signed_in_page: SignIn, furniture: Furniture, one: Named) -> None:
    page = signed_in_page(furniture.world.ada)
    _open(page, one, furniture)
    for viewport in (DESK, PHONE):
        page.set_viewport_size(viewport)
        show_in(page, "light")
        assert_accessible(page)
        show_in(page, "dark")
        assert_contrast(page)
    no_horizontal_overflow(page)


@pytest.mark.parametrize("one", PAGES, ids=lambda one: one.url + one.query)
def test_a_page_fits_a_phone_in_chinese(signed_in_page: SignIn, furniture: Furniture, one: Named) -> None:
    page = signed_in_page(furniture.zhang)
    _open(page, one, furniture)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    no_horizontal_overflow(page)


def test_every_place_of_the_navigation_is_opened_here() -> None:
    opened = {one.url for one in PAGES}
    missing = {place.to for place in (*WORK, *ADMINISTRATION, *SETTINGS) if address(place.to)} - opened
    assert not missing, f"add to PAGES: {', '.join(sorted(missing))}"
