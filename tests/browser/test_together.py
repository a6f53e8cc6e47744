"""Two people at one customer, and one person who changes their mind."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from customers.models import Customer
from tests.browser.accessibility import assert_accessible, no_horizontal_overflow
from tests.browser.conftest import SignIn
from tests.browser.furniture import Furniture
from tests.factories import make_customer
from users.models import User


def _another_session(browser: Browser, arguments: dict[str, Any], user: User) -> Page:
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context = browser.new_context(**arguments)
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": arguments["base_url"]}])
    return context.new_page()


def test_the_second_of_two_editors_chooses_field_by_field(
    signed_in_page: SignIn, furniture: Furniture, browser: Browser, browser_context_args: dict[str, Any], complaints: list[str]
) -> None:
    world = furniture.world
    customer = make_customer("Contested", team=world.north, by=world.ana, industry="retail", region="North")
    address = f"/customers/{customer.pk}/edit/"
    ana, mo = signed_in_page(world.ana), _another_session(browser, browser_context_args, world.mo)
    for page in (ana, mo):
        page.goto(address)
    mo.locator("[name=industry]").fill("finance")
    mo.locator("[name=website]").fill("https://contested.example")
    mo.get_by_role("button", name="Save").click()
    expect(mo).to_have_url(re.compile(f"/customers/{customer.pk}/$"))
    mo.context.close()

    ana.locator("[name=industry]").fill("shipping")
    ana.locator("[name=region]").fill("South")
    ana.get_by_role("button", name="Save").click()
    dialog = ana.get_by_role("dialog", name="Somebody else changed this")
    expect(dialog).to_be_visible()
    complaints.clear()  # the console notes the 412
    expect(dialog).to_contain_text("Mo")
    expect(dialog.locator("[id=mine-industry]")).to_be_checked()
    expect(dialog.locator("[id=theirs-website]")).to_be_checked()  # only Mo has changed it
    assert_accessible(ana)
    no_horizontal_overflow(ana)
    dialog.locator("[id=theirs-industry]").check()
    dialog.get_by_role("button", name="Save these").click()
    expect(ana).to_have_url(re.compile(f"/customers/{customer.pk}/$"))
    customer.refresh_from_db()
    assert (customer.industry, customer.region, customer.website) == ("finance", "South", "https://contested.example")


def test_a_deleted_customer_is_brought_back_from_the_toast(signed_in_page: SignIn, furniture: Furniture) -> None:
    world = furniture.world
    customer = make_customer("Regretted", team=world.north, by=world.ana)
    page = signed_in_page(world.ada)
    page.goto(f"/customers/{customer.pk}/")
    page.get_by_role("button", name="Delete the customer").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the customer").click()
    toast = page.locator("[data-toast]", has_text="Regretted is deleted.")
    expect(toast).to_be_visible()
    assert_accessible(page)
    assert Customer.objects.get(pk=customer.pk).is_deleted
    toast.get_by_role("button", name="Bring it back").click()
    expect(page).to_have_url(re.compile(f"/customers/{customer.pk}/$"))
    expect(page.locator("[data-toast]")).to_contain_text("is back.")
    assert not Customer.objects.get(pk=customer.pk).is_deleted
