"""What the names in a file mean: customers, products and colleagues, looked up for a whole chunk of rows at once."""

from __future__ import annotations

from collections.abc import Iterable

from customers.imports.cleaning import Row
from customers.imports.fields import COLLEAGUE, CUSTOMER, PRODUCT, Field
from customers.imports.problems import Severity
from customers.maths.names import match_key
from customers.models import CrossReference, Customer, Product, SourceSystem
from customers.models.customer import CustomerQuerySet
from users.models import User

UNKNOWN, UNCLEAR = 0, -1  # nobody, or several, have the name
MOST_REMEMBERED = 200_000


class References:
    """Finds the records that names mean, among those that the person who imports can see."""

    def __init__(self, *, by: User | None, source: SourceSystem, fields: Iterable[Field], unknown_customer: str) -> None:
        """`unknown_customer` is how severe it is when nobody knows a row's customer."""
        self._unknown_customer = unknown_customer
        self._by = by
        self._source = source
        self._fields = [one for one in fields if one.is_reference]
        self._customers: dict[str, int] = {}
        wanted = {one.holds for one in self._fields}
        self._products = self._read_products() if PRODUCT in wanted else {}
        self._colleagues = self._read_colleagues() if COLLEAGUE in wanted else {}

    def resolve(self, rows: list[Row]) -> None:
        """Put ids in place of names. A name that nobody knows is left out and said."""
        for one in self._fields:
            if one.name == "parent":
                continue  # it may stand further down in the same file: see `parents`
            named = [row for row in rows if one.name in row.values]
            if one.holds == CUSTOMER:
                self.look_up({row.values[one.name] for row in named})
            for row in named:
                self._resolve(row, one)

    def customer_of(self, name: str) -> int:
        """The id of a customer that `look_up` was asked about before; UNCLEAR for several, UNKNOWN for none."""
        return self._customers[name]

    def _resolve(self, row: Row, one: Field) -> None:
        name = row.values.pop(one.name)
        found = self._found(one.holds, name)
        if found > 0:
            row.values[one.name] = found
            return
        who = {CUSTOMER: "customer", COLLEAGUE: "owner", PRODUCT: "product"}[one.holds]
        code = f"{who}_{'unclear' if found == UNCLEAR else 'unknown'}"
        row.say_of(one.name, code, name, severity=self._unknown_customer if one.holds == CUSTOMER else Severity.WARNING)

    def _found(self, holds: str, name: str) -> int:
        if holds == CUSTOMER:
            return self._customers[name]
        return (self._products if holds == PRODUCT else self._colleagues).get(match_key(name), UNKNOWN)

    def look_up(self, names: set[str]) -> None:
        """Learn what these customers' names mean: a source key, a customer number or a legal name, in this order."""
        new = [name for name in names if name not in self._customers]
        if not new:
            return
        if len(self._customers) > MOST_REMEMBERED:
            self._customers.clear()
            new = list(names)
        visible = Customer.objects.visible_to(self._by) if self._by else Customer.objects.kept()
        found = dict(visible.filter(number__in=new).values_list("number", "pk")) | self._by_source_key(new, visible)
        keys = {match_key(name)[:200] for name in new if name not in found}
        by_key: dict[str, int] = {}
        for key, pk in visible.filter(match_key__in=keys).values_list("match_key", "pk"):
            by_key[key] = UNCLEAR if key in by_key else pk
        for name in new:
            self._customers[name] = found.get(name) or by_key.get(match_key(name)[:200], UNKNOWN)

    def _by_source_key(self, names: list[str], visible: CustomerQuerySet) -> dict[str, int]:
        ties = CrossReference.objects.filter(system=self._source, noun="customer", key__in=names, until=None, customer__in=visible)
        return dict(ties.values_list("key", "customer_id"))

    def _read_products(self) -> dict[str, int]:
        products: dict[str, int] = {}
        for pk, code, key in Product.objects.order_by("-pk").values_list("pk", "code", "match_key"):
            products.update({key: pk, match_key(code): pk})
        return products

    def _read_colleagues(self) -> dict[str, int]:
        visible = User.objects.visible_to(self._by) if self._by else User.objects.all()
        colleagues: dict[str, int] = {}
        for pk, email, name in visible.values_list("pk", "email", "name"):
            key = match_key(name)
            colleagues[key] = UNCLEAR if key in colleagues else pk
            colleagues[match_key(email)] = pk
        return colleagues
