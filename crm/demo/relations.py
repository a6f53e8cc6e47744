"""Customers and the people at them, written by the thousand."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from crm.demo import words
from crm.demo.behaviour import Lives, Purchases, last_days
from crm.demo.copying import NULL, Bools, Days, Ints, copy_rows, flags, money, new_ids, pick, texts, where
from crm.demo.names import CompanyName, PersonName, Place, company_names, credit_codes, mobile_numbers, person_names, phone_number
from crm.demo.setting import Batch, Contacts, Setting
from customers.models import Address, Consent, Contact, ContactMethod, Counter, CrossReference, Customer, Position, SourceRecord
from customers.models.contact import contact_search_columns
from customers.models.customer import customer_number, search_columns

CHINESE = 0.4
OTHER_KINDS = np.array(["prospect"] * 14 + ["partner"] * 3 + ["supplier"] * 2 + ["competitor"])
DORMANT_AFTER, LOST_AFTER = 365, 730
FROM_SOURCE = ("legal_name", "short_name", "industry", "country", "employees")


@dataclass(frozen=True)
class Timeline:
    """When things happened at a batch's customers."""

    lives: Lives
    last_order_on: Days
    won_back: Bools


def timeline(lives: Lives, purchases: Purchases) -> Timeline:
    count = len(lives.buys)
    last = last_days(count, purchases, lives.begun_on)
    before = purchases.ordered_on < last[purchases.customer]
    earlier = last_days(count, Purchases(purchases.customer[before], purchases.ordered_on[before], purchases.amount[before]), last)
    return Timeline(lives, last, (last - earlier).astype(np.int64) > LOST_AFTER)


def write_customers(rng: np.random.Generator, setting: Setting, times: Timeline) -> Batch:
    """Customers with their source record, cross-reference, address and switchboard number."""
    count = len(times.lives.buys)
    is_chinese = rng.random(count) < CHINESE
    companies = company_names(rng, is_chinese)
    ids = new_ids(Customer, count)
    seller = rng.integers(0, len(setting.owner_ids), count)
    batch = Batch(
        rng=rng,
        setting=setting,
        ids=ids,
        owner_ids=setting.owner_ids[seller],
        speaks_chinese=is_chinese,
        domains=[company.domain for company in companies],
        begun_on=times.lives.begun_on,
        last_on=np.minimum(times.last_order_on + rng.integers(20, 400, count), setting.today),
        weight=np.minimum(0.3 + times.lives.yearly_orders / 8, 4.0),
    )
    records = new_ids(SourceRecord, count)
    _copy_customers(batch, companies, times, records, setting.owner_teams[seller])
    _copy_sources(batch, companies, records)
    write_places(batch, [one.place for one in companies])
    return batch


def _copy_customers(batch: Batch, companies: list[CompanyName], times: Timeline, records: Ints, teams: Ints) -> None:
    rng, count = batch.rng, len(batch)
    first = Counter.take(Customer.COUNTER, count)
    numbers = [customer_number(first + at) for at in range(count)]
    codes = where(batch.speaks_chinese, credit_codes(rng, count), "")
    searched = [
        search_columns(number=number, credit_code=code, names=[one.legal, one.short, one.other_legal, one.other_short])
        for number, code, one in zip(numbers, codes, companies, strict=True)
    ]
    employees = rng.lognormal(4.6, 1.4, count).astype(np.int64) + 3
    copy_rows(
        Customer,
        id=texts(batch.ids),
        number=numbers,
        legal_name=[one.legal for one in companies],
        short_name=[one.short for one in companies],
        other_legal_name=[one.other_legal for one in companies],
        other_short_name=[one.other_short for one in companies],
        credit_code=codes,
        kind=_kinds(rng, times),
        status=_statuses(batch, times),
        industry=[one.industry for one in companies],
        employees=texts(employees),
        annual_revenue=money((employees * rng.lognormal(11.6, 0.5, count) * 100).astype(np.int64)),
        founded_year=texts(rng.integers(1948, 2019, count)),
        region=[one.place.region for one in companies],
        country=[one.place.country for one in companies],
        website=[f"https://www.{domain}" for domain in batch.domains],
        parent=_parents(rng, batch.ids),
        owner=texts(batch.owner_ids),
        team=texts(teams),
        acquisition_source=pick(np.array(words.ACQUISITION_SOURCES), rng.integers(0, len(words.ACQUISITION_SOURCES), count)),
        acquired_on=where(times.lives.buys, texts(times.lives.begun_on)),
        acquisition_cost=where(times.lives.buys, money((rng.lognormal(6.2, 0.9, count) * 100).astype(np.int64))),
        preferred_channels=pick(np.array(["{}", "{phone}", "{mail}", "{mail,phone}", "{visit,phone}"]), rng.integers(0, 5, count)),
        payment_terms_days=pick(np.array(["14", "30", "30", "60", "90"]), rng.integers(0, 5, count)),
        payment_preference=pick(np.array(["transfer", "transfer", "direct_debit", "acceptance_bill"]), rng.integers(0, 4, count)),
        currency=batch.setting.currency,
        tags=_tags(rng, count),
        provenance=[json.dumps(dict.fromkeys(FROM_SOURCE, record)) for record in records.tolist()],
        search_text=[text for text, _key, _match in searched],
        sort_key=[key for _text, key, _match in searched],
        match_key=[match for _text, _key, match in searched],
        created_at=texts(batch.begun_on),
        updated_at=texts(batch.moments(batch.last_on)),
    )


