"""Plain factories: a row that is valid, with whatever the test says about it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import count
from typing import Any

from customers.models import Contact, ContactPoint, Contract, Customer, Order, OrderLine, Position, Product
from users.access import Role
from users.models import Team, User

PASSWORD = "correct horse battery staple"

_serial = count(1)


def make_team(name: str, **values: Any) -> Team:
    return Team.objects.create(name=name, **values)


def make_user(name: str, *, team: Team, role: str = Role.ACCOUNT_MANAGER, **values: Any) -> User:
    return User.objects.create_user(f"{name}@example.com", PASSWORD, name=name.title(), team=team, role=role, **values)


def make_customer(name: str = "", *, team: Team, by: User | None = None, **values: Any) -> Customer:
    return Customer.add(by=by, legal_name=name or f"Customer {next(_serial)}", team=team, **values)


def make_contact(name: str = "", *, customer: Customer, by: User | None = None, **values: Any) -> Contact:
    contact = Contact.add(by=by, name=name or f"Contact {next(_serial)}", **values)
    Position.add(by=by, contact=contact, customer=customer)
    return contact


def make_product(name: str = "", **values: Any) -> Product:
    name = name or f"Product {next(_serial)}"
    return Product.add(by=None, **{"code": name.upper(), "name": name, "unit_price": Decimal(100), "unit_cost": Decimal(60), **values})


def make_order(*, customer: Customer, amount: Decimal | int = 100, cost: Decimal | int = 60, **values: Any) -> Order:
    order = Order.add(by=None, customer=customer, **{"ordered_on": date(2026, 3, 2), **values})
    OrderLine.objects.create(order=order, amount=amount, cost=cost)
    order.retotal()
    return order


def make_contract(*, customer: Customer, **values: Any) -> Contract:
    defaults = {"title": "Maintenance", "recurring_amount": Decimal(1200), "starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}
    return Contract.add(by=None, customer=customer, **{**defaults, **values})


def make_contact_point(*, customer: Customer, by: User | None = None, **values: Any) -> ContactPoint:
    defaults = {"kind": ContactPoint.Kind.CALL, "channel": ContactPoint.Channel.PHONE, "subject": "Called"}
    return ContactPoint.log(by=by, customer=customer, **{**defaults, **values})
