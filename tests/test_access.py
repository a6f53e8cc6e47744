"""Every address × every role. A URL without a line here fails the tests: whoever adds a page says who may open it.

One line per URL name: the method, the roles that may, the object in its path (a field of tests.scene.Scene, all of them in
the North), and what differs from the usual answers, which are 200 for those who may, 403 for the other roles, 404 for
an account manager of another team, and for a stranger the sign-in page (302) or, in the API, 401.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.people import World
from tests.scene import Scene, make_scene

MANAGER, AGENT, LEAD, EXECUTIVE, INTEGRATOR, ADMIN = PEOPLE = ("ana", "sam", "mo", "xia", "ivy", "ada")
OUTSIDER, STRANGER = "eve", "stranger"
ALL = frozenset(PEOPLE)
ADMINS = frozenset({ADMIN})
CARERS = frozenset({MANAGER, LEAD, INTEGRATOR, ADMIN})  # customer.change
TALKERS = ALL - {EXECUTIVE}  # contact.change, contact_point.add
EXPORTERS = ALL - {AGENT}
SELLERS = frozenset({MANAGER, INTEGRATOR, ADMIN})  # sales.change
IMPORTERS = SELLERS
SEGMENTERS = EXPORTERS  # segment.change: all but service agents
STEERERS = frozenset({EXECUTIVE, INTEGRATOR, ADMIN})  # value.steer, value.run
TIER_SETTERS = frozenset({LEAD, EXECUTIVE, ADMIN})  # tier.override
TIER_APPROVERS = frozenset({EXECUTIVE, ADMIN})
TOKEN_OWNERS = frozenset({INTEGRATOR, ADMIN})


@dataclass(frozen=True)
class Line:
    """Who may, and what they get."""

    may: frozenset[str] = ALL
    on: str = ""  # the object in the path; several are parted by a space
    method: str = "get"
    gives: int = 200
    owned: bool = False  # the outsider's answer is 404: true for what belongs to a customer or a person
    hidden: frozenset[str] = frozenset()  # roles that may, but not see this row: 404
    stranger: int = 302
    path: tuple[str, ...] = ()  # plain arguments instead of an object


def open_to(may: frozenset[str] = ALL, on: str = "", **rest: Any) -> Line:
    """A page without an object, or with one that everybody who may sees."""
    return Line(may, on, **rest)


def about(on: str, may: frozenset[str] = ALL, **rest: Any) -> Line:
    """A page about a row that only some see: an outsider who may do this elsewhere gets 404."""
    return Line(may, on, owned=True, **rest)


def public(gives: int = 200, **rest: Any) -> Line:
    return Line(ALL, gives=gives, **{"stranger": gives, **rest})


def api(may: frozenset[str] = ALL, on: str = "", **rest: Any) -> Line:
    return Line(may, on, **{"stranger": 401, **rest})


def api_about(on: str, may: frozenset[str] = ALL, **rest: Any) -> Line:
    return Line(may, on, owned=True, **{"stranger": 401, **rest})


TABLE: dict[str, Line] = {
    # ── The frame ──
    "home": open_to(),
    "quick-preferences": public(302, method="post"),
    "style-guide": open_to(ADMINS),
    "healthz": public(503),  # no worker and no beat here
    # ── Sign-in (django-allauth) ──
    "account_login": public(302, stranger=200),
    "account_logout": open_to(gives=200, stranger=302),
    "account_inactive": public(),
    "account_signup": public(302, stranger=200),
    "account_reauthenticate": open_to(),
    "account_email": public(404),
    "account_email_verification_sent": public(),
    "account_change_password": open_to(),
    "account_set_password": open_to(gives=302),
    "account_reset_password": public(),
    "account_confirm_login_code": public(302),
    "account_confirm_email": public(path=("key",)),
    "account_reset_password_from_key_done": public(),
    "account_reset_password_from_key": public(path=("1", "key")),
    "account_reset_password_done": public(),
    "mfa_index": open_to(),
    "mfa_authenticate": public(302),
    "mfa_reauthenticate": open_to(gives=302),
    "mfa_activate_totp": open_to(gives=302),  # first the password, once more
    "mfa_deactivate_totp": open_to(gives=404),  # nobody here has a second step
    "mfa_view_recovery_codes": open_to(gives=404),
    "mfa_generate_recovery_codes": open_to(gives=302),
    "mfa_download_recovery_codes": open_to(gives=404),
    "usersessions_list": open_to(),
    # ── People and access ──
    "users:list": open_to(ADMINS),
    "users:add": open_to(ADMINS),
    "users:edit": open_to(ADMINS, "user"),
    "users:reach": open_to(ADMINS, "user"),
    "users:invite": open_to(ADMINS, "user", method="post"),
    "users:deactivate": open_to(ADMINS, "user", method="post", gives=302),
    "users:reactivate": open_to(ADMINS, "inactive_user", method="post", gives=302),
    "users:teams": open_to(ADMINS),
    "users:team-add": open_to(ADMINS),
    "users:team": open_to(ADMINS, "team"),
    "users:profile": open_to(),
    "users:tokens": open_to(TOKEN_OWNERS),
    "users:token-add": open_to(TOKEN_OWNERS),
    "users:token-revoke": open_to(TOKEN_OWNERS, "token", method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "users:audit": open_to(ADMINS),
    "users:audit-export": open_to(ADMINS),
    # ── Customers ──
    "customers:list": open_to(),
    "customers:columns": open_to(method="post", gives=302),
    "customers:export": open_to(EXPORTERS),
    "customers:add": open_to(CARERS),
    "customers:discarded": open_to(ADMINS),
    "customers:lookup": open_to(),
    "customers:detail": about("customer"),
    "customers:edit": about("customer", CARERS),
    "customers:discard": about("customer", ADMINS, method="post", gives=302),
    "customers:restore": about("discarded_customer", ADMINS, method="post", gives=302),
    "customers:history": about("customer"),
    "customers:timeline": about("customer", gives=302),  # a fragment; alone it leads to the page
    "customers:contact-add": open_to(TALKERS),
    "customers:contact": about("contact"),
    "customers:contact-edit": about("contact", TALKERS),
    "customers:contact-discard": about("contact", TALKERS, method="post", gives=302),
    "customers:contact-restore": about("discarded_contact", TALKERS, method="post", gives=302),
    "customers:contacts-discarded": open_to(TALKERS),
    "customers:consent-give": about("contact", TALKERS, method="post", gives=302),
    "customers:consent-withdraw": about("contact consent", TALKERS, method="post", gives=302),
    "customers:contact-point-add": open_to(TALKERS),
    "customers:contact-point-fields": open_to(TALKERS, gives=404),  # asks of which customer
    "customers:contact-point-correct": about("contact_point", TALKERS),
    "customers:contact-privacy": about("contact", ADMINS),
    "customers:contact-export": about("contact", ADMINS, method="post", gives=302),
    "customers:reach": open_to(ADMINS, "user"),
    # ── Value ──
    "segmentation:customer-value": about("customer"),
    "segmentation:tier-override": about("customer", TIER_SETTERS),
    "segmentation:override-end": about("tier_override", TIER_SETTERS, method="post", gives=302),
    "segmentation:move-approve": about("customer", TIER_APPROVERS, method="post", gives=409),  # which move it is about was not sent
    "segmentation:move-refuse": about("customer", TIER_APPROVERS, method="post", gives=409),
    "segmentation:value": open_to(),
    "segmentation:value-groups": open_to(gives=302),  # a fragment
    "segmentation:concerns-me": open_to(gives=302),  # a fragment
    "segmentation:moves": open_to(),
    "segmentation:ledger": open_to(),
    "segmentation:decision": about("tier_decision"),
    "segmentation:rules": open_to(),
    "segmentation:rules-draft": open_to(ADMINS),
    "segmentation:rules-preview": open_to(ADMINS, method="post", gives=302),
    "segmentation:rules-publish": open_to(ADMINS, method="post", gives=412),  # which version it is about was not sent
    "segmentation:rules-preview-state": open_to(ADMINS, "preview_job", gives=302),  # a fragment
    "segmentation:runs": open_to(STEERERS),
    "segmentation:run": open_to(STEERERS, "value_run"),
    "segmentation:run-start": open_to(STEERERS, method="post", gives=302),
    "segmentation:run-cancel": open_to(STEERERS, method="post", gives=302),
    "segmentation:track-record": open_to(STEERERS),
    "segmentation:what-if": open_to(STEERERS),
    "segmentation:scenario": open_to(STEERERS, "scenario"),
    # ── Imports ──
    "customers:imports": open_to(IMPORTERS),
    "customers:import-add": open_to(IMPORTERS),
    "customers:import": about("import_run", IMPORTERS, hidden=frozenset({INTEGRATOR})),
    "customers:import-columns": about("import_run", IMPORTERS, gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-reread": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-check": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-launch": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-cancel": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-undo": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-hint": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-again": about("import_run", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:import-problems": about("import_run", IMPORTERS, hidden=frozenset({INTEGRATOR})),
    # ── Work and settings ──
    "customers:to-do": open_to(),
    "customers:opportunity-assign": about("loose_opportunity", SELLERS, method="post", gives=302),
    "customers:row-assign": about("import_problem", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:problem-resolve": about("import_problem", IMPORTERS, method="post", gives=302, hidden=frozenset({INTEGRATOR})),
    "customers:jobs": open_to(),
    "customers:job": about("job", hidden=ALL - {MANAGER, ADMIN}),
    "customers:job-file": open_to(ADMINS, "filed_job"),
    "customers:job-cancel": about("job", method="post", gives=302, hidden=ALL - {MANAGER, ADMIN}),
    "customers:custom-fields": open_to(ADMINS),
    "customers:custom-field-add": open_to(ADMINS),
    "customers:custom-field-edit": open_to(ADMINS, "custom_field"),
    "customers:custom-field-archive": open_to(ADMINS, "custom_field", method="post", gives=302),
    # ── Segments ──
    "segmentation:segments": open_to(),
    "segmentation:segment-add": open_to(SEGMENTERS),
    "segmentation:segment-preview": open_to(SEGMENTERS, method="post"),
    "segmentation:segment": open_to(on="segment"),
    "segmentation:segment-edit": open_to(SEGMENTERS, "segment"),
    "segmentation:segment-archive": open_to(SEGMENTERS, "segment", method="post", gives=302),
    "segmentation:segment-restore": open_to(SEGMENTERS, "archived_segment", method="post", gives=302),
    "segmentation:segment-export": open_to(EXPORTERS, "segment"),
    # ── API ──
    "api-schema": api(),
    "api-docs": open_to(),
    "api-customers-list": api(),
    "api-customers-bulk": api(CARERS, method="post", gives=400),
    "api-customers-detail": api_about("customer"),
    "api-customers-restore": api(ADMINS, "discarded_customer", method="post"),
    "api-contacts-list": api(),
    "api-contacts-bulk": api(TALKERS, method="post", gives=400),
    "api-contacts-detail": api_about("contact"),
    "api-contacts-restore": api_about("discarded_contact", TALKERS, method="post"),
    "api-positions-list": api(),
    "api-positions-detail": api_about("position"),
    "api-contact-methods-list": api(),
    "api-contact-methods-detail": api_about("contact_method"),
    "api-addresses-list": api(),
    "api-addresses-detail": api_about("address"),
    "api-consents-list": api(),
    "api-consents-detail": api_about("consent"),
    "api-contact-points-list": api(),
    "api-contact-points-bulk": api(TALKERS, method="post", gives=400),
    "api-contact-points-detail": api_about("contact_point"),
    "api-contact-points-corrections": api_about("contact_point", TALKERS, method="post", gives=201),
    "api-products-list": api(),
    "api-products-bulk": api(SELLERS, method="post", gives=400),
    "api-products-detail": api(on="product"),
    "api-exchange-rates-list": api(),
    "api-exchange-rates-detail": api(on="exchange_rate"),
    "api-orders-list": api(),
    "api-orders-bulk": api(SELLERS, method="post", gives=400),
    "api-orders-detail": api_about("order"),
    "api-contracts-list": api(),
    "api-contracts-detail": api_about("contract"),
    "api-assets-list": api(),
    "api-assets-bulk": api(SELLERS, method="post", gives=400),
    "api-assets-detail": api_about("asset"),
    "api-invoices-list": api(),
    "api-invoices-bulk": api(SELLERS, method="post", gives=400),
    "api-invoices-detail": api_about("invoice"),
    "api-payments-list": api(),
    "api-payments-detail": api_about("payment"),
    "api-opportunities-list": api(),
    "api-opportunities-bulk": api(SELLERS, method="post", gives=400),
    "api-opportunities-detail": api_about("opportunity"),
    "api-scores-list": api(),
    "api-scores-detail": api_about("score"),
    "api-tier-decisions-list": api(),
    "api-tier-decisions-detail": api_about("tier_decision"),
    "api-tier-overrides-list": api(),
    "api-tier-overrides-detail": api_about("tier_override"),
    "api-contract-outlooks-list": api(),
    "api-contract-outlooks-detail": api_about("contract_outlook"),
    "api-monthly-values-list": api(),
    "api-value-runs-list": api(STEERERS),
    "api-value-runs-detail": api(STEERERS, "value_run"),
    "api-back-tests-list": api(STEERERS),
    "api-back-tests-detail": api(STEERERS, "back_test"),
    "api-rule-versions-list": api(),
    "api-rule-versions-detail": api(on="rule_draft"),
    "api-custom-fields-list": api(),
    "api-custom-fields-detail": api(on="custom_field"),
    "api-source-systems-list": api(),
    "api-source-systems-detail": api(on="source_system"),
    "api-source-records-list": api(gives=400),  # asks of which customer or contact
    "api-source-records-detail": api_about("source_record"),
    "api-cross-references-list": api(gives=400),
    "api-cross-references-detail": api_about("cross_reference"),
    "api-imports-list": api(IMPORTERS),
    "api-imports-detail": api_about("import_run", IMPORTERS, hidden=frozenset({INTEGRATOR})),
    "api-imports-launch": api_about("import_run", IMPORTERS, method="post", gives=400, hidden=frozenset({INTEGRATOR})),
    "api-imports-cancel": api_about("import_run", IMPORTERS, method="post", hidden=frozenset({INTEGRATOR})),
    "api-imports-undo": api_about("import_run", IMPORTERS, method="post", hidden=frozenset({INTEGRATOR})),
    "api-imports-again": api_about("import_run", IMPORTERS, method="post", gives=400, hidden=frozenset({INTEGRATOR})),
    "api-import-problems-list": api(IMPORTERS),
    "api-import-problems-detail": api_about("import_problem", IMPORTERS, hidden=frozenset({INTEGRATOR})),
    "api-jobs-list": api(),
    "api-jobs-detail": api_about("job", hidden=ALL - {MANAGER, ADMIN}),
    "api-jobs-cancel": api_about("job", IMPORTERS, method="post", hidden=frozenset({INTEGRATOR})),
    "api-segments-list": api(),
    "api-segments-detail": api(on="segment"),
    "api-segments-members": api(on="segment"),
    "api-segments-preview": api(SEGMENTERS, method="post", gives=400),
    "api-segments-restore": api(SEGMENTERS, "archived_segment", method="post"),
    "api-users-list": api(),
    "api-users-detail": api_about("user"),
    "api-teams-list": api(),
    "api-teams-detail": api_about("team", hidden=frozenset({MANAGER})),  # sees the own team alone
    "api-tokens-list": api(),
    "api-tokens-detail": api_about("token", hidden=ALL - ADMINS),
    "api-events-list": api(ADMINS),
    "api-events-detail": api(ADMINS, "event"),
}


def every_url() -> set[str]:
    """The names of all URLs that there are, whoever declares them."""
    return {name for name in _names(get_resolver(), "") if name != "None"}


def _names(resolver: URLResolver, namespace: str) -> Iterator[str]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield f"{namespace}{entry.name}"
        else:
            yield from _names(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace)


def expected(line: Line, person: str) -> int:
    if person == STRANGER:
        return line.stranger
    role_of = MANAGER if person == OUTSIDER else person
    if role_of not in line.may:
        return 403
    return 404 if person in line.hidden or (person == OUTSIDER and line.owned) else line.gives


def address_of(name: str, line: Line, scene: Scene) -> str:
    return reverse(name, args=line.path or [getattr(scene, noun).pk for noun in line.on.split()])


def answer_to(browser: Client, address: str, method: str) -> int:
    """The status of the answer; what the request wrote is taken back."""
    with transaction.atomic():
        if method == "post" and address.startswith("/api/"):
            status = browser.post(address, {}, content_type="application/json").status_code
        else:
            status = getattr(browser, method)(address).status_code
        transaction.set_rollback(True)
    return int(status)


def test_every_url_has_a_line() -> None:
    assert sorted(every_url() - TABLE.keys()) == [], "say in TABLE who may open these"


def test_no_line_is_about_a_url_that_is_gone() -> None:
    assert sorted(TABLE.keys() - every_url()) == []


@pytest.mark.parametrize("person", [*PEOPLE, OUTSIDER, STRANGER])
def test_each_url_answers_each_person_as_the_table_says(world: World, person: str) -> None:
    scene = make_scene(world)
    browser = Client(raise_request_exception=False)
    if person != STRANGER:
        browser.force_login(getattr(world, person))
    wrong = {}
    for name, line in TABLE.items():
        cache.clear()  # of rate limits; sessions lie in the database as well
        got = answer_to(browser, address_of(name, line, scene), line.method)
        if got != expected(line, person):
            wrong[name] = f"{got} instead of {expected(line, person)}"
    assert wrong == {}
