from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F, Q
from pytest_django import DjangoDbBlocker

from crm.demo import company, files
from crm.demo.company import State
from customers.models import Asset, Consent, Contact, ContactPoint, Contract, Customer, Invoice, Opportunity, Order, Product
from users.models import Event

TODAY = date(2026, 11, 23)
needs_files = pytest.mark.skipif(not files.are_here(), reason="the demo's files are not at hand")


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo company for the tests that only look at it, gone again after the last of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        company.load(TODAY)
        yield
        transaction.set_rollback(True)


looks_at_demo = pytest.mark.usefixtures("demo", "db")


@needs_files
@looks_at_demo
def test_everything_in_the_files_is_there() -> None:
    assert Customer.objects.count() == 85
    assert Product.objects.count() == 7
    assert Opportunity.objects.count() == 8_800
    assert Opportunity.objects.without_customer().count() == 1_425


@needs_files
@looks_at_demo
def test_each_won_opportunity_became_one_order() -> None:
    won = Opportunity.objects.filter(stage=Opportunity.Stage.WON)

    assert won.count() == Order.objects.count() == 4_238
    assert not won.exclude(order__amount=F("amount"), order__customer=F("customer"), order__ordered_on=F("closed_on")).exists()


@needs_files
@looks_at_demo
def test_spellings_of_the_files_are_understood() -> None:
    assert not Customer.objects.filter(industry="technolgy").exists()
    assert Customer.objects.get(legal_name="Bioholding").country == "PH"
    assert not Opportunity.objects.filter(product=None).exists()
    assert Customer.objects.filter(parent__legal_name="Acme Corporation").count() == 4


@looks_at_demo
def test_every_page_has_something_to_show() -> None:
    assert not Customer.objects.filter(Q(positions=None) | Q(owner=None) | Q(contact_points=None)).exists()
    assert Contract.objects.running(TODAY).filter(ends_on__lte=TODAY + timedelta(days=90)).exists()
    assert ContactPoint.objects.filter(at__date__gte=TODAY - timedelta(days=30)).exists()
    assert Invoice.objects.overdue(TODAY).exists()
    assert Asset.objects.filter(contracts__isnull=False).exists()
    assert Consent.objects.filter(withdrawn_at=None).exists()
    assert Contact.objects.exclude(other_name="").exists()


@needs_files
@looks_at_demo
def test_the_log_ins_of_both_teams_have_customers_of_their_own() -> None:
    for team in ("central", "east"):
        assert Customer.objects.filter(owner__email=f"account.manager@{team}.pareto.example").exists()


@looks_at_demo
def test_a_customer_stands_in_its_owners_team() -> None:
    assert not Customer.objects.exclude(team=F("owner__team")).exists()


@needs_files
@looks_at_demo
def test_active_means_that_a_contract_runs() -> None:
    running = Contract.objects.running(TODAY).values("customer")

    assert not Customer.objects.filter(status=Customer.Status.ACTIVE).exclude(pk__in=running).exists()
    assert not Customer.objects.exclude(status=Customer.Status.ACTIVE).filter(pk__in=running).exists()


@looks_at_demo
def test_loading_is_on_record_and_not_repeated() -> None:
    assert company.state() is State.LOADED

    call_command("demo", if_empty=True)

    assert Event.objects.filter(noun=company.NOUN).count() == 1
    with pytest.raises(CommandError, match="loaded"):
        call_command("demo")
