"""Runs, track record and what-if: for those who steer by the company's figures."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from segmentation import actions
from segmentation.models import Scenario, ValueRun
from tests.factories import make_back_test, make_run
from tests.people import World
from users.models import Event

HTMX = {"HX-Request": "true"}
FITS: dict[str, Any] = {
    "orders": {
        "chosen": "mbgnbd",
        "why": "likelihood",
        "models": {
            "bgnbd": {
                "params": {"r": 0.21}, "se": {}, "log_likelihood": -9600.5, "aic": 19209.0, "converged": False, "status": "not_converged",
            },
            "mbgnbd": {
                "params": {"r": 0.525}, "se": {"r": 0.0312}, "log_likelihood": -9582.4, "aic": 19172.8, "converged": True,
                "notes": ["A note"],
            },
        },
    },
    "contracts": {"chosen": None, "why": "no_contracts", "models": {}},
    "hazards": {"status": "ok", "coefficients": {"size": 0.4}, "se": {"size": 0.1}, "notes": []},
}  # fmt: skip


@pytest.fixture
def xia(client: Client, world: World) -> Client:
    client.force_login(world.xia)
    return client


# ── Runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_before_the_first_run_the_list_says_so(xia: Client) -> None:
    assert "No valuation yet" in xia.get("/value/runs/").content.decode()


def test_equity_over_time_is_drawn_from_the_last_run_of_each_day(xia: Client) -> None:
    for day, equity in ((date(2026, 1, 31), 1e6), (date(2026, 2, 28), 2e6), (date(2026, 2, 28), 3e6)):
        make_run(as_of=day, equity=equity)
    make_run(as_of=date(2026, 3, 1), kind=ValueRun.Kind.CHANGED, equity=9e6)
    chart = xia.get("/value/runs/").context["equity"]
    assert [row[:2] for row in chart.rows] == [["28 Feb 2026", "$3,000,000"], ["31 Jan 2026", "$1,000,000"]]


def test_a_run_tells_its_stages_choices_and_warnings(xia: Client) -> None:
    run = make_run(fits=FITS, warnings=[{"code": "no_order_model", "customers": 3}, {"code": "unheard_of"}], is_indicative=True)
    page = xia.get(f"/value/runs/{run.pk}/").content.decode()
    for words in (
        "Fitting the models", "0.4 s", "4.6 s in all", "MBG/NBD", "r = 0.5250 ± 0.0312", "-9,582.40", "did not converge", "A note",
        "It explains the past best", "There is no contract to learn from.", "Too few customers have ordered to fit a model of orders.",
        "unheard_of", "indicative", "Its amount", "0.400 ± 0.100",
    ):  # fmt: skip
        assert words in page, words


def test_a_run_under_way_shows_its_stage_and_can_be_stopped(xia: Client, world: World) -> None:
    job = actions.start_run(by=world.xia)
    assert "Waiting for a worker" in xia.get("/value/runs/", headers=HTMX).content.decode()
    job.claim()
    make_run(job=job, state=ValueRun.State.RUNNING, stage="fit", seconds={"aggregate": 3.0})
    context = xia.get("/value/runs/", headers=HTMX).context
    assert [state for _label, _took, state in context["stages"]] == ["done", "now", "", "", ""]
    xia.post("/value/runs/cancellation/")
    job.refresh_from_db()
    assert job.cancel_requested_at is not None


def test_when_the_run_has_ended_the_whole_page_comes_anew(xia: Client) -> None:
    assert xia.get("/value/runs/", headers=HTMX).headers["HX-Refresh"] == "true"
    run = make_run()
    assert xia.get(f"/value/runs/{run.pk}/", headers=HTMX).headers["HX-Refresh"] == "true"


def test_a_start_is_recorded_and_a_second_one_refused(world: World) -> None:
    job = actions.start_run(by=world.xia, as_of=date(2026, 1, 31))
    assert job.arguments == {"as_of": "2026-01-31", "extent": "full"}
    assert Event.objects.filter(noun="value_run", actor=world.xia).exists()
    with pytest.raises(actions.RunUnderWay):
        actions.start_run(by=world.ada)


# ── Track record ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_back_test_the_page_says_when_there_will_be_one(xia: Client) -> None:
    assert "No back-test yet" in xia.get("/value/track-record/").content.decode()


def test_the_page_names_the_measures_in_which_a_baseline_wins(xia: Client) -> None:
    make_back_test()
    answer = xia.get("/value/track-record/")
    assert answer.context["better"] == ["Mean error per customer"]
    page = answer.content.decode()
    for words in ("A baseline beats them in:", "Last year again", "$900", "$850", "-4.0%", "78.0%", "$96K", "$100K"):
        assert words in page, words


def test_the_page_says_plainly_when_the_baseline_is_used(xia: Client) -> None:
    make_back_test(verdict={"use": "last_year", "better": {"mae": "last_year"}}, best="last_year")
    page = xia.get("/value/track-record/").content.decode()
    assert "The baseline beats the model here: “Last year again” forecast better, so that is what the engine uses." in page


def test_one_of_several_back_tests_is_looked_at(xia: Client) -> None:
    run = make_run()
    old, new = (make_back_test(run=run, cut_off=date(year, 3, 31), until=date(year + 1, 3, 31)) for year in (2024, 2025))
    assert xia.get("/value/track-record/").context["shown"] == new
    context = xia.get(f"/value/track-record/?test={old.pk}").context
    assert context["shown"] == old
    assert len(context["over_time"].rows) == 2
    assert xia.get("/value/track-record/?test=%00").context["shown"] == new


# ── What if ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_scenario_needs_a_run_to_think_on_from(xia: Client) -> None:
    assert "Nothing to think on from yet" in xia.get("/value/what-if/").content.decode()
    assert xia.post("/value/what-if/", {"name": "x", "margin": "5"}).status_code == 422
    assert not Scenario.objects.exists()


def test_a_scenario_is_kept_with_its_changes_and_computed_by_a_worker(xia: Client, world: World) -> None:
    make_run()
    sent = {"name": "Keep more", "retention_1": "2", "retention_3": "", "margin": "", "serving_cost": "-10", "discount_rate": "12"}
    answer = xia.post("/value/what-if/", sent)
    scenario = Scenario.objects.get()
    assert answer.headers["Location"] == f"/value/what-if/{scenario.pk}/"
    assert scenario.changes == {"retention": {"1": 0.02}, "margin": 0.0, "serving_cost": -0.1, "discount_rate": 0.12}
    assert scenario.job is not None
    assert (scenario.by, scenario.job.kind, scenario.job.arguments) == (world.xia, "scenario", {"scenario": scenario.pk})
    page = xia.get(f"/value/what-if/{scenario.pk}/").content.decode()
    assert "Retention in Platinum +2 points" in page
    assert 'hx-trigger="every 2s"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("margin", ""), ("margin", "0"), ("retention_1", "101"), ("discount_rate", "x"), ("name", ""), ("serving_cost", "-101")],
)
def test_a_scenario_that_says_nothing_or_nonsense_is_refused(xia: Client, field: str, value: str) -> None:
    make_run()
    assert xia.post("/value/what-if/", {"name": "x", field: value}).status_code == 422
    assert not Scenario.objects.exists()


def test_a_result_shows_each_tier_with_intervals_and_what_came_since(xia: Client, world: World) -> None:
    run = make_run()
    result = {
        "now": {"equity": 150_000.0, "80": [120_000.0, 190_000.0], "95": [1.0, 2.0]},
        "then": {"equity": 165_000.0, "80": [130_000.0, 210_000.0], "95": [1.0, 2.0]},
        "tiers": {"1": {"now": 100_000.0, "then": 112_000.0}},
    }
    scenario = Scenario.objects.create(name="Keep more", run=run, by=world.xia, changes={"margin": 0.05}, result=result)
    page = xia.get(f"/value/what-if/{scenario.pk}/").content.decode()
    for words in ("Margin +5%", "$165,000", "$130K to $210K", "+$15,000", "+$12,000", "No later valuation yet"):
        assert words in page, words
    make_run(as_of=date(2026, 6, 30), equity=171_000.0)
    assert "customer equity is $171,000" in xia.get(f"/value/what-if/{scenario.pk}/").content.decode()


@pytest.mark.parametrize("path", ["runs/", "track-record/", "what-if/"])
def test_pages_cost_at_most_ten_queries(
    xia: Client, world: World, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for month in range(1, 9):
        run = make_run(as_of=date(2026, month, 1), requested_by=world.ada)
        make_back_test(run=run)
        Scenario.objects.create(name="x", run=run, by=world.ada, changes={})
    xia.get("/customers/")
    with django_assert_max_num_queries(10):
        xia.get(f"/value/{path}")
