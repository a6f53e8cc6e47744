"""What the value engine found, as the API tells it; and starting it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone

from customers.models import Customer, Job
from segmentation.models import RuleVersion, TierOverride, ValueRun
from tests.api.client import Caller, assert_problem
from tests.factories import (
    make_back_test,
    make_contract,
    make_customer,
    make_decision,
    make_month,
    make_outlook,
    make_run,
    make_score,
)
from tests.people import World
from users.access import Scope
from users.models import Team

# ── What holds for all of them ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Shown:
    """One noun of the value engine: how a row about a team's customer is made, and the filters that find it or leave it out."""

    path: str
    make: Any
    finds: tuple[dict[str, Any], ...]
    misses: tuple[dict[str, Any], ...]


def score_of(team: Team) -> Any:
    """With all that a row of the list can show, at full length."""
    return make_score(
        customer=make_customer(team=team),
        churn_risk=0.4123456789012345,
        trend=-0.1234567890123456,
        trust=0.7345678901234567,
        next_order_days=1234,
        next_renewal_on=date(2026, 12, 31),
        relationship_type="partnership",
        proposed_tier=3,
        proposed_since=date(2026, 3, 31),
        proposal="approval",
    )


def decision_of(team: Team) -> Any:
    return make_decision(customer=make_customer(team=team))


def override_of(team: Team) -> Any:
    ends_on = timezone.localdate() + timedelta(days=30)
    owner = team.members.first()
    return TierOverride.add(by=None, customer=make_customer(team=team), tier=1, reason="Key account", owner=owner, ends_on=ends_on)


def outlook_of(team: Team) -> Any:
    return make_outlook(contract=make_contract(customer=make_customer(team=team)))


SHOWN = (
    Shown(
        "scores",
        score_of,
        (
            {"tier": "2"},
            {"tier": "1,2"},
            {"is_core": "true"},
            {"churn_risk_min": "0.41"},
            {"proposal": "approval,trust"},
            {"clv_min": "50000", "clv_max": "50000.00"},
        ),
        ({"tier": "1"}, {"is_core": "false"}, {"churn_risk_min": "0.42"}, {"clv_min": "50000.01"}, {"clv_max": "1"}, {"proposal": "trust"}),
    ),
    Shown(
        "tier-decisions",
        decision_of,
        ({"kind": "first"}, {"tier": "2"}, {"since": "2026-03-31", "until": "2026-03-31"}),
        ({"kind": "moves,stays"}, {"from_tier": "1"}, {"run": "0"}, {"since": "2026-04-01"}, {"until": "2026-03-30"}),
    ),
    Shown("tier-overrides", override_of, ({"is_standing": "true"}, {"tier": "1"}), ({"is_standing": "false"}, {"owner": "0"})),
    Shown(
        "contract-outlooks",
        outlook_of,
        ({"renewal_before": "2027-01-01"}, {"renewal_probability_max": "0.8"}),
        ({"renewal_before": "2026-12-31"}, {"renewal_probability_max": "0.5"}),
    ),
)
each = pytest.mark.parametrize("noun", SHOWN, ids=lambda noun: noun.path)


@each
def test_a_list_tells_what_the_detail_tells(world: World, ivy: Caller, noun: Shown) -> None:
    row = noun.make(world.north)
    detail = ivy.get(f"{noun.path}/{row.pk}/")
    assert detail.status_code == 200, detail.content
    listed = ivy.get(f"{noun.path}/").json()["results"]
    assert listed == [{name: detail.json()[name] for name in listed[0]}]
    assert listed[0]["customer"] == row.customer_id


@each
def test_a_list_is_narrowed(world: World, ivy: Caller, noun: Shown) -> None:
    row = noun.make(world.north)
    for query in (*noun.finds, {"customer": str(row.customer_id)}):
        assert len(ivy.get(f"{noun.path}/", query).json()["results"]) == 1, query
    for query in (*noun.misses, {"customer": str(row.customer_id + 1)}):
        assert ivy.get(f"{noun.path}/", query).json()["results"] == [], query


@each
def test_another_teams_customers_are_not_told_of(world: World, ivy: Caller, noun: Shown) -> None:
    theirs = noun.make(world.south)
    assert ivy.get(f"{noun.path}/").json()["results"] == []
    assert_problem(ivy.get(f"{noun.path}/{theirs.pk}/"), 404)


