"""Names of companies and people, made of the word lists: as many as are asked for, the same for the same random numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from crm.demo import words
from crm.demo.copying import Bools, Ints
from customers.maths.credit_code import ALPHABET, check_character
from customers.maths.names import sort_key

T = TypeVar("T")

_NOT_IN_DOMAIN = re.compile(r"[^a-z0-9]+")
CHINESE_PHONE = "+86215555"
PUBLIC_BODY = "91"  # the code's first two characters: registered by the administration for industry and commerce, enterprise


@dataclass(frozen=True)
class Place:
    city: str
    region: str
    country: str
    phone: str  # a prefix that is kept free for examples; see `phone_number`


@dataclass(frozen=True)
class CompanyName:
    legal: str
    short: str
    other_legal: str
    other_short: str
    industry: str
    place: Place

    @property
    def domain(self) -> str:
        return domain_of(self.other_short or self.short)


@dataclass(frozen=True)
class PersonName:
    name: str
    other: str
    mailbox: str


class Words:
    """Random words, drawn in bulk: a number per call of a generator would cost more than all the rest."""

    def __init__(self, rng: np.random.Generator, count: int, per_name: int) -> None:
        self._numbers: npt.NDArray[np.float64] = rng.random((count, per_name))

    def row(self, at: int) -> list[float]:
        numbers: list[float] = self._numbers[at].tolist()
        return numbers


def company_names(rng: np.random.Generator, is_chinese: Bools) -> list[CompanyName]:
    drawn = Words(rng, len(is_chinese), 7)
    return [_chinese_company(drawn.row(at)) if chinese else _western_company(drawn.row(at)) for at, chinese in enumerate(is_chinese)]


def person_names(rng: np.random.Generator, is_chinese: Bools) -> list[PersonName]:
    drawn = Words(rng, len(is_chinese), 4)
    return [_chinese_person(drawn.row(at)) if chinese else _western_person(drawn.row(at)) for at, chinese in enumerate(is_chinese)]


def places_in(country: str) -> list[Place]:
    """The places of the word lists in this country, if it is in them."""
    if country == "CN":
        return [Place(city, region, "CN", CHINESE_PHONE) for city, _english, region in words.CHINESE_CITIES]
    return [
        Place(city, region, code, phones[at % len(phones)])
        for code, _forms, cities, phones in words.WESTERN_COUNTRIES
        for at, (city, region) in enumerate(cities)
        if code == country
    ]


def domain_of(name: str) -> str:
    return f"{_NOT_IN_DOMAIN.sub('-', sort_key(name)).strip('-')[:40]}.example"


def credit_codes(rng: np.random.Generator, count: int) -> list[str]:
    """Unified social credit codes with a right check character."""
    places = rng.integers(0, len(ALPHABET), (count, 9)).tolist()
    districts = rng.integers(110_000, 660_000, count).tolist()
    firsts = (f"{PUBLIC_BODY}{district}{''.join(ALPHABET[at] for at in row)}" for district, row in zip(districts, places, strict=True))
    return [first + check_character(first) for first in firsts]


def phone_number(prefix: str, line: int) -> str:
    """E.164: the prefix filled up with digits to the length that its country uses."""
    length = {"+1": 12, "+8": 13, "+4": 13, "+3": 12}[prefix[:2]]
    missing = length - len(prefix)
    return prefix + str(line % 10**missing).zfill(missing)


def mobile_numbers(rng: np.random.Generator, count: int) -> list[str]:
    """Chinese mobile numbers in a block of zeros that nobody has."""
    networks: Ints = rng.choice(np.array([130, 135, 138, 139, 150, 158, 159, 186, 188]), count)
    return [f"+86{network}0000{line:04d}" for network, line in zip(networks.tolist(), rng.integers(0, 10_000, count).tolist(), strict=True)]


def _western_company(drawn: list[float]) -> CompanyName:
    country, forms, _cities, _phones = _one(words.WESTERN_COUNTRIES, drawn[0] ** 1.5)  # the first of the list is the commonest
    industry, word, _chinese, _english = _one(words.INDUSTRIES, drawn[1])
    if drawn[3] < 0.2:
        short = f"{_one(words.WESTERN_SURNAMES, drawn[4])} & {_one(words.WESTERN_SURNAMES, drawn[5])}"
    elif drawn[3] < 0.35:
        short = f"{_one(words.WESTERN_SURNAMES, drawn[4])} {word}"
    else:
        short = f"{_one(words.WESTERN_HEADS, drawn[4])}{_one(words.WESTERN_TAILS, drawn[5])} {word}"
    return CompanyName(f"{short} {_one(forms, drawn[6])}", short, "", "", industry, _one(WESTERN_PLACES[country], drawn[2]))


def _chinese_company(drawn: list[float]) -> CompanyName:
    city, city_english, region = _one(words.CHINESE_CITIES, drawn[0])
    industry, _western, word, english = _one(words.INDUSTRIES, drawn[1])
    form, form_english = _one(words.CHINESE_FORMS, drawn[2] ** 2)
    brand = _one(words.CHINESE_BRAND_HEADS, drawn[3]) + _one(words.CHINESE_BRAND_TAILS, drawn[4])
    if drawn[5] < 0.4:
        brand += _one(words.CHINESE_BRAND_TAILS, drawn[6])
    brand_english = sort_key(brand).title()
    return CompanyName(
        legal=f"{city}{brand}{word}{form}",
        short=f"{brand}{word}",
        other_legal=f"{city_english} {brand_english} {english} {form_english}",
        other_short=f"{brand_english} {english}",
        industry=industry,
        place=Place(city, region, "CN", CHINESE_PHONE),
    )


def _western_person(drawn: list[float]) -> PersonName:
    first, last = _one(words.WESTERN_FIRST_NAMES, drawn[0]), _one(words.WESTERN_SURNAMES, drawn[1])
    return PersonName(f"{first} {last}", "", f"{first}.{last}".lower())


def _chinese_person(drawn: list[float]) -> PersonName:
    surname, given = _one(words.CHINESE_SURNAMES, drawn[0]), _one(words.CHINESE_GIVEN, drawn[1])
    if drawn[2] < 0.75:
        given += _one(words.CHINESE_GIVEN, drawn[3])
    surname_latin, given_latin = sort_key(surname), sort_key(given)
    return PersonName(surname + given, f"{given_latin.title()} {surname_latin.title()}", f"{given_latin}.{surname_latin}")


def _one(items: Sequence[T], share: float) -> T:
    return items[int(share * len(items))]


WESTERN_PLACES = {country: places_in(country) for country, *_rest in words.WESTERN_COUNTRIES}
