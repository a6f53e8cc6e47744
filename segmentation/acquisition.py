"""What it cost to win a customer, and how long the customer took to bring it back (DOMAIN §5)."""
# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from segmentation.facts import COST_OF_CONTACT, IS_STANDING, MINUTE_RATE, Customers, end_of_day, in_base, limited, parameters
from segmentation.models import RuleVersion

LOOK_BACK_MONTHS = 24  # visits and wins of this time are set against each other
LEAST_WINS = 10  # below it a source's own figure is chance, and the company's is taken
EVERYBODY = None  # the key of the whole company's effort


@dataclass(frozen=True)
class Effort:
    """Sales visits of the last 24 months to customers not won by then, lost efforts included, against the customers won."""

    visits: int
    wins: int
    visit_cost: Decimal

    @property
    def cost_per_win(self) -> Decimal | None:
        """Sales visits per win × cost per visit; None where there were no visits or no wins to tell it from."""
        return (self.visit_cost / self.wins).quantize(Decimal("0.01")) if self.visits and self.wins else None


Efforts = dict[str | None, Effort]


class Payback(NamedTuple):
    """One customer's way back to zero, in the base currency."""

    customer_id: int
    cost: Decimal | None  # None: nobody knows
    is_estimate: bool  # by the effort per win, for want of a cost of its own
    first_month: date | None  # of revenue; margins count from here on, since what came before was part of winning
    months: int | None  # calendar months until the margins reached the cost, the first month counting as 1; None: not yet
    earned: Decimal  # margin so far


class SourcePayback(NamedTuple):
    """How the customers won through one acquisition source paid back; those without any revenue are counted, and no more."""

    source: str
    customers: int
    won: int
    cost: Decimal  # of the won ones whose cost is known or estimated
    earned: Decimal  # margin so far of the same
    paid_back: int
    median_months: float | None  # of those that paid back


def sales_efforts(*, as_of: date, rules: RuleVersion) -> Efforts:
    """The effort per acquisition source ("" is: unknown), and of everybody. Reads all visits: once per run."""
    with connection.cursor() as cursor:
        cursor.execute(_EFFORTS, parameters(as_of, rules) | {"months": LOOK_BACK_MONTHS})
        return {source: Effort(visits, wins, cost) for source, visits, wins, cost in cursor.fetchall()}


def payback(customers: Customers, *, as_of: date, rules: RuleVersion, efforts: Efforts) -> list[Payback]:
    """Cost and payback of some customers, by id; each kept one has a row. Reads the monthly values as they stand."""
    limit, values = limited(customers)
    with connection.cursor() as cursor:
        cursor.execute(f"{_payback(limit)} ORDER BY customer_id", values | _values(as_of, rules, efforts))
        return [Payback(*row[1:]) for row in cursor.fetchall()]


def payback_by_source(*, as_of: date, rules: RuleVersion, efforts: Efforts) -> list[SourcePayback]:
    """The same by acquisition source, over all kept customers; the source that won the most first."""
    every = _payback("true", course_of="cost IS NOT NULL")  # the others are only counted
    statement = f"""
        SELECT source, count(*), count(first_month), coalesce(sum(cost) FILTER (WHERE is_counted), 0),
            coalesce(sum(earned) FILTER (WHERE is_counted), 0), count(months), percentile_cont(0.5) WITHIN GROUP (ORDER BY months)
        FROM (SELECT *, cost IS NOT NULL AND first_month IS NOT NULL AS is_counted FROM ({every}) AS each) AS customer
        GROUP BY source ORDER BY count(first_month) DESC, source
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(as_of, rules, efforts))
        return [SourcePayback(*row) for row in cursor.fetchall()]


def _values(as_of: date, rules: RuleVersion, efforts: Efforts) -> dict[str, Any]:
    """Parameters, with what a win usually costs: by source where it has wins enough, else the company's figure."""
    own = {source: effort.cost_per_win for source, effort in efforts.items() if source is not EVERYBODY and effort.wins >= LEAST_WINS}
    everybody = efforts.get(EVERYBODY)
    return parameters(as_of, rules) | {
        "sources": list(own),
        "usual_costs": list(own.values()),
        "usual_cost": everybody.cost_per_win if everybody else None,
    }


