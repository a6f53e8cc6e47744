"""What touches several models at once: keyword-only, `by=` the person acting, one transaction each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from customers.maths.contact_keys import method_key
from customers.models import Address, Consent, Contact, ContactMethod, Position
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
    except IntegrityError:
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
