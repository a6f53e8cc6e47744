"""Series as SVG: what is drawn, and nothing that the content security policy forbids."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from segmentation.charts import Axes, Chart, Series, Table, chart, interval_bar

FIGURES = Table(["x", "y"], [["1", "2"]])


def drawn(*series: Series, **axes: Any) -> Chart:
    found = chart("Title", series, Axes(write=str, **axes), FIGURES)
    assert found is not None
    return found


def test_nothing_to_draw_is_no_chart() -> None:
    assert chart("Title", [Series("a", [(0.0, None)])], Axes(write=str), FIGURES) is None


def test_a_line_goes_through_its_points() -> None:
    line = drawn(Series("a", [(0.0, 0.0), (1.0, 4.0), (2.0, 2.0)])).drawing
    assert 'd="M0.0,400.0 L500.0,0.0 L1000.0,200.0"' in line


def test_a_gap_breaks_the_line_off() -> None:
    line = drawn(Series("a", [(0.0, 1.0), (1.0, 1.0), (2.0, None), (3.0, 4.0)])).drawing
    assert line.count("M0.0,300.0 L333.3,300.0") == 1
    assert "M1000.0,0.0h0" in line


def test_bars_below_zero_hang_from_the_zero_line() -> None:
    found = drawn(Series("a", [(0.0, -2.0), (1.0, 2.0)], kind="bars"))
    assert found.y_ticks == ["2.0", "1.0", "0.0", "-1.0", "-2.0"]
    assert 'class="zero"' in found.drawing


def test_ticks_are_round_figures() -> None:
    assert drawn(Series("a", [(0.0, 13.0), (1.0, 87.0)])).y_ticks == ["100.0", "75.0", "50.0", "25.0", "0.0"]


def test_what_people_wrote_is_escaped() -> None:
    found = chart('<b a="', [Series("<i>", [(0.0, 1.0)])], Axes(write=str), FIGURES)
    assert found is not None
    assert "<b" not in found.drawing
    assert "style=" not in found.drawing


@example([(0.0, 5e-324)], "line")
@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6), st.one_of(st.none(), st.floats(-1e15, 1e15))), min_size=1, max_size=40
    ),
    st.sampled_from(["line", "bars", "dots"]),
)  # fmt: skip
def test_whatever_the_figures_all_coordinates_are_numbers(points: list[tuple[float, float | None]], kind: str) -> None:
    found = chart("Title", [Series("a", points, kind=kind)], Axes(write=str), FIGURES)
    if found is not None:
        assert not re.search(r"nan|inf", found.drawing.lower().replace("svg", ""))
        assert 2 <= len(found.y_ticks) <= 8


@pytest.mark.parametrize(("point", "inner", "outer"), [(50, (40, 70), (20, 100)), (0, (0, 0), (0, 0)), (-5, (-9, -1), (-20, 3))])
def test_an_interval_lies_within_its_bar(point: float, inner: tuple[float, float], outer: tuple[float, float]) -> None:
    places = [float(place) for place in re.findall(r"[MH](-?[\d.]+)", interval_bar(point, inner, outer, label="Interval"))]
    assert all(0 <= place <= 1000 for place in places)
