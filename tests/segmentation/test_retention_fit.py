"""bin/manage retention_fit: the published figures from a file, and errors that name the row."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

FIRST_FOUR = "period,survivors\n0,1000\n1,869\n2,743\n3,653\n4,593\n"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str, encoding: str = "utf-8") -> str:
        path = tmp_path / "cohort.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return written


def answer(path: str, *options: str) -> Any:
    out = StringIO()
    call_command("retention_fit", path, "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def refusal(path: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("retention_fit", path, "--json", stdout=out)
    assert stopped.value.code == 2
    return str(json.loads(out.getvalue())["errors"]["file"][0])


def test_both_models_come_with_parameters_likelihood_and_projection(write: Any) -> None:
    found = answer(write(FIRST_FOUR), "--models", "sbg,bdw")
    assert (found["customers"], found["periods"]) == (1000, 4)
    sbg, bdw = found["models"]["sbg"], found["models"]["bdw"]
    assert sbg["params"] == pytest.approx({"alpha": 1.28098, "beta": 7.79038}, rel=2e-3)
    assert bdw["params"] == pytest.approx({"alpha": 0.25934, "beta": 1.72255, "c": 1.58436}, rel=2e-3)
    assert (sbg["log_likelihood"], bdw["log_likelihood"]) == (pytest.approx(-1225.1349, abs=0.01), pytest.approx(-1222.7493, abs=0.01))
    assert (sbg["converged"], bdw["converged"]) == (True, True)
    assert (100 * sbg["survival"][12], 100 * bdw["survival"][12]) == (pytest.approx(30.701, abs=0.01), pytest.approx(38.891, abs=0.01))
    assert (found["chosen"], found["models"]["sbg"]["method"]) == ("bdw", "ml")


def test_the_horizon_says_how_far_survival_is_projected(write: Any) -> None:
    found = answer(write(FIRST_FOUR), "--models", "sbg", "--horizon", "3")
    assert list(found["models"]) == ["sbg"]
    assert len(found["models"]["sbg"]["survival"]) == 4
    assert "chosen" not in found


def test_rows_may_come_in_any_order_with_other_columns_and_a_mark_of_encoding(write: Any) -> None:
    shuffled = "note,Survivors, Period\nx,743,2\n,1000,0\n\n,653,3\ny,869,1\n,593,4\n"
    path = write(shuffled, encoding="utf-8-sig")
    assert answer(path)["models"]["sbg"]["params"] == answer(write(FIRST_FOUR))["models"]["sbg"]["params"]


def test_a_person_reads_the_same(write: Any) -> None:
    out = StringIO()
    call_command("retention_fit", write(FIRST_FOUR), stdout=out)
    assert "1000 contracts, 4 renewals" in out.getvalue()
    assert "38.891 %" in out.getvalue()
    assert "use bdw" in out.getvalue()


def test_a_small_cohort_can_be_fitted_as_the_engine_does(write: Any) -> None:
    found = answer(write("period,survivors\n0,60\n1,51\n2,47\n"), "--method", "auto", "--models", "sbg")["models"]["sbg"]
    assert (found["method"], found["is_indicative"]) == ("pooled", True)


def test_a_cohort_that_lost_nobody_is_answered_and_named(write: Any) -> None:
    found = answer(write("period,survivors\n0,400\n1,400\n2,400\n"))
    assert [model["status"] for model in found["models"].values()] == ["nobody_lost", "nobody_lost"]
    assert found["chosen"] == "sbg"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "row 1: there is no column period and no column survivors"),
        ("period,left\n0,10\n", "row 1: there is no column survivors"),
        ("period,survivors\n", "no rows"),
        ("period,survivors\n0,1000\none,900\n", "row 3: period 'one' is not a whole number"),
        ("period,survivors\n0,1000\n1,many\n", "row 3: survivors 'many' is not a number"),
        ("period,survivors\n0,1000\n1,nan\n", "row 3: survivors 'nan' is not a number"),
        ("period,survivors\n0,1000\n1,-4\n", "row 3: survivors -4 is negative"),
        ("period,survivors\n0,1000\n-1,4\n", "row 3: period -1"),
        ("period,survivors\n0,1000\n1\n", "row 3: it has 1 columns"),
        ("period,survivors\n0,1000\n1,900\n\n1,800\n", "row 5: period 1 is in row 3 already"),
        ("period,survivors\n0,1000\n1,900\n3,800\n", "row 4: period 2 is missing"),
        ("period,survivors\n1,1000\n2,900\n", "row 2: period 0 is missing"),
        ("period,survivors\n0,1000\n1,900\n2,950\n", "row 4: 950 survivors are more than the 900"),
        ("period,survivors\n0,1\n1,0\n", "row 2: a cohort of 1"),
        ("period,survivors\n0,0\n1,0\n", "row 2: a cohort of 0"),
        ("period,survivors\n0,1000\n", "row 2: period 0 alone"),
    ],
)
def test_a_wrong_file_is_refused_with_its_row(write: Any, text: str, said: str) -> None:
    assert said in refusal(write(text))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_bytes(b"\xff\xfe\x00period")
    assert "UTF-8" in refusal(str(path))
    assert "no file" in refusal(str(tmp_path / "none.csv"))


def test_without_json_the_error_goes_to_stderr(write: Any) -> None:
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("retention_fit", write("period\n0\n"), stderr=err)
    assert "row 1: there is no column survivors" in err.getvalue()


@pytest.mark.parametrize(
    "options", [["--models", "bgnbd"], ["--models", ","], ["--horizon", "0"], ["--horizon", "x"], ["--method", "guess"]]
)
def test_wrong_options_are_refused(write: Any, options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("retention_fit", write(FIRST_FOUR), *options)
