"""What the customers of a batch bought: orders with lines, assets, contracts, invoices and payments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crm.demo import words
from crm.demo.behaviour import Purchases
from crm.demo.copying import NULL, Days, Ints, copy_into, copy_rows, money, new_ids, pick, texts, where
from crm.demo.setting import Batch, Orders
from customers.models import Asset, Contract, Counter, Invoice, Order, OrderLine, Payment
from customers.models.contract import contract_number
from customers.models.invoice import invoice_number
from customers.models.order import order_number

MOST_LINES = 5
BILLED_DAYS = 730  # invoices reach back two years; older ones stayed in the old system
WARRANTY_DAYS = 3 * 365
CANCELLED, STILL_OPEN_DAYS = 0.02, 21
GRADE_FROM_CENTS = (60_000, 250_000, 900_000, 3_000_000)  # a year; the dearer the contract, the better its grade
PERIOD_MONTHS = np.array([12, 12, 3, 1])
PERIODS = np.array(["year", "year", "quarter", "month"])


@dataclass(frozen=True)
class Lines:
    """Order lines: which order (place in the batch's orders), which product (place in the price list), and sums in cents."""

    order: Ints
    position: Ints
    product: Ints
    quantity: Ints
    cents: Ints
    cost: Ints


@dataclass(frozen=True)
class Contracts:
    ids: Ints
    customer: Ints
    starts_on: Days
    ends_on: Days
    cents: Ints
    months: Ints


@dataclass(frozen=True)
class Bills:
    """Invoices to be written; `order_id` and `contract_id` are 0 where there is none."""

    customer: Ints
    order_id: Ints
    contract_id: Ints
    issued_on: Days
    cents: Ints


def write_orders(batch: Batch, purchases: Purchases) -> tuple[Orders, Lines]:
    lines = _draw_lines(batch, purchases)
    count = len(purchases.customer)
    first = Counter.take(Order.COUNTER, count)
    orders = Orders(
        ids=new_ids(Order, count),
        numbers=[order_number(first + at) for at in range(count)],
        customer=purchases.customer,
        ordered_on=purchases.ordered_on,
        cents=_sums(lines.order, lines.cents, count),
    )
    _copy_orders(batch, orders, _sums(lines.order, lines.cost, count))
    products = batch.setting.products
    copy_rows(
        OrderLine,
        order=texts(orders.ids[lines.order]),
        product=texts(products.ids[lines.product]),
        position=texts(lines.position),
        quantity=texts(lines.quantity),
        list_price=money(products.prices[lines.product]),
        amount=money(lines.cents),
        cost=money(lines.cost),
    )
    return orders, lines


def _draw_lines(batch: Batch, purchases: Purchases) -> Lines:
    """Split each order's amount among one to five products that fit into it."""
    rng, products, count = batch.rng, batch.setting.products, len(purchases.customer)
    per_order = rng.geometric(0.62, count).clip(max=MOST_LINES)
    order = np.repeat(np.arange(count), per_order)
    position = 1 + np.arange(len(order)) - np.repeat(per_order.cumsum() - per_order, per_order)
    share = rng.random(len(order)) + 0.15
    target = purchases.amount[order] * 100 * share / np.bincount(order, share, count)[order]
    affordable = np.searchsorted(products.prices, target, side="right").clip(min=1)
    product = (affordable * np.sqrt(rng.random(len(order)))).astype(np.int64)  # rather the dearer of what fits
    quantity = np.maximum(1, np.rint(target / products.prices[product])).astype(np.int64)
    discount = np.where(rng.random(len(order)) < 0.4, rng.integers(2, 16, len(order)), 0)
    cents = products.prices[product] * quantity * (100 - discount) // 100
    cost = (products.costs[product] * quantity * rng.normal(1, 0.04, len(order)).clip(0.85, 1.15)).astype(np.int64)
    return Lines(order, position, product, quantity, cents, cost)


def _copy_orders(batch: Batch, orders: Orders, cost: Ints) -> None:
    rng, count, today = batch.rng, len(orders.ids), batch.setting.today
    delivered_on = orders.ordered_on + rng.integers(2, STILL_OPEN_DAYS, count)
    cancelled = rng.random(count) < CANCELLED
    delivered = (delivered_on <= today) & ~cancelled
    copy_rows(
        Order,
        id=texts(orders.ids),
        number=orders.numbers,
        customer=texts(batch.ids[orders.customer]),
        ordered_on=texts(orders.ordered_on),
        delivered_on=where(delivered, texts(delivered_on)),
        status=np.select([cancelled, delivered], ["cancelled", "delivered"], "open").tolist(),
        owner=texts(batch.owner_ids[orders.customer]),
        currency=batch.setting.currency,
        amount=money(orders.cents),
        cost=money(cost),
        channel=pick(np.array(["direct", "direct", "web shop", "partner", "phone"]), rng.integers(0, 5, count)),
        source=str(batch.setting.source_id),
        source_key=[f"SO-{number}" for number in orders.numbers],
        created_at=texts(orders.ordered_on),
        updated_at=texts(batch.moments(np.minimum(delivered_on, today))),
    )


def write_assets(batch: Batch, orders: Orders, lines: Lines, share: float = 0.35) -> tuple[Ints, Ints]:
    """What of the hardware is still known by its serial number: (ids, place of the customer)."""
    rng, products = batch.rng, batch.setting.products
    chosen = np.flatnonzero(products.is_hardware[lines.product] & (rng.random(len(lines.order)) < share))
    order, product = lines.order[chosen], lines.product[chosen]
    delivered_on = np.minimum(orders.ordered_on[order] + 7, batch.setting.today)
    retired = (rng.random(len(chosen)) < 0.1) & (delivered_on + WARRANTY_DAYS < batch.setting.today)
    ids = new_ids(Asset, len(chosen))
    copy_rows(
        Asset,
        id=texts(ids),
        customer=texts(batch.ids[orders.customer[order]]),
        product=texts(products.ids[product]),
        serial=[
            f"{products.codes[p]}-{orders.numbers[o][1:]}{position}"
            for p, o, position in zip(product.tolist(), order.tolist(), lines.position[chosen].tolist(), strict=True)
        ],
        name=[products.names[p] for p in product.tolist()],
        delivered_on=texts(delivered_on),
        warranty_until=texts(delivered_on + WARRANTY_DAYS),
        retired_on=where(retired, texts(delivered_on + WARRANTY_DAYS)),
        location=pick(np.array(["", "Server room", "Front office", "Plant 1", "Branch"]), rng.integers(0, 5, len(chosen))),
        created_at=texts(delivered_on),
    )
    return ids, orders.customer[order]


def write_contracts(batch: Batch, customer: Ints) -> Contracts:
    """A contract for each of these places in the batch; about half of them are the renewal of an earlier one."""
    rng, today = batch.rng, batch.setting.today
    count = len(customer)
    years = rng.integers(1, 4, count)
    goes_on = (batch.last_on[customer] >= today - 200) & (rng.random(count) < 0.85)
    ends_on = np.where(
        goes_on, today + rng.integers(0, 365 * years), np.minimum(batch.last_on[customer], today - 30) + rng.integers(-200, 30, count)
    )
    starts_on = np.maximum(ends_on - 365 * years + 1, batch.begun_on[customer])
    starts_on = np.minimum(starts_on, ends_on - 30)
    current = Contracts(
        ids=new_ids(Contract, count),
        customer=customer,
        starts_on=starts_on,
        ends_on=ends_on,
        cents=(rng.lognormal(7.4, 1.0, count) * batch.weight[customer]).astype(np.int64) * 100,
        months=rng.integers(0, len(PERIODS), count),
    )
    renewing = np.flatnonzero((rng.random(count) < 0.5) & (starts_on - 365 > batch.begun_on[customer]))
    former = Contracts(
        ids=new_ids(Contract, len(renewing)),
        customer=customer[renewing],
        starts_on=starts_on[renewing] - 365,
        ends_on=starts_on[renewing] - 1,
        cents=current.cents[renewing] * 95 // 100,
        months=current.months[renewing],
    )
    renews = np.zeros(count, dtype=np.int64)
    renews[renewing] = former.ids
    _copy_contracts(batch, former, np.zeros(len(renewing), dtype=np.int64))
    _copy_contracts(batch, current, renews)
    return current


def _copy_contracts(batch: Batch, contracts: Contracts, renews: Ints) -> None:
    rng, count = batch.rng, len(contracts.ids)
    first = Counter.take(Contract.COUNTER, count)
    cents = contracts.cents * PERIOD_MONTHS[contracts.months] // 12
    cost = (cents * rng.uniform(0.35, 0.75, count)).astype(np.int64)
    cancelled = rng.random(count) < 0.03
    copy_rows(
        Contract,
        id=texts(contracts.ids),
        number=[contract_number(first + at) for at in range(count)],
        customer=texts(batch.ids[contracts.customer]),
        title=pick(np.array(words.CONTRACT_TITLES), rng.integers(0, len(words.CONTRACT_TITLES), count)),
        recurring_amount=money(cents),
        recurring_cost=money(cost),
        period=pick(PERIODS, contracts.months),
        currency=batch.setting.currency,
        starts_on=texts(contracts.starts_on),
        ends_on=texts(contracts.ends_on),
        cancelled_on=where(cancelled & (contracts.ends_on < batch.setting.today), texts(contracts.ends_on)),
        renewal=pick(np.array(["automatic", "by_agreement", "none"]), rng.integers(0, 3, count)),
        renews=where(renews > 0, texts(renews)),
        notice_days=pick(np.array(["30", "60", "90"]), rng.integers(0, 3, count)),
        service_grade=texts(5 - np.digitize(contracts.cents, GRADE_FROM_CENTS)),
        owner=texts(batch.owner_ids[contracts.customer]),
        created_at=texts(contracts.starts_on),
        updated_at=texts(batch.moments(contracts.starts_on)),
    )


def cover_assets(batch: Batch, contracts: Contracts, assets: tuple[Ints, Ints], share: float = 0.6) -> None:
    """Most assets of a customer with a contract stand in its newest one."""
    ids, customer = assets
    newest = np.zeros(len(batch), dtype=np.int64)
    newest[contracts.customer] = contracts.ids
    chosen = np.flatnonzero((newest[customer] > 0) & (batch.rng.random(len(ids)) < share))
    table = Contract.assets.through._meta.db_table
    copy_into(table, "contract_id, asset_id", [texts(newest[customer[chosen]]), texts(ids[chosen])])


def order_bills(batch: Batch, orders: Orders, since_days: int = BILLED_DAYS) -> Bills:
    today = batch.setting.today
    chosen = np.flatnonzero((orders.ordered_on >= today - since_days) & (orders.ordered_on < today - 7) & (orders.cents > 0))
    none = np.zeros(len(chosen), dtype=np.int64)
    return Bills(orders.customer[chosen], orders.ids[chosen], none, orders.ordered_on[chosen] + 3, orders.cents[chosen])


def contract_bills(batch: Batch, contracts: Contracts) -> Bills:
    """One per period that began within the billed time."""
    today, months = batch.setting.today, PERIOD_MONTHS[contracts.months]
    lasting = (np.minimum(contracts.ends_on, today) - contracts.starts_on).astype(np.int64)
    periods = np.maximum(0, 1 + (lasting / (months * 30.5)).astype(np.int64))
    at = np.repeat(np.arange(len(periods)), periods)
    rank = np.arange(len(at)) - np.repeat(periods.cumsum() - periods, periods)
    issued_on = contracts.starts_on[at] + (rank * months[at] * 30.4375).astype(np.int64)
    kept = (issued_on <= today) & (issued_on >= today - BILLED_DAYS)
    at, issued_on = at[kept], issued_on[kept]
    none = np.zeros(len(at), dtype=np.int64)
    return Bills(contracts.customer[at], none, contracts.ids[at], issued_on, contracts.cents[at] * months[at] // 12)


def write_invoices(batch: Batch, bills: Bills) -> None:
    """Invoices and their payments: most come in time, some late, a few in part, a few never."""
    rng, today, count = batch.rng, batch.setting.today, len(bills.customer)
    due_on = bills.issued_on + 30
    pays_on = bills.issued_on + (rng.lognormal(3.2, 0.45, count)).astype(np.int64)
    paid = (pays_on <= today) & ((rng.random(count) > 0.03) | (due_on < today - 365))
    part = np.where(rng.random(count) < 0.02, 0.5, 1.0)
    paid_cents = np.where(paid, (bills.cents * part).astype(np.int64), 0)
    ids = new_ids(Invoice, count)
    first = Counter.take(Invoice.COUNTER, count)
    copy_rows(
        Invoice,
        id=texts(ids),
        number=[invoice_number(first + at) for at in range(count)],
        customer=texts(batch.ids[bills.customer]),
        order=where(bills.order_id > 0, texts(bills.order_id)),
        contract=where(bills.contract_id > 0, texts(bills.contract_id)),
        issued_on=texts(bills.issued_on),
        due_on=texts(due_on),
        amount=money(bills.cents),
        paid_amount=money(paid_cents),
        currency=batch.setting.currency,
        created_at=texts(bills.issued_on),
    )
    chosen = np.flatnonzero(paid_cents > 0)
    copy_rows(
        Payment,
        invoice=texts(ids[chosen]),
        paid_on=texts(pays_on[chosen]),
        amount=money(paid_cents[chosen]),
        method=pick(np.array(["transfer", "transfer", "direct_debit", "card"]), rng.integers(0, 4, len(chosen))),
        source_key="",
        source=NULL,
    )


def _sums(place: Ints, values: Ints, count: int) -> Ints:
    """Exact sums by place: cents are whole numbers far below 2**53."""
    sums: Ints = np.bincount(place, values, count).astype(np.int64)
    return sums
