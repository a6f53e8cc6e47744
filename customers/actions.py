"""What touches several models at once: keyword-only, `by=` the person acting, one transaction each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from customers.maths.contact_keys import method_key
from customers.models import Address, Consent, Contact, ContactMethod, Counter, Opportunity, Order, Position
from customers.models.order import order_number
from users.models import Event, User
from users.records import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Rows:
    """What happens to the rows that hang on a contact: new ones' values, changed ones with their values, and those that go."""

    added: list[dict[str, Any]] = field(default_factory=list)
    changed: list[tuple[Record, dict[str, Any]]] = field(default_factory=list)
    removed: list[Record] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@transaction.atomic
def save_contact(
    *,
    by: User,
    contact: Contact | None,
    expected_version: int | None,
    values: dict[str, Any],
    positions: Rows,
    methods: Rows,
    addresses: Rows,
) -> Contact:
    """Write a contact with its places, phones and addresses, or nothing of it.

    The contact's version stands for them all, so of two people who edit it at once the second gets StaleVersion.
    """
    if contact is None:
        contact = Contact.add(by=by, created_by=by, **values)
    else:
        changes = contact.change(by=by, expected_version=expected_version, **values)
        if not changes and (positions or methods or addresses):
            Contact.objects.filter(pk=contact.pk).update(version=F("version") + 1, updated_at=timezone.now())
    _write(Position, positions, by=by, contact=contact)
    _write(ContactMethod, _keyed(methods), by=by, contact=contact)
    _write(Address, addresses, by=by, contact=contact)
    return contact


@transaction.atomic
def give_consent(*, by: User, contact: Contact, channel: str, purpose: str, source: str) -> Consent | None:
    """Write a consent down; None where it runs already."""
    try:
        with transaction.atomic():
            consent: Consent = Consent.add(by=by, contact=contact, channel=channel, purpose=purpose, source=source)
    except (IntegrityError, ValidationError):  # one without an end, or one whose end is still to come
        return None
    return consent


def withdraw_consent(*, by: User, consent: Consent) -> None:
    """End a consent and keep the row, which tells that it was once given."""
    if consent.withdrawn_at is None:
        consent.change(by=by, withdrawn_at=timezone.now())


def _write(model: type[R], rows: Rows, *, by: User, contact: Contact) -> None:
    # What goes makes room first: a removed phone may come back in another row of the same form.
    for row in rows.removed:
        row.record(Event.Action.DISCARDED, by=by)
        row.delete()
    for row, values in rows.changed:
        row.change(by=by, **values)
    for values in rows.added:
        model.add(by=by, contact=contact, **values)


def _keyed(methods: Rows) -> Rows:
    return Rows(
        added=[_with_key(values) for values in methods.added],
        changed=[(row, _with_key(values)) for row, values in methods.changed],
        removed=methods.removed,
    )


def _with_key(values: dict[str, Any]) -> dict[str, Any]:
    normalised, is_valid = method_key(values["kind"], values["value"], settings.DEFAULT_PHONE_REGION)
    return {**values, "normalised": normalised, "is_valid": is_valid}


# In one step each, since thousands may be won at once. The numbers come as pairs of (opportunity, order number).
_WRITE_ORDERS = """
    INSERT INTO customers_order (number, customer_id, ordered_on, owner_id, currency, amount, cost, source_id, source_key)
    SELECT numbered.number, won.customer_id, won.closed_on, won.owner_id, won.currency, coalesce(won.amount, 0),
           coalesce(product.unit_cost, 0), won.source_id, won.source_key
    FROM unnest(%(won)s::bigint[], %(numbers)s::text[]) AS numbered (opportunity_id, number)
    JOIN customers_opportunity won ON won.id = numbered.opportunity_id
    LEFT JOIN customers_product product ON product.id = won.product_id
    ORDER BY numbered.number
"""
_TIE_ORDERS = """
    UPDATE customers_opportunity AS won SET order_id = written.id, version = won.version + 1, updated_at = now()
    FROM unnest(%(won)s::bigint[], %(numbers)s::text[]) AS numbered (opportunity_id, number)
    JOIN customers_order written ON written.number = numbered.number
    WHERE won.id = numbered.opportunity_id
"""
_WRITE_LINES = """
    INSERT INTO customers_orderline (order_id, product_id, description, list_price, amount, cost)
    SELECT written.id, product.id, CASE WHEN product.id IS NULL THEN won.title ELSE '' END, product.unit_price, written.amount, written.cost
    FROM customers_opportunity won JOIN customers_order written ON written.id = won.order_id
    LEFT JOIN customers_product product ON product.id = won.product_id
    WHERE won.id = ANY(%(won)s)
"""
_WRITE_EVENTS = """
    INSERT INTO users_event (actor_id, action, noun, object_id, label, customer_id, changes)
    SELECT %(actor)s, 'created', 'order', written.id, written.number, written.customer_id,
           jsonb_build_object('opportunity', jsonb_build_array(NULL, won.id), 'amount', jsonb_build_array(NULL, written.amount::text))
    FROM customers_opportunity won JOIN customers_order written ON written.id = won.order_id
    WHERE won.id = ANY(%(won)s)
"""


@transaction.atomic
def orders_from_won_opportunities(*, by: User | None) -> int:
    """Write the order of each won opportunity that has a customer, a closing day and no order yet; returns how many.

    The order keeps the opportunity's source and key, so that it is found again there. Its cost is the product's unit
    cost, or zero where that is not known.
    """
    won = Opportunity.objects.filter(stage=Opportunity.Stage.WON, order=None, customer__isnull=False, closed_on__isnull=False)
    ids = list(won.order_by("closed_on", "pk").select_for_update().values_list("pk", flat=True))
    if not ids:
        return 0
    first = Counter.take(Order.COUNTER, len(ids))
    values: dict[str, Any] = {"won": ids, "numbers": [order_number(first + at) for at in range(len(ids))], "actor": by.pk if by else None}
    with connection.cursor() as cursor:
        for statement in (_WRITE_ORDERS, _TIE_ORDERS, _WRITE_LINES, _WRITE_EVENTS):
            cursor.execute(statement, values)
    return len(ids)