def _kinds(rng: np.random.Generator, times: Timeline) -> list[str]:
    others = OTHER_KINDS[rng.integers(0, len(OTHER_KINDS), len(times.lives.buys))]
    kinds: list[str] = np.where(times.lives.buys, "customer", others).tolist()
    return kinds


def _statuses(batch: Batch, times: Timeline) -> list[str]:
    quiet = (batch.setting.today - times.last_order_on).astype(np.int64)
    statuses: list[str] = np.select(
        [~times.lives.buys, quiet > LOST_AFTER, quiet > DORMANT_AFTER, times.won_back],
        ["prospect", "lost", "dormant", "won_back"],
        "active",
    ).tolist()
    return statuses


def _parents(rng: np.random.Generator, ids: Ints) -> list[str]:
    """A few belong to a company before them in the batch: so no circle can be."""
    place = np.arange(len(ids))
    parent = (rng.random(len(ids)) * place / 4).astype(np.int64)
    return where((rng.random(len(ids)) < 0.05) & (parent < place), texts(ids[parent]))


def _tags(rng: np.random.Generator, count: int) -> list[str]:
    tags = np.array(["{}"] * len(words.TAGS) + [f'{{"{tag}"}}' for tag in words.TAGS])
    return pick(tags, rng.integers(0, len(tags), count))


def _copy_sources(batch: Batch, companies: list[CompanyName], records: Ints) -> None:
    system, keys = str(batch.setting.source_id), [f"D{pk}" for pk in batch.ids.tolist()]
    payloads = [
        json.dumps({"name": one.legal, "short": one.short, "branch": one.industry, "country": one.place.country}, ensure_ascii=False)
        for one in companies
    ]
    copy_rows(SourceRecord, id=texts(records), system=system, noun="customer", key=keys, payload=payloads)
    copy_rows(CrossReference, system=system, noun="customer", key=keys, customer=texts(batch.ids))


def write_places(batch: Batch, places: list[Place]) -> None:
    """Office address and switchboard number of each customer."""
    rng, count = batch.rng, len(batch)
    western = pick(np.array(words.STREETS), rng.integers(0, len(words.STREETS), count))
    chinese = pick(np.array(words.CHINESE_STREETS), rng.integers(0, len(words.CHINESE_STREETS), count))
    numbers = rng.integers(1, 180, count).tolist()
    copy_rows(
        Address,
        customer=texts(batch.ids),
        street=[
            f"{street}{number}号" if place.country == "CN" else f"{number} {road}"
            for place, street, road, number in zip(places, chinese, western, numbers, strict=True)
        ],
        postcode=texts(rng.integers(10_000, 99_999, count)),
        city=[place.city for place in places],
        region=[place.region for place in places],
        country=[place.country for place in places],
    )
    phones = [phone_number(place.phone, line) for place, line in zip(places, rng.integers(0, 10_000, count).tolist(), strict=True)]
    copy_rows(ContactMethod, customer=texts(batch.ids), kind="phone", value=phones, normalised=phones, is_primary="t")


