"""What a generated company stands in: its day, its sellers, its price list, and the batch of customers being written."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from django.conf import settings

from crm.demo import words
from crm.demo.copying import Bools, Days, Floats, Ints
from crm.demo.people import make_people
from customers.models import Product, SourceSystem
from users.access import Role
from users.models import User

SOURCE = "erp"


@dataclass(frozen=True)
class PriceList:
    """The products, cheapest first."""

    ids: Ints
    codes: list[str]
    names: list[str]
    prices: Ints  # cents
    costs: Ints
    is_hardware: Bools


@dataclass(frozen=True)
class Setting:
    today: np.datetime64
    owner_ids: Ints
    owner_teams: Ints
    products: PriceList
    source_id: int
    currency: str


@dataclass(frozen=True)
class Batch:
    """Customers whose facts are being written: one entry per customer in each array."""

    rng: np.random.Generator
    setting: Setting
    ids: Ints
    owner_ids: Ints
    speaks_chinese: Bools
    domains: list[str]
    begun_on: Days
    last_on: Days  # of the relationship: the last thing that happened, or today
    weight: Floats  # how much is going on with the customer, about 1

    def __len__(self) -> int:
        return len(self.ids)

    def moments(self, days: Days) -> Days:
        """A working hour of each day where the offices are, in America, and none in the future."""
        seconds = self.rng.integers(14 * 3600, 22 * 3600, len(days)).astype("m8[s]")
        moments: Days = np.minimum(days, self.setting.today - 1).astype("M8[s]") + seconds
        return moments


@dataclass(frozen=True)
class Contacts:
    """The people of a batch, by customer: person `first[i]` and the `count[i] - 1` after it are at customer i."""

    ids: Ints
    customer: Ints
    first: Ints
    count: Ints


@dataclass(frozen=True)
class Orders:
    """The orders of a batch, by day."""

    ids: Ints
    numbers: list[str]
    customer: Ints
    ordered_on: Days
    cents: Ints


def make_setting(today: np.datetime64) -> Setting:
    """Sellers and products as they are; where there are none, those of the demo."""
    if not _sellers():
        make_people()
    source = SourceSystem.objects.get_or_create(code=SOURCE, defaults={"name": "ERP", "trust": 60})[0]
    return setting_of(today, source, _price_list(source))


def setting_of(today: np.datetime64, source: SourceSystem, products: PriceList) -> Setting:
    sellers = _sellers()
    return Setting(
        today=today,
        owner_ids=np.array([pk for pk, _team in sellers]),
        owner_teams=np.array([team for _pk, team in sellers]),
        products=products,
        source_id=source.pk,
        currency=settings.BASE_CURRENCY,
    )


def read_products(products: list[Product], hardware: Container[str] = words.HARDWARE) -> PriceList:
    """Products with a price and a cost, in the order of their price; `hardware` are the categories that have serial numbers."""
    products = sorted(products, key=lambda product: (product.unit_price, product.pk))
    return PriceList(
        ids=np.array([product.pk for product in products]),
        codes=[product.code for product in products],
        names=[product.name for product in products],
        prices=np.array([_cents(product.unit_price) for product in products]),
        costs=np.array([_cents(product.unit_cost) for product in products]),
        is_hardware=np.array([product.category in hardware for product in products]),
    )


def _sellers() -> list[tuple[int, int]]:
    """Account managers below head office, with their team."""
    people = User.objects.active().filter(role=Role.ACCOUNT_MANAGER, team__parent__isnull=False)
    return list(people.order_by("pk").values_list("pk", "team_id"))


def _price_list(source: SourceSystem) -> PriceList:
    known = {product.code: product for product in Product.objects.filter(code__in=[row[0] for row in words.PRODUCTS])}
    for code, name, category, price, cost in words.PRODUCTS:
        if code not in known:
            values = {"name": name, "category": category, "unit_price": Decimal(price), "unit_cost": Decimal(cost)}
            known[code] = Product.add(by=None, code=code, source=source, source_key=code, **values)
    return read_products(list(known.values()))


def _cents(amount: Decimal | None) -> int:
    return int((amount or 0) * 100)