@pytest.mark.parametrize("noun", [noun for noun in SHOWN if noun.path != "tier-overrides"], ids=lambda noun: noun.path)
def test_what_the_engine_writes_is_not_written_here(world: World, ivy: Caller, noun: Shown) -> None:
    row = noun.make(world.north)
    assert_problem(ivy.post(f"{noun.path}/", {}), 405)
    for verb in ("patch", "put"):
        assert_problem(getattr(ivy, verb)(f"{noun.path}/{row.pk}/", {}, if_match='"1"'), 405)
    assert_problem(ivy.delete(f"{noun.path}/{row.pk}/"), 405)


@each
def test_fifty_rows_cost_few_queries_and_bytes(world: World, ivy: Caller, noun: Shown, django_assert_max_num_queries: Any) -> None:
    for _ in range(51):
        noun.make(world.north)
    with django_assert_max_num_queries(5):
        page = ivy.get(f"{noun.path}/")
    assert len(page.json()["results"]) == 50
    assert len(page.content) < 40 * 1024


def test_a_token_needs_the_scope_of_values(world: World) -> None:
    other = Caller(world.ivy, scopes=[Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE])
    assert_problem(other.get("scores/"), 403, code="missing_scope")
    reader = Caller(world.ivy, scopes=[Scope.VALUE_READ])
    assert reader.get("scores/").status_code == 200
    assert_problem(reader.post("value-runs/", {}), 403, code="missing_scope")


# ── Scores ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_score_tells_parts_intervals_and_reasons(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    make_score(customer=customer, clv_orders=30_000, clv_contracts=21_000, clv_referrals=500, clv_retention_cost=1_500)
    told = ivy.get(f"scores/{customer.pk}/").json()
    parts = [Decimal(told[f"clv_{part}"]) for part in ("orders", "contracts", "referrals")]
    assert sum(parts) - Decimal(told["clv_retention_cost"]) == Decimal(told["clv"]) == 50_000
    bounds = [Decimal(told[name]) for name in ("clv_low_95", "clv_low_80", "clv", "clv_high_80", "clv_high_95")]
    assert bounds == sorted(bounds)
    assert told["drivers"][0]["code"] == "orders"
    assert (told["tier"], told["as_of"], told["run"]) == (2, "2026-03-31", ValueRun.objects.get().pk)


def test_scores_come_by_value_page_after_page(world: World, ivy: Caller) -> None:
    for clv in (10, 30, 20, 20, 40):
        make_score(customer=make_customer(team=world.north), clv=Decimal(clv))
    page = ivy.get("scores/", {"page_size": 2}).json()
    seen = [row["clv"] for row in page["results"]]
    while page["next"]:
        page = ivy.get("scores/", dict(_query(page["next"]))).json()
        seen += [row["clv"] for row in page["results"]]
    assert seen == ["40.00", "30.00", "20.00", "20.00", "10.00"]


def test_ordered_by_risk_a_list_holds_those_whose_risk_is_known(world: World, ivy: Caller) -> None:
    risks = [0.2, None, 0.9]
    for risk in risks:
        make_score(customer=make_customer(team=world.north), churn_risk=risk)
    assert [row["churn_risk"] for row in ivy.get("scores/", {"ordering": "-churn_risk"}).json()["results"]] == [0.9, 0.2]
    assert [row["churn_risk"] for row in ivy.get("scores/", {"ordering": "churn_risk"}).json()["results"]] == [0.2, 0.9]
    assert len(ivy.get("scores/").json()["results"]) == len(risks)


def test_scores_are_found_by_owner_and_team(world: World, ivy: Caller) -> None:
    mine = make_score(customer=make_customer(team=world.north, owner=world.ana))
    below = make_score(customer=make_customer(team=world.bergen))
    for query, found in (({"owner": world.ana.pk}, mine), ({"team": world.bergen.pk}, below)):
        assert [row["customer"] for row in ivy.get("scores/", query).json()["results"]] == [found.pk], query


@pytest.mark.parametrize("value", ["NaN", "Infinity", "much", "1e400", ""])
def test_a_bound_that_is_no_number_is_an_error_of_its_parameter(ivy: Caller, value: str) -> None:
    assert_problem(ivy.get("scores/", {"clv_min": value}), 400, field="clv_min")


