from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest
from django.db import transaction
from django.db.models import Count, F, Max, Model, Q, Sum
from pytest_django import DjangoDbBlocker

from crm.demo import words
from crm.demo.behaviour import draw_lives, draw_purchases
from crm.demo.copying import SPECIAL
from crm.demo.generate import generate
from customers.maths.contact_keys import method_key
from customers.maths.credit_code import is_credit_code
from customers.models import Asset, Contact, ContactMethod, ContactPoint, Contract, Customer, Invoice, Order, OrderLine, Payment
from users.models import Event

TODAY = date(2026, 11, 23)
CUSTOMERS = 400


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """One generated company for the tests that only look at it, gone again after the last of them."""
    with django_db_blocker.unblock(), transaction.atomic():
        generate(customers=CUSTOMERS, seed=7, today=TODAY)
        yield
        transaction.set_rollback(True)


looks_at_company = pytest.mark.usefixtures("company", "db")


@looks_at_company
def test_the_asked_number_of_customers_comes_with_what_belongs_to_them() -> None:
    assert Customer.objects.count() == CUSTOMERS
    assert 1.2 < Contact.objects.count() / CUSTOMERS < 2
    assert 6 < Order.objects.count() / CUSTOMERS < 15
    assert 14 < ContactPoint.objects.count() / CUSTOMERS < 27
    assert Contract.objects.exists()
    assert Asset.objects.exists()
    assert Invoice.objects.exists()


def test_a_fifth_of_the_customers_bring_most_of_the_value() -> None:
    rng, today = np.random.default_rng(1), np.datetime64(TODAY)
    lives = draw_lives(rng, 20_000, today, 0.86)
    purchases = draw_purchases(rng, lives, today)
    value = np.sort(np.bincount(purchases.customer, purchases.amount, 20_000))[::-1]

    assert 0.75 < value[:4_000].sum() / value.sum() < 0.88


def test_orders_follow_the_seasons_and_customers_leave() -> None:
    rng, today = np.random.default_rng(1), np.datetime64(TODAY)
    lives = draw_lives(rng, 20_000, today, 1.0)
    purchases = draw_purchases(rng, lives, today)
    by_month = np.bincount(purchases.ordered_on.astype("M8[M]").astype(int) % 12, minlength=12)
    last = np.zeros(20_000, dtype="M8[D]")
    last[purchases.customer] = purchases.ordered_on
    quiet = (today - last).astype(int)

    assert by_month[2] > 1.5 * by_month[1]  # March closes a quarter, February waits for it
    assert 0.1 < (quiet > 730).mean() < 0.5
    assert (purchases.ordered_on <= today).all()


@looks_at_company
def test_numbers_are_unique_and_without_a_gap() -> None:
    for model in (Customer, Order, Contract, Invoice):
        numbers = sorted(int(number[1:]) for number in model._default_manager.values_list("number", flat=True))
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@looks_at_company
def test_search_and_sort_columns_are_what_a_save_would_write() -> None:
    for model in (Customer, Contact):
        for row in model._default_manager.all()[:30]:
            columns = row.derived_from(["legal_name", "name"])
            written = {column: getattr(row, column) for column in columns}
            row.save()
            assert written == {column: getattr(row, column) for column in columns}


@looks_at_company
def test_every_row_satisfies_its_own_validation() -> None:
    models: list[type[Model]] = [Customer, Contact, ContactMethod, Order, OrderLine, Contract, Asset, Invoice, Payment, ContactPoint]
    for model in models:
        for row in model._default_manager.order_by("?")[:25]:
            row.full_clean(validate_unique=False)


@looks_at_company
def test_sums_are_kept_with_their_parts() -> None:
    orders = Order.objects.annotate(amounts=Sum("lines__amount"), costs=Sum("lines__cost"))
    assert not orders.exclude(amounts=F("amount"), costs=F("cost")).exists()
    invoices = Invoice.objects.annotate(payments_sum=Sum("payments__amount")).filter(paid_amount__gt=0)
    assert not invoices.exclude(payments_sum=F("paid_amount")).exists()


@looks_at_company
def test_nothing_that_happened_lies_in_the_future() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert not ContactPoint.objects.filter(at__date__gte=tomorrow).exists()
    assert not Order.objects.filter(ordered_on__gte=tomorrow).exists()
    assert not Payment.objects.filter(paid_on__gte=tomorrow).exists()
    assert not Customer.objects.filter(updated_at__date__gte=tomorrow).exists()


@looks_at_company
def test_statuses_follow_from_the_last_order() -> None:
    last = Customer.objects.annotate(last=Max("orders__ordered_on"))
    assert not last.filter(status="prospect", last__isnull=False).exists()
    assert not last.filter(status="active").exclude(last__gte=TODAY - timedelta(days=365)).exists()
    assert not last.filter(status="lost").exclude(last__lt=TODAY - timedelta(days=730)).exists()
    assert set(Customer.objects.values_list("status", flat=True).distinct()) >= {"prospect", "active", "dormant", "lost"}


@looks_at_company
def test_people_are_at_the_customer_that_they_talked_for() -> None:
    astray = ContactPoint.objects.filter(contact__isnull=False).exclude(contact__positions__customer=F("customer"))
    assert not astray.exists()
    assert not Customer.objects.annotate(people=Count("positions")).filter(people=0).exists()


@looks_at_company
def test_phones_mails_and_credit_codes_are_valid() -> None:
    for method in ContactMethod.objects.all():
        assert method_key(method.kind, method.value, "US") == (method.normalised, True)
    codes = Customer.objects.exclude(credit_code="").values_list("credit_code", flat=True)
    assert codes
    assert all(is_credit_code(code) for code in codes)


@looks_at_company
def test_names_come_in_two_scripts() -> None:
    chinese = Customer.objects.filter(country="CN")
    assert 0.3 < chinese.count() / CUSTOMERS < 0.5
    assert not chinese.filter(Q(other_legal_name="") | Q(other_short_name="")).exists()
    assert Customer.objects.matching("ltd").exists()


@looks_at_company
def test_one_event_says_that_it_was_generated() -> None:
    assert Event.objects.filter(noun="customer", label__contains="seed 7").count() == 1


def test_no_word_needs_escaping() -> None:
    assert not SPECIAL & set(json.dumps([value for name, value in vars(words).items() if name.isupper()], default=list, ensure_ascii=False))
