"""Stored figures → charts, with the words around them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from segmentation.charts import Axes, Chart, Series, Table, chart
from segmentation.models import BackTest, Tier, ValueRun
from segmentation.queries import Month
from segmentation.wording import amount
from users.formats import format_day
from users.marks import money, number, percent


def value_over_time(months: Sequence[Month]) -> Chart | None:
    """Revenue and contribution margin, month by month."""
    first = next((index for index, one in enumerate(months) if one.revenue or one.margin), len(months))
    months = months[first:]
    if len(months) < 2:
        return None
    names = [_month(one.month) for one in months]
    return chart(
        _("Value over time"),
        [
            Series(_("Revenue"), [(index, float(one.revenue)) for index, one in enumerate(months)], kind="bars", look="s4"),
            Series(_("Contribution margin"), [(index, float(one.margin)) for index, one in enumerate(months)], look="s1"),
        ],
        Axes(write=amount, x_ticks=_ends(names)),
        Table(
            [_("Month"), _("Revenue"), _("Contribution margin"), _("Cost to serve"), _("Overdue money")],
            [
                [name, amount(one.revenue), amount(one.margin), amount(one.contact_cost + one.service_cost), amount(one.overdue_cost)]
                for name, one in zip(reversed(names), reversed(months), strict=True)
            ],
        ),
    )


def equity(runs: Sequence[ValueRun]) -> Chart | None:
    """Customer equity of each run, with its 80 % interval."""
    if len(runs) < 2:
        return None
    places = [float(run.as_of.toordinal()) for run in runs]
    intervals = [run.equity_interval.get("80") or [None, None] for run in runs]
    return chart(
        _("Customer equity"),
        [
            Series(
                _("Interval of 80 %"),
                [(x, high) for x, (_low, high) in zip(places, intervals, strict=True)],
                kind="band",
                low=[(x, low) for x, (low, _high) in zip(places, intervals, strict=True)],
            ),
            Series(_("Customer equity"), [(x, run.equity) for x, run in zip(places, runs, strict=True)]),
        ],
        Axes(write=amount, x_ticks=[format_day(runs[0].as_of), format_day(runs[-1].as_of)]),
        Table(
            [_("As of"), _("Customer equity"), _("Interval of 80 %"), _("Customers")],
            [
                [format_day(run.as_of), money(run.equity, whole=True), interval(run.equity_interval.get("80")), number(run.customers)]
                for run in reversed(runs)
            ],
        ),
    )


def lorenz(concentration: dict[str, Any]) -> Chart | None:
    """How much of the value the smallest and the greatest customers bring."""
    points = _points(concentration.get("lorenz"))
    if len(points) < 2:
        return None
    return chart(
        _("Lorenz curve"),
        [
            Series(_("Customers, the least valuable first"), points),
            Series(_("If all were worth the same"), [(0.0, 0.0), (1.0, 1.0)], look="s4"),
        ],
        _of_shares(y_range=(0.0, 1.0)),
        _share_table(_("Share of value"), points),
        text=_("Gini %(gini)s") % {"gini": number(concentration["gini"], 2)} if concentration.get("gini") is not None else "",
    )


def whale(concentration: dict[str, Any]) -> Chart | None:
    """Profit added up from the most profitable customer on: it peaks above 100 % where some cost money."""
    points = _points(concentration.get("whale"))
    if len(points) < 2:
        return None
    peak = concentration.get("whale_peak")
    return chart(
        _("Whale curve"),
        [
            Series(_("Profit, the most profitable customers first"), points),
            Series(_("All profit"), [(0.0, 1.0), (1.0, 1.0)], look="s4"),
        ],
        _of_shares(),
        _share_table(_("Share of profit"), points),
        text=_("Its peak is %(peak)s of all profit") % {"peak": percent(peak)} if peak is not None else "",
    )


def calibration(test: BackTest) -> Chart | None:
    """What was forecast beside what came, by tenths of the customers."""
    groups = sorted(test.calibration, key=lambda one: one["group"])
    if not groups:
        return None
    return chart(
        _("Forecast and outcome by tenths of the customers"),
        [
            Series(_("What came, per customer"), [(one["group"], one["actual"]) for one in groups], kind="bars", look="s4"),
            Series(_("Forecast, per customer"), [(one["group"], one["predicted"]) for one in groups], kind="dots"),
        ],
        Axes(write=amount, x_ticks=[_("least"), _("most")]),
        Table(
            [_("Tenth"), _("Customers"), _("Forecast, per customer"), _("What came, per customer")],
            [[str(one["group"]), number(one["customers"]), amount(one["predicted"]), amount(one["actual"])] for one in groups],
        ),
    )


def track(tests: Sequence[BackTest]) -> Chart | None:
    """Forecast and real totals of the back-tests, the oldest first."""
    if len(tests) < 2:
        return None
    return chart(
        _("Forecast and outcome over time"),
        [
            Series(_("What came"), [(index, one.actual) for index, one in enumerate(tests)], kind="bars", look="s4"),
            Series(_("Forecast"), [(index, one.predicted) for index, one in enumerate(tests)], kind="dots"),
        ],
        Axes(write=amount, x_ticks=[format_day(tests[0].cut_off), format_day(tests[-1].cut_off)]),
        Table(
            [_("Cut-off"), _("Until"), _("Forecast"), _("What came")],
            [[format_day(one.cut_off), format_day(one.until), amount(one.predicted), amount(one.actual)] for one in reversed(tests)],
        ),
    )


def transitions(kept: dict[str, Any] | None) -> dict[str, Any] | None:
    """The chances of the tiers a year later as a table; None where no run lies far enough back. Nobody moves to "new"."""
    if not kept:
        return None
    names = {**{str(tier.value): str(tier.label) for tier in Tier}, "new": _("New"), "lost": _("Lost")}
    labels = [names.get(state, state) for state in kept["states"]]
    shown = [place for place, state in enumerate(kept["states"]) if state != "new"]
    rows = [
        {
            "label": label,
            "cells": [{"label": labels[at], "chance": chances[at], "count": counts[at]} for at in shown],
        }
        for label, state, chances, counts in zip(labels, kept["states"], kept["probabilities"], kept["counts"], strict=True)
        if state != "lost"
    ]
    return {"since": date.fromisoformat(kept["since"]), "headings": [labels[at] for at in shown], "rows": rows}


def interval(bounds: Any) -> str:
    """[low, high] → $1.2K to $3.4K."""
    if not bounds:
        return ""
    return _("%(low)s to %(high)s") % {"low": amount(bounds[0]), "high": amount(bounds[1])}


def _points(pairs: Any) -> list[tuple[float, float | None]]:
    return [(float(x), float(y)) for x, y in pairs or []]


def _of_shares(y_range: tuple[float, float] | None = None) -> Axes:
    return Axes(write=lambda share: percent(share), x_ticks=[percent(0), percent(0.5), percent(1)], y_range=y_range, x_range=(0.0, 1.0))


def _share_table(head: str, points: Sequence[tuple[float, float | None]]) -> Table:
    """Ten of the points: the curve itself may have hundreds."""
    step = max(1, len(points) // 10)
    shown = [*points[:-1:step], points[-1]]
    return Table([_("Share of customers"), head], [[percent(x, 1), percent(y, 1)] for x, y in shown])


def _month(day: date) -> str:
    return date_format(day, "YEAR_MONTH_FORMAT")


def _ends(names: list[str]) -> list[str]:
    return [names[0], names[len(names) // 2], names[-1]] if len(names) > 4 else [names[0], names[-1]]
