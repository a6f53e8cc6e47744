"""Loading the demo company: its people, the files behind it, and what the files are silent about.

All of it is one transaction, with the event that says so at its end: a load that is killed has done nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import Enum

import numpy as np
from django.db import connection, transaction
from django.db.models import Count

from crm.demo import files
from crm.demo.enrichment import SEED, enrich
from crm.demo.generate import write_batch
from crm.demo.people import make_people
from crm.demo.setting import make_setting
from customers.models import Customer, Job, Order
from users.models import Event, User

NOUN = "demo"
CUSTOMERS = 85  # as many as the files have
QUARTER_ENDS = ((3, 31), (6, 30), (9, 30), (12, 31))


class State(Enum):
    EMPTY = "nothing is there yet"
    LOADED = "the demo is loaded"
    FOREIGN = "the database holds somebody's data"


def state() -> State:
    if Event.objects.filter(noun=NOUN).exists():
        return State.LOADED
    return State.FOREIGN if User.objects.exists() or Customer.objects.exists() else State.EMPTY


@transaction.atomic
def load(today: date) -> None:
    """Write the demo company into an empty database; without its files, a made-up one of the same shape."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '5min'")
    make_people()
    if files.are_here():
        enrich(files.import_files(), today)
    else:
        write_batch(np.random.default_rng(SEED), make_setting(np.datetime64(today, "D")), CUSTOMERS)
    Job.start("value-history", by=None, title="Valuation of the demo company", days=_days_to_value(today))
    Event.record(Event.Action.IMPORTED, noun=NOUN, by=None, label="Demo company")


def _days_to_value(today: date) -> list[str]:
    """The quarters in which most was sold, some years since, and today: tiers then have a history to tell."""
    busiest = Order.objects.values_list("ordered_on__year").annotate(orders=Count("pk")).order_by("-orders", "ordered_on__year").first()
    quarters = [date(busiest[0], month, day) for month, day in QUARTER_ENDS] if busiest else []
    later = [today - timedelta(days=back) for back in (4 * 365, 2 * 365, 365, 91, 0)]
    return [day.isoformat() for day in sorted({*quarters, *later}) if day <= today]
