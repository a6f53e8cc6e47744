"""bin/manage clv_fit: what it answers to a good file, and how it refuses a wrong one."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.segmentation.maths.populations import SHARED, company, shared

LOG = {"id_column": "customer", "date_column": "date", "amount_column": "amount"}
GOOD = ["a,2024-01-01,10", "a,20240201,20", "b,2024-01-05T10:30:00,5", "b,2024/02/07,7", "c,2024-03-01,9", "a,2024-03-01,4"]


def answer(path: Path, **options: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("clv_fit", path, json=True, stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def log(folder: Path, *lines: str, header: str = "customer,date,amount") -> Path:
    path = folder / "orders.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def refusal(path: Path, **options: Any) -> str:
    errors = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("clv_fit", path, stdout=StringIO(), stderr=errors, **(LOG | options))
    assert stopped.value.code == 2
    return errors.getvalue()


def targets() -> list[dict[str, Any]]:
    path = SHARED / "clv_targets.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["clv_fit"] if path.exists() else []
    return found


@pytest.mark.parametrize("target", targets(), ids=lambda target: Path(target["file"]).stem)
def test_the_published_data_give_the_published_fits(target: dict[str, Any]) -> None:
    words = target["arguments"].split()
    out = StringIO()
    call_command("clv_fit", str(shared(target["file"])), *words, "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["customers"], found["repeat_transactions"]) == (target["customers"], target["repeat_transactions"])
    for name, wanted in target["models"].items():
        fit = found["models"][name]
        assert fit["converged"] is True
        assert fit["log_likelihood"] == pytest.approx(wanted["log_likelihood"], abs=0.01)
        assert fit["params"] == pytest.approx(wanted["params"], rel=2e-3)
        assert fit.get("customers") == wanted.get("customers", target["customers"])


def test_each_customer_gets_a_row(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    found = answer(log(tmp_path, *GOOD), **LOG, per_customer=out, horizon=26, models="mbgnbd,gamma_gamma", prior="auto")
    rows = list(csv.DictReader(out.open()))
    assert list(rows[0]) == ["id", "frequency", "recency", "T", "monetary_value", "p_alive", "expected_purchases", "expected_spend", "clv"]
    assert [(row["id"], row["frequency"]) for row in rows] == [("a", "2"), ("b", "1"), ("c", "0")]
    assert float(rows[0]["recency"]) == pytest.approx(60 / 7)
    assert float(rows[0]["monetary_value"]) == pytest.approx(12)
    assert all(0 < float(row["clv"]) < float(row["expected_purchases"]) * float(row["expected_spend"]) for row in rows)
    assert (found["observation_end"], found["models"]["mbgnbd"]["indicative"]) == ("2024-03-01", True)


def test_a_higher_discount_rate_makes_customers_worth_less(tmp_path: Path) -> None:
    worth = []
    for rate in (0.0, 0.5):
        out = tmp_path / f"{rate}.csv"
        answer(log(tmp_path, *GOOD), **LOG, per_customer=out, horizon=52, discount_rate=rate, prior="auto", models="mbgnbd,gamma_gamma")
        worth.append(sum(float(row["clv"]) for row in csv.DictReader(out.open())))
    assert 0.75 * worth[0] < worth[1] < 0.9 * worth[0]  # half a year away on average, at 50 % a year


def test_a_log_without_amounts_gets_the_models_of_orders_alone(tmp_path: Path) -> None:
    path = log(tmp_path, *GOOD)
    found = answer(path, id_column="customer", date_column="date", per_customer=tmp_path / "out.csv")
    assert set(found["models"]) == {"bgnbd", "mbgnbd", "pareto_nbd"}
    assert {row["clv"] for row in csv.DictReader((tmp_path / "out.csv").open())} == {""}


def test_a_summary_is_read_in_its_own_unit(tmp_path: Path) -> None:
    customers = company(300)
    lines = [f"{x:.0f},{t},{age}" for x, t, age in zip(customers.frequency, customers.recency, customers.age, strict=True)]
    found = answer(log(tmp_path, *lines, header="frequency,recency,T"), summary=True, time_unit="M", models="mbgnbd")
    assert (found["customers"], found["repeat_transactions"]) == (300, customers.repeats)
    assert found["models"]["mbgnbd"]["status"] == "converged"


def test_returns_net_with_their_day_and_others_are_left_out_on_request(tmp_path: Path) -> None:
    same_day = answer(log(tmp_path, *GOOD, "a,2024-02-01,-5"), **LOG)
    assert same_day["left_out"]["return_days"] == 0
    later = answer(log(tmp_path, *GOOD, "a,2024-02-20,-5"), **LOG, allow_returns=True)
    assert later["left_out"]["return_days"] == 1
    assert later["repeat_transactions"] == same_day["repeat_transactions"]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("a,yesterday,1", "Row 8: date 'yesterday' is not a day"),
        ("a,2024-02-30,1", "Row 8: date '2024-02-30' is not a day"),
        ("a,2024-02-20,-1", "Row 8: negative amount -1"),
        ("a,2024-02-20,ten", "Row 8: amount 'ten' is not a number"),
        ("a,2024-02-20,nan", "Row 8: amount 'nan' is not a number"),
        (",2024-02-20,1", "Row 8: customer is empty"),
        ("a,2024-02-20", "Row 8: has only 2 cells"),
    ],
)
def test_a_wrong_line_is_refused_by_its_row(tmp_path: Path, line: str, named: str) -> None:
    assert named in refusal(log(tmp_path, *GOOD, line))


def test_a_day_to_come_is_refused(tmp_path: Path) -> None:
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert "Row 8" in refusal(log(tmp_path, *GOOD, f"a,{tomorrow},1"))
    assert "future" in refusal(log(tmp_path, *GOOD), observation_end=tomorrow)


def test_files_that_no_model_can_use_are_refused(tmp_path: Path) -> None:
    assert "at least two" in refusal(log(tmp_path, "a,2024-01-01,1", "a,2024-02-01,1"))
    assert "No customer has a repeat" in refusal(log(tmp_path, "a,2024-01-01,1", "b,2024-02-01,1"))
    assert "no rows" in refusal(log(tmp_path))
    assert "There is no file" in refusal(tmp_path / "none.csv")
    assert "Row 1: there is no column amount" in refusal(log(tmp_path, "a,2024-01-01", header="customer,date"))
    assert "Unknown model" in refusal(log(tmp_path, *GOOD), models="bgnbd,oracle")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("1.5,2,3,4", "Row 3: needs a whole frequency"),
        ("1,4,3,4", "Row 3: needs"),
        ("1,2,3,-4", "Row 3: monetary_value is negative"),
        ("1,2,x,4", "Row 3: T 'x'"),
    ],
)
def test_a_wrong_row_of_a_summary_is_refused(tmp_path: Path, line: str, named: str) -> None:
    assert named in refusal(log(tmp_path, "1,2,3,4", line, header="frequency,recency,T,monetary_value"), summary=True, id_column=None)


def test_a_refusal_as_json_is_json(tmp_path: Path) -> None:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("clv_fit", log(tmp_path, "a,never,1"), json=True, stdout=out, stderr=StringIO(), **LOG)
    assert "Row 2" in json.loads(out.getvalue())["errors"]["file"][0]


def test_people_get_a_table_without_json(tmp_path: Path) -> None:
    out = StringIO()
    call_command("clv_fit", log(tmp_path, *GOOD), stdout=out, **LOG, prior="auto")
    assert "3 customers, 3 repeat transactions" in out.getvalue()
    assert "log-likelihood" in out.getvalue()