# ── Months ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_months_are_paged_customer_by_customer(world: World, ivy: Caller) -> None:
    customers = [make_customer(team=world.north) for _ in range(2)]
    months = [date(2026, month, 1) for month in (1, 2, 3)]
    wanted = [(customer.pk, month.isoformat()) for customer in customers for month in months]
    for month in reversed(months):
        for customer in customers:
            make_month(customer=customer, month=month)
    page = ivy.get("monthly-values/", {"page_size": 2}).json()
    seen = page["results"]
    while page["next"]:
        page = ivy.get("monthly-values/", dict(_query(page["next"]))).json()
        seen += page["results"]
    assert [(row["customer"], row["month"]) for row in seen] == wanted
    back = ivy.get("monthly-values/", dict(_query(page["previous"]))).json()["results"]
    assert [(row["customer"], row["month"]) for row in back] == wanted[2:4]
    turned = ivy.get("monthly-values/", {"ordering": "-customer"}).json()["results"]
    assert [(row["customer"], row["month"]) for row in turned] == wanted[::-1]


def test_a_months_margin_is_its_revenue_less_its_costs(world: World, ivy: Caller) -> None:
    make_month(customer=make_customer(team=world.north), month=date(2026, 1, 1), contract_revenue=50, contact_cost=7, service_cost=3)
    (row,) = ivy.get("monthly-values/").json()["results"]
    assert (row["revenue"], row["margin"]) == ("150.00", "80.00")


def test_months_are_narrowed_and_seen_through_their_customer(world: World, ivy: Caller) -> None:
    ours, theirs = make_customer(team=world.north), make_customer(team=world.south)
    for customer in (ours, theirs):
        for month in (1, 2, 3):
            make_month(customer=customer, month=date(2026, month, 1))
    rows = ivy.get("monthly-values/", {"customer": ours.pk, "since": "2026-02-01", "until": "2026-02-28"}).json()["results"]
    assert [row["month"] for row in rows] == ["2026-02-01"]
    assert ivy.get("monthly-values/", {"customer": theirs.pk}).json()["results"] == []


@pytest.mark.parametrize("cursor", ["WyJmIiwiY3VzdG9tZXIiLDEsMV0", "WyJmIiwiY3VzdG9tZXIiLFsxXSwiMjAyNi0wMS0wMSJd", "WyJmIl0"])
def test_a_cursor_without_a_month_is_refused(world: World, ivy: Caller, cursor: str) -> None:
    assert_problem(ivy.get("monthly-values/", {"cursor": cursor}), 400, field="cursor")


# ── Rules ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_version_of_the_rules_can_be_read(world: World, ivy: Caller) -> None:
    first = RuleVersion.in_force()
    draft = RuleVersion.draft(by=world.ada)
    assert [row["number"] for row in ivy.get("rule-versions/").json()["results"]] == [2, 1]
    assert [row["id"] for row in ivy.get("rule-versions/", {"is_draft": "true"}).json()["results"]] == [draft.pk]
    told = ivy.get(f"rule-versions/{first.pk}/").json()
    assert (told["rank_by"], told["horizon_months"], told["discount_rate"], told["minute_rates"]["phone"]) == ("clv", 36, "0.1000", "0.90")


# ── Runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_tells_its_figures_models_and_seconds(world: World, ivy: Caller) -> None:
    run = make_run(fits={"orders": {"chosen": "mbg_nbd"}}, warnings=[{"code": "few_customers", "customers": 4}])
    told = ivy.get(f"value-runs/{run.pk}/").json()
    assert (told["equity"], told["tiers"]["2"]["customers"], told["fits"]["orders"]["chosen"]) == (150_000.0, 1, "mbg_nbd")
    assert (told["warnings"][0]["code"], told["seconds"]["fit"], told["rules"]) == ("few_customers", 0.4, run.rules_id)
    (row,) = ivy.get("value-runs/", {"state": "published", "kind": "full", "since": "2026-03-31"}).json()["results"]
    assert row == {name: told[name] for name in row}
    assert ivy.get("value-runs/", {"state": "failed"}).json()["results"] == []


def test_a_back_test_tells_each_forecaster(world: World, ivy: Caller) -> None:
    test = make_back_test()
    told = ivy.get(f"back-tests/{test.pk}/").json()
    assert (told["measures"]["last_year"]["mae"], len(told["calibration"]), told["best"]) == (850.0, 10, "model")
    (row,) = ivy.get("back-tests/", {"run": test.run_id}).json()["results"]
    assert row == {name: told[name] for name in row}