def _months(month: str, *, since: str) -> str:
    """SQL of the number of calendar months from one month to another, both counted."""
    between = f"age(({month})::timestamp, ({since})::timestamp)"
    return f"(12 * date_part('year', {between}) + date_part('month', {between}) + 1)::integer"


def _payback(limit: str, *, course_of: str = "true") -> str:
    """SQL of (source, *Payback); `limit` as `facts.limited` gives it, `course_of` a condition on whom to count the margins of."""
    return f"""
        WITH costing AS (
            SELECT customer.customer_id, customer.acquisition_source AS source, customer.acquisition_cost IS NULL AS is_estimate,
                coalesce(
                    round(customer.acquisition_cost * {in_base("customer.currency", "coalesce(customer.acquired_on, %(as_of)s)")}, 2),
                    CASE WHEN customer.acquisition_cost IS NULL THEN coalesce(usual.cost, %(usual_cost)s::numeric) END
                ) AS cost
            FROM (SELECT id AS customer_id, * FROM customers_customer WHERE deleted_at IS NULL) AS customer
            LEFT JOIN unnest(%(sources)s::text[], %(usual_costs)s::numeric[]) AS usual (source, cost)
                ON usual.source = customer.acquisition_source
            WHERE {limit.format(rows="customer")}
        ), begun AS (
            SELECT customer_id, min(month) AS first_month
            FROM segmentation_monthlyvalue stored WHERE revenue > 0 AND {limit.format(rows="stored")} GROUP BY customer_id
        ), course AS (
            SELECT customer_id, month, margin, sum(margin) OVER (PARTITION BY customer_id ORDER BY month) AS earned
            FROM segmentation_monthlyvalue stored JOIN begun USING (customer_id) JOIN costing USING (customer_id)
            WHERE month >= first_month AND {limit.format(rows="stored")} AND {course_of}
        )
        SELECT any_value(costing.source) AS source, customer_id, any_value(costing.cost) AS cost,
            any_value(costing.is_estimate AND costing.cost IS NOT NULL) AS is_estimate, any_value(begun.first_month) AS first_month,
            {_months("min(course.month) FILTER (WHERE course.earned >= costing.cost)", since="any_value(begun.first_month)")} AS months,
            coalesce(sum(course.margin), 0) AS earned
        FROM costing LEFT JOIN begun USING (customer_id) LEFT JOIN course USING (customer_id)
        GROUP BY customer_id
    """


# A visit is a sales visit up to the month of the first revenue, unless it was about use or renewal.
_EFFORTS = f"""
    WITH span AS (SELECT date_trunc('month', %(as_of)s::timestamp - make_interval(months => %(months)s))::date AS since),
    first_revenue AS (
        SELECT customer_id, min(month) AS month FROM segmentation_monthlyvalue WHERE revenue > 0 GROUP BY customer_id
    ), efforts AS (
        SELECT fact.customer_id, 1 AS visits, 0 AS wins, {COST_OF_CONTACT} AS cost
        FROM customers_contactpoint fact {MINUTE_RATE}
        LEFT JOIN first_revenue USING (customer_id)
        CROSS JOIN span
        WHERE fact.kind = 'visit' AND fact.stage NOT IN ('use', 'renew') AND {IS_STANDING.format(point="fact")}
            AND fact.at >= span.since::timestamp AT TIME ZONE %(zone)s AND fact.at < {end_of_day("as_of")}
            AND (first_revenue.month IS NULL OR (fact.at AT TIME ZONE %(zone)s)::date < first_revenue.month + interval '1 month')
        UNION ALL
        SELECT customer_id, 0, 1, 0 FROM first_revenue CROSS JOIN span WHERE first_revenue.month >= span.since
    )
    SELECT customer.acquisition_source, sum(visits), sum(wins), coalesce(sum(cost), 0)
    FROM efforts JOIN customers_customer customer ON customer.id = efforts.customer_id
    GROUP BY GROUPING SETS ((customer.acquisition_source), ())
"""
