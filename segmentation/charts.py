"""Series → SVG, made on the server: no script, and no inline style, which the content security policy forbids.

The drawing stretches with the page (`preserveAspectRatio="none"`, strokes keep their width), so whatever is text stands
around it as HTML: the fragment `segmentation/_chart.html` prints drawing, axes, legend and, folded, the figures as a table.
Series differ by the form of their line as well as by colour (static/css/chart.css).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 1000.0, 400.0
GRID_LINES = 4
SMALLEST_SPREAD = 1e-9  # figures that lie closer together are all alike

Point = tuple[float, float | None]


@dataclass(frozen=True)
class Series:
    """One row of figures. `look` is its class: s1, s2 … of chart.css; a band is drawn between `points` and `low`."""

    label: str
    points: Sequence[Point]
    kind: str = "line"  # line, bars, dots, band
    look: str = "s1"
    low: Sequence[Point] = ()


@dataclass(frozen=True)
class Chart:
    """What the fragment prints."""

    title: str
    drawing: SafeString
    y_ticks: list[str]  # from the top down
    x_ticks: list[str]  # from the left
    legend: list[tuple[str, str, str]]  # (look, kind, label)
    heads: list[str]
    rows: list[list[str]]
    text: str = ""  # what the drawing shows, for those who do not see it


@dataclass(frozen=True)
class Table:
    """The figures behind a chart."""

    heads: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Axes:
    """How the plane is cut: the least and greatest figure of each side, and how the left one's figures are written."""

    write: Callable[[float], str]
    x_ticks: list[str] = field(default_factory=list)
    y_range: tuple[float, float] | None = None
    x_range: tuple[float, float] | None = None


def chart(title: str, series: Sequence[Series], axes: Axes, table: Table, *, text: str = "") -> Chart | None:
    """The chart of the series, or None where there is nothing to draw."""
    drawn = [one for one in series if any(y is not None for _x, y in one.points)]
    if not drawn:
        return None
    x_low, x_high = axes.x_range or _range([x for one in drawn for x, _y in one.points])
    if any(one.kind == "bars" for one in drawn):
        x_low, x_high = x_low - 0.5, x_high + 0.5  # room for the outer bars' halves
    ticks = _nice(*(axes.y_range or _range([y for one in drawn for _x, y in (*one.points, *one.low) if y is not None], with_zero=True)))
    plane = _Plane(x_low, x_high, ticks[0], ticks[-1])
    shapes = [_grid(ticks, plane), *(DRAW[one.kind](one, plane) for one in drawn)]
    drawing = format_html(
        '<svg class="chart-drawing" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}" focusable="false">{}</svg>',
        f"{WIDTH:g}",
        f"{HEIGHT:g}",
        f"{title}. {text}" if text else title,
        mark_safe("".join(shapes)),  # noqa: S308 (numbers and our own class names)
    )
    legend = [(one.look, one.kind, one.label) for one in drawn]
    return Chart(title, drawing, [axes.write(tick) for tick in reversed(ticks)], axes.x_ticks, legend, table.heads, table.rows, text)


@dataclass(frozen=True)
class _Plane:
    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return WIDTH * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        return HEIGHT * (1 - (value - self.y_low) / (self.y_high - self.y_low))

    def at(self, point: Point) -> str:
        x, y = point
        return f"{self.x(x):.1f},{self.y(y or 0.0):.1f}"


def _line(one: Series, plane: _Plane) -> str:
    """Where a figure is missing the line breaks off."""
    pieces: list[list[Point]] = [[]]
    for point in one.points:
        if point[1] is None:
            pieces.append([])
        else:
            pieces[-1].append(point)
    path = "".join(f"M{' L'.join(plane.at(point) for point in piece)}" for piece in pieces if piece)
    lone = "".join(f"M{plane.at(piece[0])}h0" for piece in pieces if len(piece) == 1)
    return f'<path class="line {one.look}" d="{path}"/>' + (f'<path class="dots {one.look}" d="{lone}"/>' if lone else "")


def _dots(one: Series, plane: _Plane) -> str:
    """Strokes of no length with round ends: circles that stay round however the drawing is stretched."""
    path = "".join(f"M{plane.at(point)}h0" for point in one.points if point[1] is not None)
    return f'<path class="dots {one.look}" d="{path}"/>'


def _bars(one: Series, plane: _Plane) -> str:
    half, zero = 0.36, plane.y(min(max(0.0, plane.y_low), plane.y_high))
    path = "".join(
        f"M{plane.x(x - half):.1f},{zero:.1f}V{plane.y(y):.1f}H{plane.x(x + half):.1f}V{zero:.1f}Z" for x, y in one.points if y is not None
    )
    return f'<path class="bars {one.look}" d="{path}"/>'


def _band(one: Series, plane: _Plane) -> str:
    high = [plane.at(point) for point in one.points if point[1] is not None]
    low = [plane.at(point) for point in reversed(one.low) if point[1] is not None]
    return f'<path class="band {one.look}" d="M{" L".join([*high, *low])}Z"/>'


DRAW: dict[str, Callable[[Series, _Plane], str]] = {"line": _line, "dots": _dots, "bars": _bars, "band": _band}


def _grid(ticks: list[float], plane: _Plane) -> str:
    lines = "".join(f"M0,{plane.y(tick):.1f}H{WIDTH:g}" for tick in ticks)
    zero = f'<path class="zero" d="M0,{plane.y(0.0):.1f}H{WIDTH:g}"/>' if ticks[0] < 0 < ticks[-1] else ""
    return f'<path class="grid" d="{lines}"/>{zero}'


def _range(values: Sequence[float], *, with_zero: bool = False) -> tuple[float, float]:
    low, high = min(values), max(values)
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low > SMALLEST_SPREAD:
        return low, high
    return (low, low + 1.0) if with_zero else (low - 0.5, low + 0.5)


def _nice(low: float, high: float) -> list[float]:
    """Round figures from at or below `low` to at or above `high`, some four steps."""
    rough = (high - low) / GRID_LINES
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * size >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def interval_bar(point: Any, inner: tuple[Any, Any], outer: tuple[Any, Any], *, label: str) -> SafeString:
    """A point with its 80 % (thick) and 95 % (thin) intervals on one line, for where the text beside it says the figures."""
    low, high = min(float(outer[0]), 0.0), max(float(outer[1]), float(point), 1.0)
    plane = _Plane(low, high, 0.0, 1.0)
    thin, thick = (f"M{plane.x(float(a)):.1f},0.5H{plane.x(float(b)):.1f}" for a, b in (outer, inner))
    return format_html(
        '<svg class="interval" viewBox="0 0 {} 1" preserveAspectRatio="none" role="img" aria-label="{}" focusable="false">'
        '<path class="grid" d="M0,0.5H{}"/><path class="thin" d="{}"/><path class="thick" d="{}"/>'
        '<path class="point" d="M{},0.5h0"/></svg>',
        f"{WIDTH:g}",
        label,
        f"{WIDTH:g}",
        thin,
        thick,
        f"{plane.x(float(point)):.1f}",
    )
