"""Loading the demo company: its people, the files behind it, and what the files are silent about.

Two events frame the work. A load that was killed between them is gone on with at the next call; one that has ended
is never repeated.
"""

from __future__ import annotations

from enum import Enum

from django.db import transaction

from crm.demo.people import make_people
from customers.models import Customer
from users.models import Event, User

NOUN = "demo"
BEGUN, LOADED = "begun", "loaded"


class State(Enum):
    EMPTY = "nothing is there yet"
    BEGUN = "the demo was begun and not finished"
    LOADED = "the demo is loaded"
    FOREIGN = "the database holds somebody's data"


def state() -> State:
    marks = set(Event.objects.filter(noun=NOUN).values_list("label", flat=True))
    if LOADED in marks:
        return State.LOADED
    if BEGUN in marks:
        return State.BEGUN
    return State.FOREIGN if User.objects.exists() or Customer.objects.exists() else State.EMPTY


def load() -> None:
    """Bring the demo company to its full state from EMPTY or BEGUN; safe to be killed at any point and called again."""
    with transaction.atomic():
        make_people()
        _mark(BEGUN)
    with transaction.atomic():
        _mark(LOADED)


def _mark(label: str) -> None:
    Event.record(Event.Action.IMPORTED, noun=NOUN, by=None, label=label)
