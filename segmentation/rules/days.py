"""Days that move with the calendar: 'the last 90 days', 'this quarter', '2 years ago'."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext


class Unit(models.TextChoices):
    DAYS = "days", _("days")
    WEEKS = "weeks", _("weeks")
    MONTHS = "months", _("months")
    YEARS = "years", _("years")


MOST = {Unit.DAYS: 36_500, Unit.WEEKS: 5_200, Unit.MONTHS: 1_200, Unit.YEARS: 100}  # a century: no date runs out of the calendar


class Period(models.TextChoices):
    """A stretch of the calendar around today; weeks begin on Monday."""

    TODAY = "today", _("today")
    THIS_WEEK = "this_week", _("this week")
    LAST_WEEK = "last_week", _("last week")
    NEXT_WEEK = "next_week", _("next week")
    THIS_MONTH = "this_month", _("this month")
    LAST_MONTH = "last_month", _("last month")
    NEXT_MONTH = "next_month", _("next month")
    THIS_QUARTER = "this_quarter", _("this quarter")
    LAST_QUARTER = "last_quarter", _("last quarter")
    NEXT_QUARTER = "next_quarter", _("next quarter")
    THIS_YEAR = "this_year", _("this year")
    LAST_YEAR = "last_year", _("last year")
    NEXT_YEAR = "next_year", _("next year")

    def around(self, today: date) -> tuple[date, date]:
        """Its first and last day."""
        if self is Period.TODAY:
            return today, today
        which, length = self.value.split("_")
        step = {"last": -1, "this": 0, "next": 1}[which]
        if length == "week":
            monday = today - timedelta(days=today.weekday()) + timedelta(weeks=step)
            return monday, monday + timedelta(days=6)
        months = {"month": 1, "quarter": 3, "year": 12}[length]
        began = date(today.year, (today.month - 1) // months * months + 1, 1)
        first = moved_by_months(began, step * months)
        return first, moved_by_months(first, months) - timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A length of time: 90 days, 2 years."""

    n: int
    unit: Unit

    def before(self, day: date) -> date:
        return self._moved(day, -self.n)

    def after(self, day: date) -> date:
        return self._moved(day, self.n)

    def _moved(self, day: date, n: int) -> date:
        if self.unit is Unit.DAYS:
            return day + timedelta(days=n)
        if self.unit is Unit.WEEKS:
            return day + timedelta(weeks=n)
        return moved_by_months(day, n * (12 if self.unit is Unit.YEARS else 1))

    def __str__(self) -> str:
        if self.unit is Unit.DAYS:
            words = ngettext("%(n)s day", "%(n)s days", self.n)
        elif self.unit is Unit.WEEKS:
            words = ngettext("%(n)s week", "%(n)s weeks", self.n)
        elif self.unit is Unit.MONTHS:
            words = ngettext("%(n)s month", "%(n)s months", self.n)
        else:
            words = ngettext("%(n)s year", "%(n)s years", self.n)
        return words % {"n": self.n}


def moved_by_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
