"""The value pages at work: what htmx brings, what is folded away, and what a person decides."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from segmentation.models import RuleVersion, Score
from tests.browser.accessibility import assert_accessible, assert_contrast, no_horizontal_overflow, show_in
from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture
from tests.factories import make_customer, make_score


def unfolded(page: Page) -> None:
    """Open all that is folded, and look at it in both themes and on a phone."""
    for details in page.locator("main details").all():
        details.evaluate("one => { one.open = true; }")
    show_in(page, "light")
    assert_accessible(page)
    show_in(page, "dark")
    assert_contrast(page)
    no_horizontal_overflow(page)


def test_the_customers_page_fetches_its_value(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ada)
    page.goto(f"/customers/{furniture.customer.pk}/")
    panel = page.get_by_role("region", name="Value", exact=True)
    expect(panel.get_by_text("Orders are expected to bring $24K")).to_be_visible()
    panel.get_by_text("Value over time, renewals, last decisions").click()
    expect(panel.get_by_role("img", name="Value over time")).to_be_visible()
    panel.get_by_text("The figures as a table").click()
    expect(panel.get_by_role("cell", name="$8K").first).to_be_visible()
    unfolded(page)


def test_every_chart_has_its_figures(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ada)
    for path in ("/value/", "/value/track-record/", "/value/runs/", "/value/rules/draft/"):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        unfolded(page)


def test_value_is_added_up_by_another_word_without_leaving_the_page(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ada)
    page.goto("/value/")
    groups = page.get_by_role("region", name="Where the value lies")
    groups.get_by_label("Add up by").select_option("team")
    expect(groups.get_by_role("link", name="North")).to_be_visible()


def test_an_approved_move_is_seen_at_once(signed_in_page: SignIn, furniture: Furniture) -> None:
    customer = make_customer("Waits for a word", team=furniture.world.north)
    make_score(customer=customer, tier=1, proposed_tier=2, proposal="approval", proposed_since=furniture.value_run.as_of)
    page = signed_in_page(furniture.world.xia)
    page.goto(f"/customers/{customer.pk}/")
    page.get_by_placeholder("Reason, if there is one to tell").fill("They know")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Waits for a word is now in Gold.")).to_be_visible()
    assert Score.objects.get(customer=customer).tier == 2


def test_rules_ask_before_they_are_published(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ada)
    page.goto("/value/rules/draft/")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("heading", name="Publish these rules?")).to_be_visible()
    page.get_by_role("button", name="Cancel").last.click()
    assert RuleVersion.objects.drafts().exists()
