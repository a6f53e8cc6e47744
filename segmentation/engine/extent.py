"""Which customers a statement speaks of: a range of ids, or a list of them; and how days are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from customers.models import Customer
from segmentation.engine.keeping import kept
from segmentation.facts import Customers, IdRange
from segmentation.models import RunShard, ValueRun

# Whom we value: those we sell to. A prospect has no value yet, a competitor never.
VALUED_KINDS = (Customer.Kind.CUSTOMER.value, Customer.Kind.PARTNER.value)
EPOCH = date(1970, 1, 1)
NO_DAY = -(2**31)


@dataclass(frozen=True)
class Extent:
    """Customers from `first` to `last`, or only those of `ids` where it is given."""

    first: int
    last: int
    ids: tuple[int, ...] | None = None

    def where(self, column: str) -> str:
        """A condition on a column of customer ids; `values` are its parameters."""
        return f"{column} = ANY(%(ids)s)" if self.ids is not None else f"{column} BETWEEN %(first)s AND %(last)s"

    @property
    def customers(self) -> Customers:
        """The same for `segmentation.facts.limited`."""
        return list(self.ids) if self.ids is not None else IdRange(self.first, self.last)

    @property
    def values(self) -> dict[str, Any]:
        return {"ids": list(self.ids)} if self.ids is not None else {"first": self.first, "last": self.last}


def extent_of(run: ValueRun, shard: RunShard) -> Extent:
    ids = tuple(kept(shard.pk, ("only",))["only"].tolist()) if run.kind == ValueRun.Kind.CHANGED else None
    return Extent(shard.first_customer, shard.last_customer, ids)


def day_number(day: date) -> int:
    return (day - EPOCH).days
