from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture


def test_the_api_can_be_read_and_tried_in_the_browser(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ada)
    page.goto("/api/docs/")
    chapter = page.locator(".opblock-tag[data-tag=customers]")
    expect(chapter).to_be_visible(timeout=30_000)  # the document is written at the first call of a process
    chapter.click()
    listing = page.locator("#operations-customers-customers_list")
    listing.locator(".opblock-summary-control").click()
    listing.get_by_role("button", name="Try it out").click()
    listing.get_by_role("button", name="Execute").click()
    expect(listing.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