def write_contacts(batch: Batch) -> Contacts:
    """One to five people at each customer, with position, ways to reach them and consents."""
    rng = batch.rng
    counts = 1 + rng.poisson(0.5 * np.minimum(batch.weight, 2.5)).clip(max=4)
    customer = np.repeat(np.arange(len(batch)), counts)
    is_chinese = batch.speaks_chinese[customer] ^ (rng.random(len(customer)) < 0.04)
    contacts = Contacts(new_ids(Contact, len(customer)), customer, counts.cumsum() - counts, counts)
    people = person_names(rng, is_chinese)
    _copy_people(batch, contacts, people, is_chinese)
    _copy_positions(batch, contacts, is_chinese)
    _copy_methods(batch, contacts, people, is_chinese)
    _copy_consents(batch, contacts)
    return contacts


def _copy_people(batch: Batch, contacts: Contacts, people: list[PersonName], is_chinese: Bools) -> None:
    rng, count = batch.rng, len(people)
    searched = [contact_search_columns(names=[person.name, person.other]) for person in people]
    birthdays = np.datetime64("1961-01-01") + rng.integers(0, 14_000, count)
    copy_rows(
        Contact,
        id=texts(contacts.ids),
        name=[person.name for person in people],
        other_name=[person.other for person in people],
        salutation=pick(np.array(["ms", "mr", ""]), rng.integers(0, 3, count)),
        birthday=where(rng.random(count) < 0.4, texts(birthdays)),
        language=np.where(is_chinese, "zh-hans", "en").tolist(),
        search_text=[text for text, _key in searched],
        sort_key=[key for _text, key in searched],
        created_at=texts(batch.begun_on[contacts.customer]),
        updated_at=texts(batch.moments(batch.last_on[contacts.customer])),
    )


def _copy_positions(batch: Batch, contacts: Contacts, is_chinese: Bools) -> None:
    rng, count = batch.rng, len(contacts.ids)
    title = rng.integers(0, len(words.JOB_TITLES), count)
    titles = np.where(is_chinese, np.array(words.CHINESE_JOB_TITLES)[title], np.array(words.JOB_TITLES)[title])
    roles = np.array(["decision_maker", "technical", "influencer", "finance", "technical", "user"])
    is_first = np.zeros(count, dtype=bool)
    is_first[contacts.first] = True
    copy_rows(
        Position,
        contact=texts(contacts.ids),
        customer=texts(batch.ids[contacts.customer]),
        job_title=titles.tolist(),
        role=pick(roles, title),
        influence=texts(np.where(title == 0, 3, rng.integers(1, 4, count))),
        reports_to=where(~is_first & (rng.random(count) < 0.5), texts(contacts.ids[contacts.first[contacts.customer]])),
        is_primary=flags(is_first),
        since=texts(batch.begun_on[contacts.customer]),
    )


def _copy_methods(batch: Batch, contacts: Contacts, people: list[PersonName], is_chinese: Bools) -> None:
    count = len(people)
    owners = texts(contacts.ids)
    mails = [f"{person.mailbox}@{batch.domains[at]}" for person, at in zip(people, contacts.customer.tolist(), strict=True)]
    copy_rows(ContactMethod, contact=owners, kind="mail", value=mails, normalised=mails, is_primary="t")
    chinese = np.flatnonzero(is_chinese)
    mobiles = mobile_numbers(batch.rng, count)
    numbers = [mobiles[at] for at in chinese.tolist()]
    handles = [f"wx_{people[at].mailbox.replace('.', '_')}" for at in chinese.tolist()]
    copy_rows(ContactMethod, contact=[owners[at] for at in chinese.tolist()], kind="mobile", value=numbers, normalised=numbers)
    copy_rows(ContactMethod, contact=[owners[at] for at in chinese.tolist()], kind="wechat", value=handles, normalised=handles)


def _copy_consents(batch: Batch, contacts: Contacts) -> None:
    rng, count = batch.rng, len(contacts.ids)
    given = batch.moments(batch.begun_on[contacts.customer])
    for channel, purpose, share in (("mail", "service", 0.7), ("mail", "marketing", 0.3), ("phone", "survey", 0.15)):
        chosen = np.flatnonzero(rng.random(count) < share)
        withdrawn = rng.random(len(chosen)) < 0.08
        copy_rows(
            Consent,
            contact=texts(contacts.ids[chosen]),
            channel=channel,
            purpose=purpose,
            given_at=texts(given[chosen]),
            withdrawn_at=where(withdrawn, texts(np.minimum(given[chosen] + 86_400 * 200, batch.setting.today.astype("M8[s]"))), NULL),
            source="first order",
        )
