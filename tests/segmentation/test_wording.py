"""Codes with figures, in words."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from segmentation import wording

SAID: list[tuple[dict[str, Any], str]] = [
    ({"code": "contracts", "amount": 12_000, "count": 1}, "1 contract is expected to bring $12K"),
    ({"code": "contracts", "amount": 12_000}, "Contracts are expected to bring $12K"),
    ({"code": "orders", "amount": 900, "expected": 1.25}, "Orders are expected to bring $900; 1.2 are expected within a year"),
    ({"code": "referrals", "amount": 5_000}, "Customers that it referred add $5K"),
    ({"code": "retention_cost", "amount": 2_000}, "Keeping it costs $2K"),
    ({"code": "no_order", "days": 400}, "No order for 400 days"),
    ({"code": "order_pace", "per_year": 3.1}, "3.1 orders a year"),
    ({"code": "trend", "change": 0.2}, "Margin rose by 20% in half a year"),
    ({"code": "trend", "change": -0.2}, "Margin fell by 20% in half a year"),
    ({"code": "renewal_due", "days": 30, "probability": 0.8}, "A contract ends in 30 days and renews with a probability of 80%"),
    ({"code": "renewal_due", "days": -3, "probability": 0.5}, "A contract’s renewal is overdue; it renews with a probability of 50%"),
    ({"code": "low_trust", "trust": 0.2}, "The data are thin: trust in them is 20%"),
    ({"code": "boundary", "tier": 2, "distance": -1_500}, "$1.5K from the boundary of Gold"),
    ({"code": "unheard_of"}, "unheard_of"),
]


@pytest.mark.parametrize(("one", "text"), SAID, ids=lambda value: value["code"] if isinstance(value, dict) else "")
def test_a_driver_is_a_sentence_with_its_figures(one: dict[str, Any], text: str) -> None:
    with override("en"):
        assert wording.drivers([one]) == [text]


@pytest.mark.parametrize("code", wording.DRIVERS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_driver_is_said_even_without_figures(code: str, language: str) -> None:
    with override(language):
        (text,) = wording.drivers([{"code": code}])
    assert text
    assert "%(" not in text


def test_a_warning_brings_its_figures() -> None:
    with override("en"):
        text = wording.warning({"code": "orders_not_converged", "status": "at_bound"})
        assert text == "The model of orders did not settle on its parameters. (at the edge of what is allowed)"
        assert wording.warning("plain") == "plain"
        assert wording.warning({"code": "losses", "customers": 1}).endswith("(1 customer)")
