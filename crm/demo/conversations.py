"""The history of contact with the customers of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from crm.demo import words
from crm.demo.copying import NULL, Bools, Days, Ints, copy_rows, money, pick, texts, where
from crm.demo.setting import Batch, Contacts, Orders
from customers.models import ContactPoint

CENTS_PER_MINUTE, CENTS_PER_JOURNEY = 110, 4_500
SIGNALS = np.array(["need", "competitor", "product", "risk"])
ORDER_CHANNELS = np.array(["web", "mail", "phone"])
NOTED_ORDERS = 0.35


@dataclass(frozen=True)
class Script:
    """The kinds of conversation as arrays, with the subjects of both languages in one list."""

    kinds: npt.NDArray[np.str_]
    channels: npt.NDArray[np.str_]
    directions: npt.NDArray[np.str_]
    stages: npt.NDArray[np.str_]
    shares: npt.NDArray[np.float64]
    minutes: Ints
    subjects: npt.NDArray[np.str_]
    subject_from: Ints  # [kind, is Chinese]
    subject_count: Ints
    bodies: npt.NDArray[np.str_]


def _script() -> Script:
    kinds, channels, directions, stages, weights, minutes, english, chinese = zip(*words.CONVERSATIONS, strict=True)
    lists = [text.split(", ") for pair in zip(english, chinese, strict=True) for text in pair]
    counts = np.array([len(one) for one in lists])
    return Script(
        kinds=np.array(kinds),
        channels=np.array(channels),
        directions=np.array(directions),
        stages=np.array(stages),
        shares=np.array(weights) / sum(weights),
        minutes=np.array(minutes),
        subjects=np.array([subject for one in lists for subject in one]),
        subject_from=(counts.cumsum() - counts).reshape(-1, 2),
        subject_count=counts.reshape(-1, 2),
        bodies=np.array([*_bodies(words.BODIES, " "), *_bodies(words.CHINESE_BODIES, "")]),
    )


def _bodies(sentences: tuple[str, ...], space: str) -> list[str]:
    """No body, one sentence or two: as many of each language, so that a place in one is a place in the other."""
    pairs = [f"{one}{space}{other}" for one, other in product(sentences, repeat=2) if one != other]
    return [""] * 20 + list(sentences) + pairs


SCRIPT = _script()


def write_contact_points(batch: Batch, contacts: Contacts, orders: Orders, mean: float, lateness: float = 0.8) -> int:
    """Talks (`mean` for a customer of weight 1) over the time of the relationship, and a part of the orders.

    The smaller the `lateness`, the more of the talks lie towards the end of that time; at 1 they are spread evenly.
    """
    talks = _write_talks(batch, contacts, *_times(batch, mean, lateness))
    return talks + _write_orders(batch, contacts, orders)


def _write_talks(batch: Batch, contacts: Contacts, customer: Ints, at: Days) -> int:
    rng, script = batch.rng, SCRIPT
    count = len(customer)
    kind = rng.choice(len(script.kinds), count, p=script.shares)
    is_chinese = batch.speaks_chinese[customer].astype(np.int64)
    subject = script.subject_from[kind, is_chinese] + (rng.random(count) * script.subject_count[kind, is_chinese]).astype(np.int64)
    body = rng.integers(0, len(script.bodies) // 2, count) + is_chinese * (len(script.bodies) // 2)
    minutes = np.maximum(1, (script.minutes[kind] * rng.lognormal(0, 0.5, count)).astype(np.int64))
    spent = minutes * CENTS_PER_MINUTE + CENTS_PER_JOURNEY * (script.kinds[kind] == "visit")
    by_people = (script.kinds[kind] != "survey") & (script.kinds[kind] != "note")
    return copy_rows(
        ContactPoint,
        customer=texts(batch.ids[customer]),
        at=texts(at),
        kind=pick(script.kinds, kind),
        channel=pick(script.channels, kind),
        direction=pick(script.directions, kind),
        stage=pick(script.stages, kind),
        contact=where(by_people, texts(_person(batch, contacts, customer))),
        staff=where(script.kinds[kind] != "survey", texts(_staff(batch, customer))),
        subject=pick(script.subjects, subject),
        body=pick(script.bodies, body),
        outcome=pick(np.array(words.OUTCOMES), rng.integers(0, len(words.OUTCOMES), count)),
        minutes=texts(minutes),
        cost=money(spent),
        signal=_signals(batch, count),
        related_noun="",
        related_id=NULL,
        created_at=texts(at),
    )


def _write_orders(batch: Batch, contacts: Contacts, orders: Orders) -> int:
    rng = batch.rng
    chosen = np.flatnonzero(rng.random(len(orders.ids)) < NOTED_ORDERS)
    customer = orders.customer[chosen]
    at = batch.moments(orders.ordered_on[chosen])
    return copy_rows(
        ContactPoint,
        customer=texts(batch.ids[customer]),
        at=texts(at),
        kind="order",
        channel=pick(ORDER_CHANNELS, rng.integers(0, 3, len(chosen))),
        direction="inbound",
        stage="buy",
        contact=texts(_person(batch, contacts, customer)),
        staff=texts(batch.owner_ids[customer]),
        subject=[f"Order {orders.numbers[order]}" for order in chosen.tolist()],
        related_noun="order",
        related_id=texts(orders.ids[chosen]),
        created_at=texts(at),
    )


def _times(batch: Batch, mean: float, lateness: float) -> tuple[Ints, Days]:
    """Whose, and when: by time, as a history grows, so that a customer's rows lie apart in the table."""
    rng = batch.rng
    customer = np.repeat(np.arange(len(batch)), 1 + rng.poisson(mean * batch.weight))
    begun = batch.begun_on[customer] - 45
    lasting = (batch.last_on[customer] - begun).astype(np.int64)
    at = batch.moments(begun + (lasting * rng.random(len(customer)) ** lateness).astype(np.int64))
    order = np.argsort(at, kind="stable")
    return customer[order], at[order]


def _staff(batch: Batch, customer: Ints) -> Ints:
    """Mostly the owner; now and then a colleague."""
    rng, everybody = batch.rng, batch.setting.owner_ids
    stands_in: Bools = rng.random(len(customer)) < 0.12
    staff: Ints = np.where(stands_in, everybody[rng.integers(0, len(everybody), len(customer))], batch.owner_ids[customer])
    return staff


def _person(batch: Batch, contacts: Contacts, customer: Ints) -> Ints:
    place = contacts.first[customer] + (batch.rng.random(len(customer)) * contacts.count[customer]).astype(np.int64)
    person: Ints = contacts.ids[place]
    return person


def _signals(batch: Batch, count: int) -> list[str]:
    return where(batch.rng.random(count) < 0.05, pick(SIGNALS, batch.rng.integers(0, len(SIGNALS), count)), "")
