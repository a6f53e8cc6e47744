"""What the demo's files are silent about, made up believably and the same each time.

The files end with 2017 and know neither people nor contracts. Here the company has kept most of these customers since:
they have contacts, contracts that run and end, machines, invoices, and a history of talks up to this week. What the
files do say stays as they say it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import F, Min, Sum

from crm.demo import words
from crm.demo.conversations import write_contact_points
from crm.demo.copying import Days, Ints
from crm.demo.names import Place, domain_of, places_in
from crm.demo.people import LOGINS
from crm.demo.relations import write_contacts, write_places
from crm.demo.sales import Lines, contract_bills, cover_assets, order_bills, write_assets, write_contracts, write_invoices
from crm.demo.setting import Batch, Orders, Setting, read_products, setting_of
from customers.actions import orders_from_won_opportunities
from customers.models import Address, Contract, Customer, CustomField, Opportunity, Order, OrderLine, Product, SourceSystem
from users.access import Role
from users.models import User

SEED = 2_026
MARGINS = {"GTX": Decimal("0.42"), "MG": Decimal("0.36"), "GTK": Decimal("0.31")}  # by series of the price list
USUAL_MARGIN = Decimal("0.38")
DELIVERY = timedelta(days=9)
KEPT, DORMANT = 0.82, 0.10  # the rest is lost
DORMANT_DAYS = 730
TALKS, LATENESS = 22.0, 0.35
EVERY_NTH_IS_A_LOGINS = 5
CUSTOM_FIELDS: tuple[dict[str, Any], ...] = (
    {"key": "budget_month", "label": "Budget month", "label_zh": "预算月份", "kind": "choice", "choices": ["March", "June", "September"]},
    {"key": "it_staff", "label": "IT staff", "label_zh": "IT人员数", "kind": "number"},
    {"key": "main_competitor", "label": "Main competitor there", "label_zh": "主要竞争对手", "kind": "text"},
)
COMPETITORS = ("Globotech", "Nordwind IT", "Hua Lian Systems", "none known")


def enrich(source: SourceSystem, today: date) -> None:
    """Complete the imported customers. Once only, in the caller's transaction."""
    _price_products()
    orders_from_won_opportunities(by=None)
    Order.objects.filter(status=Order.Status.OPEN).update(status=Order.Status.DELIVERED, delivered_on=F("ordered_on") + DELIVERY)
    products = list(Product.objects.all())
    setting = setting_of(np.datetime64(today, "D"), source, read_products(products, hardware={product.category for product in products}))
    customers = list(Customer.objects.order_by("pk"))
    batch = _batch(np.random.default_rng(SEED), setting, customers)
    _write_facts(batch, customers)
    for row, values in zip(customers, _values(batch, customers, today), strict=True):
        row.change(by=None, **values)


def _price_products() -> None:
    """The price list says what things sell for; what they cost us follows from the usual margin of their series."""
    for product in Product.objects.filter(unit_cost=None, unit_price__isnull=False):
        assert product.unit_price is not None
        margin = MARGINS.get(product.category, USUAL_MARGIN)
        product.change(by=None, unit_cost=(product.unit_price * (1 - margin)).quantize(Decimal("0.01")))


def _batch(rng: np.random.Generator, setting: Setting, customers: list[Customer]) -> Batch:
    count = len(customers)
    begun = dict(Opportunity.objects.filter(engaged_on__isnull=False).values_list("customer").annotate(day=Min("engaged_on")))
    value = dict(Order.objects.values_list("customer").annotate(sum=Sum("amount")))
    rank = np.argsort(np.argsort([float(value.get(one.pk, 0)) for one in customers]))
    fate = rng.random(count)
    quiet = np.select(
        [fate < KEPT, fate < KEPT + DORMANT], [rng.integers(0, 25, count), rng.integers(400, 700, count)], rng.integers(900, 2_000, count)
    )
    fallback = setting.today.astype(date) - timedelta(days=2_500)
    return Batch(
        rng=rng,
        setting=setting,
        ids=np.array([one.pk for one in customers]),
        owner_ids=_owners(customers),
        speaks_chinese=np.array([one.country == "CN" for one in customers]) | (rng.random(count) < 0.15),
        domains=[domain_of(one.legal_name) for one in customers],
        begun_on=_days([begun.get(one.pk, fallback) for one in customers]),
        last_on=setting.today - quiet,
        weight=0.5 + 2.5 * (rank / count) ** 2,
    )


