"""A believable company of any size, written straight by COPY.

Customers come in batches, each with all its facts in one transaction: memory stays bounded, other writers wait for a
batch at most, and a run that is stopped leaves whole customers and numbers without gaps. The same seed and day give the
same company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from crm.demo import copying
from crm.demo.behaviour import draw_lives, draw_purchases
from crm.demo.conversations import write_contact_points
from crm.demo.relations import timeline, write_contacts, write_customers
from crm.demo.sales import contract_bills, cover_assets, order_bills, write_assets, write_contracts, write_invoices, write_orders
from crm.demo.setting import Setting, make_setting
from customers.models import Customer
from users.models import Event

BATCH = 2_000
BUYERS = 0.86
CONTRACTS = 0.4  # per buying customer of weight 1
TALKS = 12.0  # per customer of weight 1; with the noted orders about twenty contact points each

SEARCH_INDEXES = ("customer_search", "contact_search")

Tell = Callable[[int, int], None]


def generate(*, customers: int, seed: int, today: date, tell: Tell = lambda done, rows: None) -> Counter[str]:
    """Write the company; returns the number of rows by table. `tell` hears of (customers, rows) written so far."""
    written: Counter[str] = Counter()
    with transaction.atomic():
        setting = make_setting(np.datetime64(today, "D"))
    with copying.counted(written), _search_indexes_in_bulk():
        for done, batch_size, rng in batches(customers, seed):
            with transaction.atomic():
                _patient_session()
                write_batch(rng, setting, batch_size)
            tell(done + batch_size, written.total())
    Event.record(Event.Action.IMPORTED, noun=Customer.NOUN, by=None, label=f"{customers} generated customers, seed {seed}")
    _analyze()
    return written


def write_batch(rng: np.random.Generator, setting: Setting, count: int) -> None:
    lives = draw_lives(rng, count, setting.today, BUYERS)
    purchases = draw_purchases(rng, lives, setting.today)
    batch = write_customers(rng, setting, timeline(lives, purchases))
    contacts = write_contacts(batch)
    orders, lines = write_orders(batch, purchases)
    contracts = write_contracts(batch, np.repeat(np.arange(count), rng.poisson(CONTRACTS * batch.weight * lives.buys)))
    cover_assets(batch, contracts, write_assets(batch, orders, lines))
    write_invoices(batch, order_bills(batch, orders))
    write_invoices(batch, contract_bills(batch, contracts))
    write_contact_points(batch, contacts, orders, TALKS)


def batches(customers: int, seed: int) -> Iterator[tuple[int, int, np.random.Generator]]:
    """(customers before, customers in it, its own random numbers): what is in a batch does not depend on the others."""
    starts = range(0, customers, BATCH)
    for start, own in zip(starts, np.random.SeedSequence(seed).spawn(len(starts)), strict=True):
        yield start, min(BATCH, customers - start), np.random.default_rng(own)


@contextmanager
def _search_indexes_in_bulk() -> Iterator[None]:
    """Let the trigram indexes take their entries a batch at a time: a customer then costs a quarter of the time.

    A kill in between leaves them in that state, in which a search reads a little more; the next run ends it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET gin_pending_list_limit = '128MB'")
        _set_bulk(cursor, "on")
        try:
            yield
        finally:
            _set_bulk(cursor, "off")
            cursor.execute("SET statement_timeout = '10min'")
            for index in SEARCH_INDEXES:
                cursor.execute("SELECT gin_clean_pending_list(%s)", [index])
            cursor.execute("RESET statement_timeout")
            cursor.execute("RESET gin_pending_list_limit")


def _set_bulk(cursor: CursorWrapper, state: str) -> None:
    for index in SEARCH_INDEXES:
        cursor.execute(f"ALTER INDEX {index} SET (fastupdate = {state})")


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '10min'")
        cursor.execute("ANALYZE")
        cursor.execute("RESET statement_timeout")


def _patient_session() -> None:
    """Foreign keys are checked after each statement: millions of checks put off to the commit would fill the memory."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5min'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
