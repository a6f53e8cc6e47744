"""Which type of relationship fits the customers of a segment: how many they are, and what margin each brings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats, Ints


class Relationship(IntEnum):
    """From a sale and no more to continuous work together; each promises a rhythm of contact."""

    NONE = 0  # a segment without customers
    BASIC = 1
    REACTIVE = 2
    ACCOUNTABLE = 3
    PROACTIVE = 4
    PARTNERSHIP = 5


@dataclass(frozen=True)
class RelationshipRules:
    """Where many, some and few part, and high, medium and low. The defaults are judgement: the table of the domain names no figures."""

    many_from: float = 0.20  # share of all customers in the segment
    few_below: float = 0.05
    high_from: float = 2.0  # margin per customer, as a multiple of the mean over all customers
    low_below: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.few_below <= self.many_from <= 1:
            raise ValueError("shares must rise: 0 <= few <= many <= 1")
        if not 0 <= self.low_below <= self.high_from:
            raise ValueError("multiples must rise: 0 <= low <= high")


# Rows: few, some, many customers; columns: low, medium, high margin.
_TABLE = np.array(
    [
        [Relationship.ACCOUNTABLE, Relationship.PROACTIVE, Relationship.PARTNERSHIP],
        [Relationship.REACTIVE, Relationship.ACCOUNTABLE, Relationship.PROACTIVE],
        [Relationship.REACTIVE, Relationship.REACTIVE, Relationship.ACCOUNTABLE],
    ],
    np.int8,
)


def relationship_types(customers: Ints, margin: Floats, rules: RelationshipRules | None = None) -> NDArray[np.int8]:
    """The recommended type of each segment, shape (k,), from its number of customers and its total margin in a period.

    Many customers of low margin are basic where they bring no margin at all, and reactive otherwise. Where the company as a whole
    brings no margin there is no mean to compare with: a positive margin is then high, any other low.
    """
    rules = rules or RelationshipRules()
    total, everyone = float(margin.sum()), int(customers.sum())
    share = customers / max(everyone, 1)
    each = np.divide(margin, customers, out=np.zeros(len(margin)), where=customers > 0)
    crowd = np.where(share >= rules.many_from, 2, np.where(share < rules.few_below, 0, 1))
    if total > 0:
        multiple = each / (total / everyone)
        worth = np.where(multiple >= rules.high_from, 2, np.where(multiple < rules.low_below, 0, 1))
    else:
        worth = np.where(each > 0, 2, 0)
    types = _TABLE[crowd, worth]
    types[(crowd == 2) & (worth == 0) & (each <= 0)] = Relationship.BASIC
    types[customers == 0] = Relationship.NONE
    return types
