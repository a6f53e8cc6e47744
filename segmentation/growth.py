"""What customers might buy beside what they buy: the cross-sell potential, shown apart and no part of the CLV.

For each kind of product that a customer has never bought: the share of customers of the same industry who buy it × what it
brings a buyer in a year, over the horizon of the rules. A naive expectation, and meant as one: it says where to ask, not what will come.
"""

# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)
from __future__ import annotations

from django.db import connection, transaction

from segmentation.maths.what_if import stream
from segmentation.models import ValueRun

FEWEST_BUYERS = 5  # of a kind of product in an industry, below which nothing is concluded

_POTENTIAL = f"""
    WITH bought AS (
        SELECT placed.customer_id, product.category, sum(line.amount - line.cost) AS margin
        FROM customers_orderline AS line
        JOIN customers_order AS placed ON placed.id = line.order_id AND placed.status <> 'cancelled' AND placed.ordered_on <= %(as_of)s
        JOIN customers_product AS product ON product.id = line.product_id AND product.category <> ''
        GROUP BY placed.customer_id, product.category
    ), span AS (
        SELECT greatest((max(ordered_on) - min(ordered_on)) / 365.25, 1) AS years FROM customers_order WHERE ordered_on <= %(as_of)s
    ), industry AS (
        SELECT customer.industry, count(*) AS customers
        FROM segmentation_score AS score JOIN customers_customer AS customer ON customer.id = score.customer_id GROUP BY customer.industry
    ), usual AS (
        SELECT customer.industry, bought.category,
            count(*)::float8 / industry.customers * greatest(avg(bought.margin), 0) / span.years AS yearly
        FROM bought JOIN customers_customer AS customer ON customer.id = bought.customer_id
        JOIN industry ON industry.industry = customer.industry CROSS JOIN span
        WHERE customer.industry <> ''
        GROUP BY customer.industry, bought.category, industry.customers, span.years HAVING count(*) >= {FEWEST_BUYERS}
    ), potential AS (
        SELECT score.customer_id, coalesce(sum(usual.yearly) FILTER (WHERE bought.customer_id IS NULL), 0) * %(years)s AS amount
        FROM segmentation_score AS score JOIN customers_customer AS customer ON customer.id = score.customer_id
        LEFT JOIN usual ON usual.industry = customer.industry
        LEFT JOIN bought ON bought.customer_id = score.customer_id AND bought.category = usual.category
        GROUP BY score.customer_id
    )
    UPDATE segmentation_score AS score SET growth_potential = round(potential.amount::numeric, 2)
    FROM potential WHERE potential.customer_id = score.customer_id AND score.growth_potential <> round(potential.amount::numeric, 2)
"""


@transaction.atomic
def estimate_growth(run: ValueRun) -> None:
    """Write the potential of every customer who has a score, by the facts and rules of a published run."""
    years = stream(1.0, float(run.rules.discount_rate), run.rules.horizon_months / 12)
    with connection.cursor() as cursor:
        cursor.execute(_POTENTIAL, {"as_of": run.as_of, "years": years})
