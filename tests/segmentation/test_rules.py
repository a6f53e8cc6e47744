"""A saved rule: whom it finds, how it is told, and that nothing which is no rule gets past it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from customers.models import Asset, Consent, Customer, CustomField, Invoice, Opportunity
from segmentation.rules import Asking, RuleInvalid, checked, parse
from segmentation.rules.catalogue import custom_fields, customer_fields, related_nouns, score_fields
from segmentation.rules.days import Period, Span, Unit
from segmentation.rules.operators import OPERATORS
from tests.factories import (
    make_contact,
    make_contact_point,
    make_contract,
    make_customer,
    make_order,
    make_product,
    make_score,
    make_segment,
)
from tests.people import World

TODAY = date(2026, 6, 30)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def leaf(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "is": operator} | ({} if value is None else {"value": value})


def related(noun: str, quantifier: str = "has", *where: dict[str, Any], count: int = 1) -> dict[str, Any]:
    return {"related": noun, "is": quantifier, "count": count, "where": list(where)}


def found(world: World, rule: Any) -> list[str]:
    """The names of whom the rule finds for the administrator, who sees everybody."""
    condition = parse(rule).q(Asking(world.ada, TODAY))
    return list(Customer.objects.visible_to(world.ada).filter(condition).by_name().values_list("name", flat=True))


def days(n: int) -> dict[str, Any]:
    return {"n": n, "unit": "days"}


# ── Fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "rule",
    [
        leaf("name", "matches", "acm"),
        leaf("industry", "is", "RETAIL"),
        leaf("industry", "contains", "tai"),
        leaf("industry", "starts_with", "re"),
        leaf("industry", "not_contains", "bank"),
        leaf("payment_preference", "filled"),
        leaf("region", "empty"),
        leaf("status", "any_of", ["active", "lost"]),
        leaf("kind", "none_of", ["partner"]),
        leaf("employees", "gte", 50),
        leaf("employees", "between", [40, 60]),
        leaf("annual_revenue", "gt", 999.5),
        leaf("annual_revenue", "eq", 1000),
        leaf("tags", "has_any", ["vip", "x"]),
        leaf("tags", "has_all", ["vip", "north"]),
        leaf("preferred_channels", "has_any", ["wechat"]),
        leaf("acquired_on", "in_last", days(90)),
        leaf("acquired_on", "in_period", "this_quarter"),
        leaf("acquired_on", "between_days", ["2026-05-01", "2026-05-31"]),
        leaf("owner", "any_of", ["me"]),
        leaf("owner", "filled"),
        leaf("custom.floor", "gt", 6),
        leaf("custom.floor", "eq", 7),
        leaf("custom.built", "until", "2001-12-31"),
        leaf("custom.alias", "contains", "COYO"),
        leaf("custom.size", "any_of", ["big"]),
        leaf("custom.size", "filled"),
        leaf("score.tier", "at_least", "gold"),
        leaf("score.tier", "any_of", ["gold"]),
        leaf("score.clv", "gt", 1000),
        leaf("score.churn_risk", "lt", 0.25),
        leaf("score.is_core", "yes"),
        leaf("score.last_order_on", "more_than_ago", days(90)),
        {"not": leaf("status", "any_of", ["dormant"])},
    ],
    ids=str,
)
def test_each_question_finds_the_one_and_not_the_other(world: World, rule: Any) -> None:
    for key, kind in (("floor", "number"), ("built", "date"), ("alias", "text"), ("size", "choice")):
        CustomField.add(by=None, key=key, label=key.title(), kind=kind, choices=["big", "small"] if kind == "choice" else [])
    acme = make_customer(
        "Acme", team=world.north, owner=world.ada, status="active", industry="retail", employees=50, annual_revenue=Decimal(1000),
        tags=["vip", "north"], preferred_channels=["wechat"], payment_preference="card", acquired_on=date(2026, 5, 4),
        custom={"floor": 7, "built": "1999-05-01", "alias": "Coyote Supplies", "size": "big"},
    )  # fmt: skip
    bolt = make_customer(
        "Bolt", team=world.south, status="dormant", industry="bank", kind="partner", region="East", employees=3, tags=["small"],
        annual_revenue=Decimal(1), acquired_on=date(2020, 1, 1), custom={"floor": "seven", "built": "2010-01-01"},
    )  # fmt: skip
    make_score(customer=acme, tier=2, clv=5000, churn_risk=0.1, is_core=True, last_order_on=TODAY - timedelta(days=91))
    make_score(customer=bolt, tier=4, clv=10, churn_risk=0.9, is_core=False, last_order_on=TODAY - timedelta(days=90))
    assert found(world, rule) == ["Acme"]
    assert found(world, {"not": rule}) == ["Bolt"]


def test_a_missing_value_is_in_the_opposite_of_every_question(world: World) -> None:
    make_customer("Blank", team=world.north)
    for rule in (leaf("score.clv", "gt", 1), leaf("score.is_core", "yes"), leaf("employees", "lt", 5), leaf("custom.floor", "lt", 5)):
        CustomField.objects.get_or_create(key="floor", defaults={"label": "Floor", "kind": "number"})
        assert found(world, rule) == []
        assert found(world, {"not": rule}) == ["Blank"]
        assert found(world, {"any": [rule, {"not": {"all": [rule, leaf("status", "any_of", ["prospect"])]}}]}) == ["Blank"]
    assert found(world, leaf("score.tier", "none_of", ["gold"])) == ["Blank"]
    assert found(world, leaf("score.is_core", "no")) == ["Blank"]


@pytest.mark.parametrize(
    "rule",
    [
        related("orders"),
        related("orders", "has", leaf("ordered_on", "in_last", days(30))),
        related("orders", "at_least", leaf("amount", "gte", 100), count=2),
        related("order_lines", "has", leaf("category", "is", "laptops")),
        related("contracts", "has", leaf("is_running", "yes"), leaf("ends_on", "in_next", days(30))),
        related("contracts", "has", leaf("service_grade", "at_least", "2")),
        related("contacts", "has", leaf("role", "any_of", ["decision_maker"])),
        related("consents", "has", leaf("purpose", "any_of", ["marketing"]), leaf("channel", "any_of", ["mail"])),
        related("contact_points", "has", leaf("signal", "any_of", ["risk"]), leaf("at", "in_last", days(7))),
        related("invoices", "has", leaf("is_overdue", "yes")),
        related("opportunities", "has", leaf("stage", "any_of", ["engaging"])),
        related("assets", "has", leaf("warranty_until", "in_next", {"n": 2, "unit": "months"})),
    ],
    ids=str,
)
def test_each_noun_around_the_customer_can_be_asked(world: World, rule: Any) -> None:
    acme, _bolt = make_customer("Acme", team=world.north), make_customer("Bolt", team=world.south)
    laptop = make_product(category="Laptops")
    for _ in range(2):
        make_order(customer=acme, ordered_on=TODAY - timedelta(days=5)).lines.update(product=laptop)
    make_contract(customer=acme, starts_on=TODAY - timedelta(days=300), ends_on=TODAY + timedelta(days=20), service_grade=2)
    contact = make_contact(customer=acme)
    contact.positions.update(role="decision_maker")
    Consent.add(by=None, contact=contact, channel="mail", purpose="marketing")
    make_contact_point(customer=acme, signal="risk", at=datetime(2026, 6, 28, 9, tzinfo=UTC))
    Invoice.add(by=None, customer=acme, issued_on=date(2026, 3, 1), due_on=date(2026, 4, 1), amount=Decimal(100))
    Opportunity.add(by=None, customer=acme, stage="engaging")
    Asset.add(by=None, customer=acme, product=laptop, serial="S1", warranty_until=TODAY + timedelta(days=40))
    assert found(world, rule) == ["Acme"]
    assert found(world, {**rule, "is": "has_no"}) == ["Bolt"]


def test_conditions_on_a_noun_hold_of_the_same_row(world: World) -> None:
    acme = make_customer("Acme", team=world.north)
    make_order(customer=acme, amount=5, ordered_on=TODAY)
    make_order(customer=acme, amount=500, ordered_on=TODAY - timedelta(days=300))
    assert found(world, related("orders", "has", leaf("amount", "gte", 100), leaf("ordered_on", "in_last", days(30)))) == []
    assert found(world, related("orders", "at_least", leaf("amount", "gte", 5), count=3)) == []


def test_what_is_over_does_not_count(world: World) -> None:
    acme = make_customer("Acme", team=world.north)
    make_order(customer=acme, status="cancelled")
    gone = make_contact(customer=acme)
    gone.discard(by=world.ada)
    old = make_contact(customer=acme)
    old.positions.update(until=date(2026, 1, 1))
    for contact in (gone, old):
        Consent.add(by=None, contact=contact, channel="mail", purpose="marketing")
    withdrawn = Consent.add(by=None, contact=make_contact(customer=acme), channel="mail", purpose="marketing")
    withdrawn.change(by=None, withdrawn_at=timezone.now())
    first = make_contact_point(customer=acme, signal="risk")
    first.correct(by=world.ada, signal="need")
    for rule in (related("orders"), related("consents"), related("contact_points", "has", leaf("signal", "any_of", ["risk"]))):
        assert found(world, rule) == []
    assert found(world, related("contacts", "at_least", count=2)) == []


def test_me_and_my_team_are_the_readers_own(world: World) -> None:
    make_customer("Anas", team=world.north, owner=world.ana)
    make_customer("Eves", team=world.south, owner=world.eve)
    make_customer("Bergens", team=world.bergen)

    def names(reader: Any, rule: Any) -> list[str]:
        condition = parse(rule).q(Asking(reader, TODAY))
        return list(Customer.objects.filter(condition).by_name().values_list("name", flat=True))

    assert names(world.ana, leaf("owner", "any_of", ["me"])) == ["Anas"]
    assert names(world.eve, leaf("owner", "any_of", ["me"])) == ["Eves"]
    assert names(world.ana, leaf("team", "any_of", ["mine"])) == ["Anas"]
    assert names(world.ana, leaf("team", "under", ["mine"])) == ["Anas", "Bergens"]
    assert names(world.ana, {"not": leaf("team", "under", ["mine"])}) == ["Eves"]


# ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_months_end_where_the_month_is_shorter() -> None:
    assert Span(1, Unit.MONTHS).before(date(2026, 3, 31)) == date(2026, 2, 28)
    assert Span(1, Unit.YEARS).before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert Span(2, Unit.WEEKS).after(date(2026, 12, 25)) == date(2027, 1, 8)


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)))
def test_periods_stand_side_by_side(today: date) -> None:
    for length in ("week", "month", "quarter", "year"):
        last, this, after = (Period(f"{which}_{length}").around(today) for which in ("last", "this", "next"))
        assert this[0] <= today <= this[1]
        assert (last[1] + timedelta(days=1), this[1] + timedelta(days=1)) == (this[0], after[0])


def test_a_point_in_time_counts_by_its_day_in_the_zone_in_force(world: World) -> None:
    customer = make_customer("Late", team=world.north)
    Customer.objects.filter(pk=customer.pk).update(created_at="2026-06-29T23:30:00Z")
    rule = leaf("created_at", "since", "2026-06-30")
    assert found(world, rule) == []
    with timezone.override("Asia/Shanghai"):
        assert found(world, rule) == ["Late"]


# ── In words ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rule_tells_itself(world: World) -> None:
    rule = {
        "all": [
            leaf("score.tier", "at_least", "gold"),
            leaf("score.last_order_on", "more_than_ago", days(90)),
            {"any": [leaf("owner", "any_of", ["me"]), related("contracts", "has_no", leaf("is_running", "yes"))]},
        ]
    }
    assert parse(rule).sentence(world.ana) == (
        "Tier is Gold or higher and last order more than 90 days ago and (owner is me or has no contracts (running))"
    )


def test_numbers_and_shares_are_told_as_people_write_them(world: World) -> None:
    rule = {"any": [leaf("score.clv", "gt", 10000), leaf("score.churn_risk", "between", [0.25, 0.5])]}
    assert parse(rule).sentence(world.ana) == "Customer lifetime value is more than 10,000 or churn risk is between 25% and 50%"


def test_what_the_reader_does_not_see_stays_unnamed(world: World) -> None:
    rule = parse(leaf("owner", "any_of", [world.eve.pk]))
    assert "Eve" in rule.sentence(world.ada)
    assert "Eve" not in rule.sentence(world.ana)


# ── What is no rule ─────────────────────────────────────────────────────────────────────────────────────────────────

WRONG: list[tuple[Any, str, str]] = [
    (None, "", "invalid"),
    ([], "", "invalid"),
    ({}, "field", "unknown"),
    ({"all": []}, "all", "required"),
    ({"all": {}}, "all", "invalid"),
    ({"all": [], "any": []}, "", "invalid"),
    ({"all": [leaf("owner__password", "is", "x")]}, "all.0.field", "unknown"),
    ({"all": [leaf("password", "is", "x")]}, "all.0.field", "unknown"),
    ({"any": [leaf("status", "any_of", ["active"]), {"not": leaf("status", "regex", "x")}]}, "any.1.not.is", "unknown"),
    (leaf("status", "any_of", ["nonsense"]), "value", "unknown"),
    (leaf("status", "any_of", []), "value", "required"),
    (leaf("status", "any_of", "active"), "value", "invalid"),
    (leaf("industry", "is", "a\x00b"), "value", "invalid"),
    (leaf("industry", "is", "\ud800"), "value", "invalid"),
    (leaf("industry", "is", "x" * 201), "value", "max_length"),
    (leaf("industry", "empty", 5), "value", "invalid"),
    (leaf("employees", "gt", 10**400), "value", "out_of_range"),
    (leaf("employees", "gt", 1.5), "value", "out_of_range"),
    (leaf("employees", "gt", True), "value", "invalid"),
    (leaf("employees", "gt", "5"), "value", "invalid"),
    (leaf("score.clv", "gt", float("nan")), "value", "out_of_range"),
    (leaf("score.clv", "between", [5, 1]), "value", "invalid"),
    (leaf("acquired_on", "in_last", {"n": 10**9, "unit": "years"}), "value", "out_of_range"),
    (leaf("acquired_on", "in_last", {"n": 1, "unit": ["days"]}), "value", "invalid"),
    (leaf("acquired_on", "since", "0000-01-01"), "value", "invalid"),
    (leaf("acquired_on", "in_period", {}), "value", "unknown"),
    (leaf("owner", "any_of", [{"pk__in": [1]}]), "value", "unknown"),
    (leaf("custom.nowhere", "is", "x"), "field", "unknown"),
    ({**leaf("status", "any_of", ["active"]), "extra": 1}, "", "unknown"),
    (related("users"), "related", "unknown"),
    (related("orders", "some"), "is", "unknown"),
    (related("orders", "at_least", count=0), "count", "out_of_range"),
    (related("orders", "has", leaf("customer__owner", "filled")), "where.0.field", "unknown"),
    (related("orders", "has", {"all": []}), "where.0", "unknown"),
    ({"all": [leaf("industry", "is", "x")] * 51}, "", "too_many"),
    ({"all": [{"not": {"not": {"not": {"not": {"not": leaf("industry", "is", "x")}}}}}]}, "all.0.not.not.not.not", "too_deep"),
]


@pytest.mark.parametrize(("tree", "path", "code"), WRONG, ids=lambda one: str(one)[:60])
def test_what_is_wrong_is_named_with_its_place(world: World, tree: Any, path: str, code: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        parse(tree)
    assert (path, code) in [(problem.path, problem.code) for problem in refused.value.problems]


def test_all_that_is_wrong_is_named_at_once(world: World) -> None:
    tree = {"all": [leaf("x", "is", 1), leaf("status", "any_of", ["y"]), related("orders", "has", leaf("amount", "gt", "z"))]}
    with pytest.raises(RuleInvalid) as refused:
        parse(tree)
    assert [problem.path for problem in refused.value.problems] == ["all.0.field", "all.1.value", "all.2.where.0.value"]


@pytest.mark.parametrize("noun", ["owner", "team", "segment"])
def test_a_stranger_cannot_be_named(world: World, noun: str) -> None:
    theirs = {"owner": world.eve.pk, "team": world.south.pk, "segment": make_segment(by=world.eve, is_shared=False).pk}
    with pytest.raises(RuleInvalid) as refused:
        checked({"all": [leaf(noun, "any_of", [theirs[noun]])]}, by=world.ana)
    assert [problem.path for problem in refused.value.problems] == ["all.0.value"]
    assert checked(leaf(noun, "any_of", [theirs[noun]]), by=world.eve)


# ── Any tree at all ─────────────────────────────────────────────────────────────────────────────────────────────────

ODD = [10**400, -1, 0, 1, "me", "gold", "2026-01-01"]
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(ODD))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6
)
VALUES = JSON | st.fixed_dictionaries({"n": JSON, "unit": st.sampled_from([*Unit, "x"])}) | st.sampled_from([*Period])
RELATED_FIELDS = sorted({key for noun in related_nouns().values() for key in noun.fields})
FIELDS = [*customer_fields(), *score_fields(), *RELATED_FIELDS, "custom.floor", "x"]
LEAVES: SearchStrategy[Any] = st.fixed_dictionaries(
    {"field": st.sampled_from(FIELDS), "is": st.sampled_from([*OPERATORS])}, optional={"value": VALUES}
)
RELATED: SearchStrategy[Any] = st.fixed_dictionaries(
    {"related": st.sampled_from([*related_nouns(), "x"]), "is": st.sampled_from(["has", "has_no", "at_least"])},
    optional={"count": st.integers(-1, 5), "where": st.lists(LEAVES, max_size=2)},
)
TREES = st.recursive(
    JSON | LEAVES | RELATED,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(tree=TREES)
def test_any_tree_is_refused_in_words_or_is_a_question_that_runs(world: World, tree: Any) -> None:
    CustomField.objects.get_or_create(key="floor", defaults={"label": "Floor", "kind": "number"})
    try:
        rule = parse(tree)
    except RuleInvalid as refused:
        says = [problem.message for problem in refused.problems]
        assert says
        assert all(says)
        return
    list(Customer.objects.filter(rule.q(Asking(world.ana, TODAY)))[:1])
    assert parse(rule.tree).tree == rule.tree
    assert rule.sentence(world.ana)


def _example(operator: str, field: Any) -> Any:
    """A value that this question takes."""
    takes = OPERATORS[operator].takes
    one = {"number": 1, "day": "2026-01-01", "text": "x", "tags": "x", "reference": 1}.get(field.kind.name, "x")
    if choices := dict(getattr(field.kind, "choices", ())):
        one = next(iter(choices))
    return {"none": None, "one": one, "many": [one], "pair": [one, one], "span": days(5), "period": "this_year"}[takes]


def every_question() -> Iterator[dict[str, Any]]:
    for field in (*customer_fields().values(), *score_fields().values(), *custom_fields().values()):
        yield from (leaf(field.key, operator, _example(operator, field)) for operator in field.operators)
    for noun in related_nouns().values():
        for field in noun.fields.values():
            yield from (related(noun.key, "has", leaf(field.key, operator, _example(operator, field))) for operator in field.operators)


def test_every_question_that_is_offered_runs_both_ways(world: World) -> None:
    for key, kind in (("floor", "number"), ("built", "date"), ("alias", "text"), ("size", "choice")):
        CustomField.add(by=None, key=key, label=key.title(), kind=kind, choices=["big"] if kind == "choice" else [])
    make_customer("Blank", team=world.north)
    questions = list(every_question())
    assert len(questions) > 400
    for question in questions:
        yes, no = found(world, question), found(world, {"not": question})
        assert sorted([*yes, *no]) == ["Blank"], question
        assert parse(question).sentence(world.ada)


# ── How the database answers ────────────────────────────────────────────────────────────────────────────────────────


def test_the_score_is_joined_once_and_nouns_are_looked_up(world: World) -> None:
    rule = {
        "all": [
            leaf("score.clv", "gt", 1),
            {"any": [leaf("score.tier", "at_least", "gold"), {"not": leaf("score.churn_risk", "gt", 0.5)}]},
            related("orders", "has", leaf("ordered_on", "in_last", days(30))),
            related("contracts", "has_no"),
        ]
    }
    sql = str(Customer.objects.visible_to(world.ada).filter(parse(rule).q(Asking(world.ada, TODAY))).query)
    assert sql.count('JOIN "segmentation_score"') == 1
    assert sql.count("EXISTS(") == 2
    assert "JOIN" not in sql.split("EXISTS(")[1].split("NOT EXISTS")[0]
