"""How far a customer's data can be relied upon: the numbers from which `segmentation.maths.trust` makes one score."""
# ruff: noqa: S608 (all names in the SQL are our own, and all values are parameters)

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from segmentation.facts import Customers, end_of_day, limited

# What a well-kept customer record has, and how one sees it. The legal name is not among them: it is always there.
FILLED = {
    "short_name": "customer.short_name <> ''",
    "credit_code": "customer.credit_code <> ''",
    "industry": "customer.industry <> ''",
    "employees": "customer.employees IS NOT NULL",
    "annual_revenue": "customer.annual_revenue IS NOT NULL",
    "region": "customer.region <> ''",
    "country": "customer.country <> ''",
    "owner": "customer.owner_id IS NOT NULL",
    "acquisition_source": "customer.acquisition_source <> ''",
    "contact": "coalesce(people.contacts, 0) > 0",  # somebody who is there now
    "reachable": "coalesce(people.valid, 0) + coalesce(own.valid, 0) > 0",  # by a valid phone or mail, the company or somebody there
}


class TrustInputs(NamedTuple):
    """One tuple per column, all in the order of `customer_ids`, which rises."""

    customer_ids: tuple[int, ...]
    completeness: tuple[float, ...]  # share of FILLED, 0 to 1
    freshness_days: tuple[int | None, ...]  # since the last fact or source record, 0 = today; None: there is none
    sources: tuple[int, ...]  # systems that a record of the customer comes from, people's own entries being one
    invalid_methods: tuple[int, ...]  # phones, mails … of the customer and its people that cannot be right
    contracts_without_cost: tuple[int, ...]  # whose cost of delivery is unknown and counts as zero in the margin


def trust_inputs(customers: Customers, *, as_of: date) -> TrustInputs:
    """The numbers of some customers, in one statement. Discarded customers have none."""
    with connection.cursor() as cursor:
        cursor.execute(*trust_statement(customers, as_of=as_of))
        rows = cursor.fetchall()
    return TrustInputs(*zip(*rows, strict=True)) if rows else TrustInputs((), (), (), (), (), ())


def trust_statement(customers: Customers, *, as_of: date) -> tuple[str, dict[str, Any]]:
    """SQL that selects the columns of TrustInputs, usually of an id range, and its parameters."""
    limit, values = limited(customers)
    filled = " + ".join(f"({condition})::integer" for condition in FILLED.values())
    statement = _INPUTS.format(
        filled=f"({filled})::float8 / {len(FILLED)}",
        **{name: limit.format(rows=name) for name in ("customer", "position", "method", "reference", "contract")},
    )
    return statement, values | {"as_of": as_of, "zone": settings.TIME_ZONE}


_METHODS = (
    "count(*) FILTER (WHERE is_valid AND kind IN ('phone', 'mobile', 'mail')) AS valid, count(*) FILTER (WHERE NOT is_valid) AS invalid"
)
_LAST = "SELECT {day} AS day FROM {table} WHERE customer_id = customer.id AND {known} ORDER BY {day} DESC LIMIT 1"
# Each is the top of an index of the customer's facts, which is all that is read.
_LAST_FACTS = " UNION ALL ".join(
    f"({_LAST.format(table=table, day=day, known=f'{day} <= %(as_of)s')})"
    for table, day in (("customers_order", "ordered_on"), ("customers_contract", "starts_on"), ("customers_invoice", "issued_on"))
)
_LAST_CONTACT = _LAST.format(table="customers_contactpoint", day="at", known=f"at < {end_of_day('as_of')}")
_INPUTS = f"""
    SELECT customer.id, {{filled}}, %(as_of)s::date - greatest(known.last_on, origin.received_on), coalesce(origin.sources, 0),
        (coalesce(people.invalid, 0) + coalesce(own.invalid, 0))::integer, coalesce(unknown.contracts, 0)
    FROM (SELECT id AS customer_id, * FROM customers_customer WHERE deleted_at IS NULL) AS customer
    CROSS JOIN LATERAL (
        SELECT max(last.day) AS last_on
        FROM ({_LAST_FACTS} UNION ALL SELECT (contact.day AT TIME ZONE %(zone)s)::date FROM ({_LAST_CONTACT}) AS contact) AS last
    ) AS known
    LEFT JOIN (
        SELECT position.customer_id, count(DISTINCT contact.id) AS contacts, sum(ways.valid) AS valid, sum(ways.invalid) AS invalid
        FROM customers_position position
        JOIN customers_contact contact ON contact.id = position.contact_id AND contact.deleted_at IS NULL
        CROSS JOIN LATERAL (SELECT {_METHODS} FROM customers_contactmethod method WHERE method.contact_id = contact.id) AS ways
        WHERE {{position}} AND (position.until IS NULL OR position.until > %(as_of)s)
        GROUP BY position.customer_id
    ) AS people ON people.customer_id = customer.id
    LEFT JOIN (
        SELECT method.customer_id, {_METHODS} FROM customers_contactmethod method WHERE {{method}} GROUP BY method.customer_id
    ) AS own ON own.customer_id = customer.id
    LEFT JOIN (
        SELECT reference.customer_id, count(DISTINCT reference.system_id) AS sources,
            max((record.received_at AT TIME ZONE %(zone)s)::date) FILTER (WHERE record.received_at < {end_of_day("as_of")}) AS received_on
        FROM customers_crossreference reference
        LEFT JOIN customers_sourcerecord record
            ON record.system_id = reference.system_id AND record.noun = reference.noun AND record.key = reference.key
        WHERE {{reference}} AND reference.until IS NULL
        GROUP BY reference.customer_id
    ) AS origin ON origin.customer_id = customer.id
    LEFT JOIN (
        SELECT contract.customer_id, count(*) AS contracts FROM customers_contract contract
        WHERE {{contract}} AND contract.recurring_cost IS NULL AND contract.starts_on <= %(as_of)s
        GROUP BY contract.customer_id
    ) AS unknown ON unknown.customer_id = customer.id
    WHERE {{customer}}
    ORDER BY customer.id
"""