@pytest.mark.parametrize("path", ["value-runs", "back-tests"])
def test_the_companys_figures_are_for_those_who_steer(world: World, path: str) -> None:
    make_back_test()
    assert_problem(Caller(world.mo).get(f"{path}/"), 403, code="missing_permission")
    assert len(Caller(world.xia).get(f"{path}/").json()["results"]) == 1


def test_starting_a_run_starts_its_job(world: World, ivy: Caller) -> None:
    answer = ivy.post("value-runs/", {"as_of": "2026-03-31", "kind": "changed"})
    assert answer.status_code == 202, answer.content
    job = Job.objects.get(kind="value-run")
    assert answer.json() == {"job": job.pk, "as_of": "2026-03-31", "kind": "changed"}
    assert (job.arguments, job.requested_by) == ({"as_of": "2026-03-31", "extent": "changed"}, world.ivy)
    assert ivy.get(answer["Location"].removeprefix("/api/v1/")).json()["state"] == "queued"


def test_a_run_values_all_customers_today_unless_told(world: World, ivy: Caller) -> None:
    assert ivy.post("value-runs/", {}).json()["kind"] == "full"
    assert Job.objects.get(kind="value-run").arguments == {"as_of": None, "extent": "full"}


def test_a_day_to_come_cannot_be_valued(world: World, ivy: Caller) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert_problem(ivy.post("value-runs/", {"as_of": tomorrow.isoformat()}), 400, field="as_of", code="max_value")
    assert_problem(ivy.post("value-runs/", {"kind": "some"}), 400, field="kind")
    assert_problem(ivy.post("value-runs/", {"day": "2026-03-31"}), 400, field="day", code="unknown")
    assert not Job.objects.exists()


def test_a_repeated_start_is_one_run(world: World, ivy: Caller) -> None:
    first, again = (ivy.post("value-runs/", {}, idempotency_key="nightly-1") for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert Job.objects.count() == 1


def test_while_one_run_is_under_way_another_is_refused(world: World, ivy: Caller) -> None:
    ivy.post("value-runs/", {})
    assert_problem(ivy.post("value-runs/", {}), 409, code="under_way")
    Job.objects.get().request_cancel()
    assert ivy.post("value-runs/", {}).status_code == 202


def test_those_who_may_not_run_start_nothing(world: World) -> None:
    assert_problem(Caller(world.ana).post("value-runs/", {}), 403, code="missing_permission")
    assert not Job.objects.exists()


def _query(address: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(address).query)


# ── Tiers against the rules ───────────────────────────────────────────────────────────────────────────────────────────


def override_body(world: World, **values: Any) -> dict[str, Any]:
    customer = make_customer(team=world.north)
    ends_on = (timezone.localdate() + timedelta(days=30)).isoformat()
    return {"customer": customer.pk, "tier": 1, "reason": "Strategic", "owner": world.mo.pk, "ends_on": ends_on, **values}


def test_a_tier_is_set_against_the_rules_and_the_ledger_says_so(world: World) -> None:
    ada = Caller(world.ada)
    body = override_body(world)
    customer = body["customer"]
    make_score(customer=Customer.objects.get(pk=customer), tier=3)
    answer = ada.post("tier-overrides/", body)
    assert answer.status_code == 201, answer.content
    assert [row["kind"] for row in ada.get("tier-decisions/", {"customer": customer}).json()["results"]] == ["overridden"]


@pytest.mark.parametrize(("field", "value"), [("tier", 5), ("reason", " "), ("ends_on", "2020-01-01"), ("owner", 0), ("customer", 0)])
def test_a_wrong_override_is_refused_by_its_field(world: World, field: str, value: object) -> None:
    assert_problem(Caller(world.ada).post("tier-overrides/", override_body(world, **{field: value})), 400, field=field)
    assert not TierOverride.objects.exists()


def test_ending_an_override_needs_its_version(world: World) -> None:
    ada = Caller(world.ada)
    row = ada.post("tier-overrides/", override_body(world)).json()
    assert_problem(ada.delete(f"tier-overrides/{row['id']}/"), 428)
    assert ada.delete(f"tier-overrides/{row['id']}/", if_match=f'"{row["version"]}"').status_code == 204
    assert TierOverride.objects.get().ended_at is not None


def test_who_may_not_set_tiers_cannot(world: World, ivy: Caller) -> None:
    assert_problem(ivy.post("tier-overrides/", override_body(world)), 403, code="missing_permission")
