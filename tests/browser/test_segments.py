"""The builder of rules in a browser: by keyboard and by touch, with a live count, errors at their node, and rules of others."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from segmentation.models import Segment
from tests.browser.accessibility import HEIGHT, NARROW, assert_accessible, no_horizontal_overflow
from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture
from tests.factories import make_customer, make_segment

TREE: dict[str, Any] = {
    "all": [
        {"field": "score.churn_risk", "is": "gt", "value": 0.25},
        {"not": {"any": [{"field": "tags", "is": "has_any", "value": ["a", "b"]}, {"field": "owner", "is": "any_of", "value": ["me"]}]}},
        {"not": {"all": [{"field": "acquired_on", "is": "in_last", "value": {"n": 3, "unit": "months"}}]}},
        {"any": [{"field": "created_at", "is": "in_period", "value": "this_year"}, {"field": "region", "is": "empty"}]},
        {"related": "orders", "is": "at_least", "count": 2, "where": [{"field": "amount", "is": "between", "value": [1, 2.5]}]},
        {"related": "contracts", "is": "has_no", "where": []},
    ]
}


def built(page: Page) -> Any:
    return json.loads(page.locator("input[name=rule]").input_value())


def last_condition(page: Page) -> Locator:
    return page.get_by_role("group", name="Condition", exact=True).last


def test_a_rule_is_built_counted_and_saved(signed_in_page: SignIn, furniture: Furniture) -> None:
    for name in ("Sawmill One", "Sawmill Two"):
        make_customer(name, team=furniture.world.north, industry="sawmill", employees=7)
    page = signed_in_page(furniture.world.ana)
    page.goto("/segments/new/")
    page.get_by_label("Name").fill("Sawmills")
    condition = last_condition(page)
    condition.get_by_label("Field").select_option(label="Industry")
    expect(page.locator("[data-rule-preview]")).to_contain_text("Complete the condition")
    condition.get_by_label("Value").fill("sawmill")
    expect(page.locator("[data-rule-preview]")).to_contain_text("2 customers fit")
    expect(page.locator("[data-rule-preview]")).to_contain_text("Industry is “sawmill”")
    page.get_by_role("button", name="Add a condition").click()
    condition = last_condition(page)
    condition.get_by_label("Field").select_option(label="Employees")
    condition.get_by_label("Question").select_option(label="is more than")
    condition.get_by_label("Value").fill("7")
    expect(page.locator("[data-rule-preview]")).to_contain_text("0 customers fit")
    assert_accessible(page)
    page.get_by_label("How the conditions of this group go together").select_option(label="Any of these holds")
    expect(page.locator("[data-rule-preview]")).to_contain_text("2 customers fit")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(r"/segments/\d+/$"))
    expect(page.get_by_role("main")).to_contain_text("Industry is “sawmill” or employees is more than 7")
    assert Segment.objects.get(name="Sawmills").owner == furniture.world.ana


def test_a_rule_is_built_by_keyboard_alone(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ana)
    page.goto("/segments/new/")
    page.get_by_label("Field").focus()
    page.keyboard.type("Stat")  # as in any list of choices
    expect(page.get_by_label("Question")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert built(page) == {"all": [{"field": "status", "is": "any_of", "value": ["prospect"]}]}
    page.get_by_role("button", name="Add a group").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("How the conditions of this group go together").last).to_be_focused()
    page.get_by_role("button", name="Remove this group").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Field")).to_be_focused()
    assert built(page) == {"all": [{"field": "status", "is": "any_of", "value": ["prospect"]}]}


def test_every_shape_of_rule_comes_back_as_it_was(signed_in_page: SignIn, furniture: Furniture) -> None:
    segment = make_segment("All shapes", by=furniture.world.ana, rule=TREE)
    page = signed_in_page(furniture.world.ana)
    page.goto(f"/segments/{segment.pk}/edit/")
    assert built(page) == TREE
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page).to_have_url(re.compile(rf"/segments/{segment.pk}/$"))
    assert Segment.objects.get(pk=segment.pk).version == 1


def test_what_is_wrong_is_marked_where_it_is(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ana)
    page.goto("/segments/new/")
    page.get_by_label("Field").select_option(label="Employees")
    page.get_by_label("Value").fill("1.5")
    expect(last_condition(page)).to_contain_text("A whole number")
    page.get_by_label("Value").fill("15")
    expect(page.locator("[data-rule-preview]")).to_contain_text("fit")
    expect(last_condition(page)).not_to_contain_text("A whole number")


def test_conditions_narrow_down_what_stands_around_the_customer(signed_in_page: SignIn, furniture: Furniture) -> None:
    page = signed_in_page(furniture.world.ana)
    page.set_viewport_size({"width": NARROW[0], "height": HEIGHT})
    page.goto("/segments/new/")
    page.get_by_label("Field").select_option(label="Orders")
    page.get_by_label("Question").select_option(label="has none")
    page.get_by_role("button", name="Narrow down").click()
    inner = last_condition(page)
    inner.get_by_label("Field").select_option(label="Ordered on")
    inner.get_by_label("Number").fill("90")
    where = [{"field": "ordered_on", "is": "in_last", "value": {"n": 90, "unit": "days"}}]
    expect(page.locator("[data-rule-preview]")).to_contain_text("Has no orders (ordered on in the last 90 days)")
    assert built(page) == {"all": [{"related": "orders", "is": "has_no", "where": where}]}
    assert_accessible(page)
    no_horizontal_overflow(page)