def _owners(customers: list[Customer]) -> Ints:
    """Who sold most to the customer, in the office that sold most; some are in the hands of that office's log-in."""
    sold: dict[int, dict[int, dict[int, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for customer, team, seller, amount in (
        Order.objects.filter(owner__isnull=False).values_list("customer", "owner__team", "owner").annotate(sum=Sum("amount"))
    ):
        sold[customer][team][seller] = amount
    logins = [login.mail for login in LOGINS if login.role == Role.ACCOUNT_MANAGER]
    of_login = dict(User.objects.filter(email__in=logins).values_list("team", "pk"))
    somebody = User.objects.filter(role=Role.ACCOUNT_MANAGER).order_by("pk").values_list("pk", flat=True)[0]
    owners = []
    for place, one in enumerate(customers):
        offices = sold.get(one.pk)
        if not offices:
            owners.append(somebody)
            continue
        office = max(offices, key=lambda team: sum(offices[team].values()))
        best = max(offices[office], key=offices[office].__getitem__)
        owners.append(of_login.get(office, best) if place % EVERY_NTH_IS_A_LOGINS == 0 else best)
    return np.array(owners)


def _write_facts(batch: Batch, customers: list[Customer]) -> None:
    rng, count = batch.rng, len(batch)
    contacts = write_contacts(batch)
    write_places(batch, [_place(rng, one.country) for one in customers])
    orders, lines = _read_orders(batch)
    assets = write_assets(batch, orders, lines, share=0.1)
    contracts = write_contracts(batch, np.repeat(np.arange(count), 1 + rng.poisson(0.3 * batch.weight)))
    cover_assets(batch, contracts, assets)
    write_invoices(batch, order_bills(batch, orders, since_days=20_000))
    write_invoices(batch, contract_bills(batch, contracts))
    write_contact_points(batch, contacts, orders, TALKS, LATENESS)


def _place(rng: np.random.Generator, country: str) -> Place:
    places = places_in(country) or [Place("", "", country, places_in("US")[0].phone)]
    return places[int(rng.integers(0, len(places)))]


def _read_orders(batch: Batch) -> tuple[Orders, Lines]:
    rows = list(
        OrderLine.objects.order_by("order__ordered_on", "order_id").values_list(
            "order_id", "order__number", "order__customer", "order__ordered_on", "product", "amount", "cost"
        )
    )
    ids, numbers, customers, days, products, amounts, costs = zip(*rows, strict=True)
    place_of_customer = {pk: place for place, pk in enumerate(batch.ids.tolist())}
    place_of_product = {pk: place for place, pk in enumerate(batch.setting.products.ids.tolist())}
    count = len(rows)
    orders = Orders(
        ids=np.array(ids),
        numbers=list(numbers),
        customer=np.array([place_of_customer[pk] for pk in customers]),
        ordered_on=_days(list(days)),
        cents=_cents(amounts),
    )
    one = np.ones(count, dtype=np.int64)
    product = np.array([place_of_product.get(pk, 0) for pk in products])
    return orders, Lines(np.arange(count), one, product, one, orders.cents, _cents(costs))


def _values(batch: Batch, customers: list[Customer], today: date) -> list[dict[str, Any]]:
    """What each customer's own fields become: from the facts where there are any."""
    for position, values in enumerate(CUSTOM_FIELDS):
        CustomField.add(by=None, position=position, **values)
    owners = User.objects.in_bulk(batch.owner_ids.tolist())
    won = dict(Order.objects.values_list("customer").annotate(day=Min("ordered_on")))
    regions = dict(Address.objects.filter(customer__isnull=False).values_list("customer", "region"))
    running = set(Contract.objects.running(today).values_list("customer_id", flat=True))
    lately = set(Contract.objects.filter(ends_on__gte=today - timedelta(days=DORMANT_DAYS)).values_list("customer_id", flat=True))
    status = Customer.Status
    return [
        {
            "owner": owners[owner],
            "team": owners[owner].team,
            "status": status.ACTIVE if one.pk in running else status.DORMANT if one.pk in lately else status.LOST,
            "region": regions[one.pk],
            "acquired_on": won.get(one.pk),
            **_drawn(batch.rng, domain),
        }
        for one, owner, domain in zip(customers, batch.owner_ids.tolist(), batch.domains, strict=True)
    ]


def _drawn(rng: np.random.Generator, domain: str) -> dict[str, Any]:
    draw = rng.random(7)
    return {
        "website": f"https://www.{domain}",
        "acquisition_source": words.ACQUISITION_SOURCES[int(draw[0] * len(words.ACQUISITION_SOURCES))],
        "acquisition_cost": Decimal(int(400 + 4_000 * draw[1] ** 3)),
        "preferred_channels": [["phone"], ["mail"], ["visit", "phone"], ["mail", "web"]][int(draw[2] * 4)],
        "payment_terms_days": (14, 30, 30, 60)[int(draw[3] * 4)],
        "payment_preference": ("transfer", "transfer", "direct_debit", "card")[int(draw[4] * 4)],
        "tags": [words.TAGS[int(draw[5] * len(words.TAGS))]] if draw[5] < 0.6 else [],
        "custom": {
            "budget_month": ("March", "June", "September")[int(draw[6] * 3)],
            "it_staff": int(3 + 60 * draw[1] * draw[2]),
            "main_competitor": COMPETITORS[int(draw[3] * len(COMPETITORS))],
        },
    }


def _days(days: list[date]) -> Days:
    return np.array(days, dtype="M8[D]")


def _cents(amounts: tuple[Decimal, ...]) -> Ints:
    return np.array([int(amount * 100) for amount in amounts])
