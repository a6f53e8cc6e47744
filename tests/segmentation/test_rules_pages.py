"""The rules: read by all, changed by those who may, previewed and published."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from customers.models import Job
from segmentation.models import RuleVersion
from tests.factories import make_customer
from tests.people import World

DRAFT = "/value/rules/draft/"


@pytest.fixture
def ada(client: Client, world: World) -> Client:
    client.force_login(world.ada)
    return client


def typed(browser: Client, **values: Any) -> dict[str, Any]:
    """What the form sends when it is sent as shown, with some values changed."""
    form = browser.get(DRAFT).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**shown, "note": "Try", **values}.items() if value is not None and value is not False}


def test_everybody_reads_the_rules_and_the_change_of_each_version(client: Client, world: World) -> None:
    RuleVersion.in_force()
    draft = RuleVersion.draft(by=world.ada)
    draft.change(by=world.ada, horizon_months=48, discount_rate=Decimal("0.12"), note="Longer")
    draft.publish(by=world.ada)
    client.force_login(world.sam)
    page = client.get("/value/rules/").content.decode()
    for words in ("Version 2 is in force", "<del>36</del> → <ins>48</ins>", "<del>10%</del> → <ins>12%</ins>", "Longer"):
        assert words in page, words
    assert "Change the rules" not in page


def test_a_draft_is_a_copy_with_what_was_changed(ada: Client) -> None:
    assert ada.post(DRAFT, typed(ada, core_share="75", rate_phone="1.10")).status_code == 302
    draft = RuleVersion.objects.drafts().get()
    assert (draft.core_share, draft.minute_rates["phone"], draft.discount_rate) == (Decimal("0.75"), "1.10", Decimal("0.1"))
    assert RuleVersion.in_force().core_share == Decimal("0.80")


@pytest.mark.parametrize(
    ("field", "value"), [("core_share", "101"), ("platinum_share", "90"), ("rate_mail", "-1"), ("horizon_months", "0"), ("note", "")]
)
def test_a_bad_rule_names_its_field(ada: Client, field: str, value: str) -> None:
    answer = ada.post(DRAFT, typed(ada, **{field: value}))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not RuleVersion.objects.drafts().exists()


def test_of_two_who_edit_the_draft_the_second_is_shown_both_versions(ada: Client, world: World) -> None:
    ada.post(DRAFT, typed(ada))
    mine = typed(ada, horizon_months="24")
    RuleVersion.objects.drafts().get().change(by=world.ada, horizon_months=60)
    answer = ada.post(DRAFT, mine)
    assert answer.status_code == 412
    assert [(field.name, field.mine, field.theirs) for field in answer.context["conflict"].fields] == [("horizon_months", "24", "60")]


def test_a_preview_shows_how_many_and_who_would_move(ada: Client, world: World) -> None:
    ada.post(DRAFT, typed(ada))
    ada.post(f"{DRAFT}preview/")
    job = Job.objects.get(kind="rules-preview")
    assert job.arguments == {"rules": RuleVersion.objects.drafts().get().pk}
    assert f'hx-get="/value/rules/previews/{job.pk}/"' in ada.get(DRAFT).content.decode()
    customer = make_customer("Nordlys", team=world.north)
    job.finish(
        Job.State.DONE, result={"counts": {"1": [1, 0], "2": [0, 1]}, "moves": [{"customer": customer.pk, "from": 1, "to": 2}], "moved": 1}
    )
    answer = ada.get(f"/value/rules/previews/{job.pk}/", headers={"HX-Request": "true"})
    assert answer.status_code == 286
    assert "Nordlys" in answer.content.decode()
    assert answer.context["counts"] == [(1, 1, 0), (2, 0, 1), (3, 0, 0), (4, 0, 0)]


def test_publishing_puts_the_draft_in_force_and_starts_a_run(ada: Client) -> None:
    ada.post(DRAFT, typed(ada, horizon_months="24"))
    draft = RuleVersion.objects.drafts().get()
    ada.post(f"{DRAFT}publication/", {"version": draft.version})
    assert RuleVersion.in_force().horizon_months == 24
    assert Job.objects.filter(kind="value-run").count() == 1


def test_what_was_not_on_the_screen_is_not_published(ada: Client, world: World) -> None:
    ada.post(DRAFT, typed(ada))
    draft = RuleVersion.objects.drafts().get()
    seen = draft.version
    draft.change(by=world.ada, horizon_months=60)
    assert ada.post(f"{DRAFT}publication/", {"version": seen}).status_code == 412
    assert RuleVersion.objects.drafts().exists()
