from __future__ import annotations

import numpy as np
import pytest

from segmentation.maths.relationship import Relationship, RelationshipRules, relationship_types

# Mean margin per customer of the three segments together is always 100.
HIGH, MEDIUM, LOW = 300.0, 100.0, 20.0


def type_of(customers: int, margin_each: float) -> Relationship:
    """A segment beside one large one that brings the mean to 100."""
    rest = 100 - customers
    margin = np.array([customers * margin_each, 10_000.0 - customers * margin_each])
    return Relationship(relationship_types(np.array([customers, rest]), margin)[0])


@pytest.mark.parametrize(
    ("customers", "high", "medium", "low"),
    [
        (30, Relationship.ACCOUNTABLE, Relationship.REACTIVE, Relationship.REACTIVE),
        (10, Relationship.PROACTIVE, Relationship.ACCOUNTABLE, Relationship.REACTIVE),
        (2, Relationship.PARTNERSHIP, Relationship.PROACTIVE, Relationship.ACCOUNTABLE),
    ],
)
def test_the_table_of_the_domain(customers: int, high: Relationship, medium: Relationship, low: Relationship) -> None:
    assert [type_of(customers, margin) for margin in (HIGH, MEDIUM, LOW)] == [high, medium, low]


def test_many_customers_that_bring_nothing_are_just_sold_to() -> None:
    assert type_of(30, -1.0) == Relationship.BASIC
    assert type_of(30, 0.0) == Relationship.BASIC
    assert type_of(10, -1.0) == Relationship.REACTIVE


def test_thresholds_belong_to_the_upper_side() -> None:
    assert [type_of(20, MEDIUM), type_of(19, MEDIUM), type_of(5, MEDIUM), type_of(4, MEDIUM)] == [
        Relationship.REACTIVE, Relationship.ACCOUNTABLE, Relationship.ACCOUNTABLE, Relationship.PROACTIVE,
    ]  # fmt: skip
    assert [type_of(10, 200.0), type_of(10, 199.0), type_of(10, 50.0), type_of(10, 49.0)] == [
        Relationship.PROACTIVE, Relationship.ACCOUNTABLE, Relationship.ACCOUNTABLE, Relationship.REACTIVE,
    ]  # fmt: skip


def test_thresholds_are_the_companys_own() -> None:
    rules = RelationshipRules(many_from=0.05, few_below=0.01)
    assert relationship_types(np.array([10, 90]), np.array([3000.0, 7000.0]), rules)[0] == Relationship.ACCOUNTABLE


def test_an_empty_segment_has_no_type_and_disturbs_nobody() -> None:
    assert relationship_types(np.array([0, 10]), np.array([0.0, 100.0])).tolist() == [Relationship.NONE, Relationship.REACTIVE]
    assert relationship_types(np.array([0]), np.array([0.0])).tolist() == [Relationship.NONE]


def test_in_a_company_without_margin_the_sign_decides() -> None:
    assert relationship_types(np.array([2, 98]), np.array([10.0, -500.0])).tolist() == [Relationship.PARTNERSHIP, Relationship.BASIC]


@pytest.mark.parametrize("wrong", [{"few_below": 0.5}, {"many_from": 1.5}, {"low_below": 3.0}])
def test_thresholds_in_the_wrong_order_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rise"):
        RelationshipRules(**wrong)
