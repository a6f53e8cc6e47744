"""Taking an import back: what it created goes, what it changed gets its old values; what somebody has touched since stays.

The events of the run say what it did. They stay on record, and so does the undoing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Model, ProtectedError, Q, RestrictedError

from customers.imports.chunks import Tell
from customers.models import (
    Address,
    Asset,
    Contact,
    ContactMethod,
    ContactPoint,
    Contract,
    CrossReference,
    Customer,
    ImportProblem,
    ImportRun,
    Opportunity,
    Order,
    OrderLine,
    Position,
    Product,
    SourceRecord,
)
from users.models import Event

EVENTS_PER_STEP = 500
MODELS: dict[str, type[Model]] = {
    "customer": Customer,
    "contact": Contact,
    "position": Position,
    "contact_method": ContactMethod,
    "address": Address,
    "product": Product,
    "order": Order,
    "order_line": OrderLine,
    "contract": Contract,
    "asset": Asset,
    "opportunity": Opportunity,
    "contact_point": ContactPoint,
}


def undo(run: ImportRun, tell: Tell) -> dict[str, int]:
    """Take back what the run did, newest first; returns {removed, restored, kept}. Safe to run again from any point."""
    done = 0
    for step in _steps(run):
        with transaction.atomic():
            counts = _undo_step(run, step)
            locked = ImportRun.objects.select_for_update().get(pk=run.pk)
            locked.options = locked.options | {"undone_to": step[-1].pk}
            locked.counts = locked.counts | {name: locked.counts.get(name, 0) + count for name, count in counts.items()}
            locked.save(update_fields=["options", "counts"])
        done += len(step)
        tell(done)
    with transaction.atomic():
        locked = ImportRun.objects.select_for_update().get(pk=run.pk)
        _forget_sources(locked)
        locked.state = ImportRun.State.UNDONE
        locked.save(update_fields=["state"])
        Event.record(Event.Action.UNDONE, noun="import_run", by=run.by, object_id=run.pk, label=str(run))
    return {name: locked.counts.get(name, 0) for name in ("removed", "restored", "kept")}


def _steps(run: ImportRun) -> Iterator[list[Event]]:
    """The run's events, newest first; a run whose undoing was cut off goes on where it stopped."""
    newest = run.options.get("undone_to")
    while True:
        events = Event.objects.filter(import_run_id=run.pk, noun__in=MODELS)
        step = list((events.filter(pk__lt=newest) if newest else events).order_by("-pk")[:EVENTS_PER_STEP])
        if not step:
            return
        newest = step[-1].pk
        yield step


def _undo_step(run: ImportRun, events: list[Event]) -> Counter[str]:
    counts: Counter[str] = Counter()
    _allow_rewriting()
    for (noun, action), group in itertools.groupby(events, key=lambda event: (event.noun, event.action)):
        same = list(group)
        counts += _remove(run, noun, same) if action == Event.Action.CREATED else _restore(run, noun, same)
    return counts


def _allow_rewriting() -> None:
    """Contact points and source records are append-only but for this transaction; references are checked row by row."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL pareto.rewriting = 'undoing an import'")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _remove(run: ImportRun, noun: str, events: list[Event]) -> Counter[str]:
    """Delete what was created, unless it was changed since or something else has come to depend on it."""
    model = MODELS[noun]
    ids = [event.object_id for event in events if event.object_id is not None]
    kept = model._default_manager.filter(pk__in=ids)
    if noun in ("contact_point", "order_line"):
        untouched = list(kept.values_list("pk", flat=True))
    else:
        ours = _versions_of_ours(run, noun, ids)
        untouched = [pk for pk, version in kept.values_list("pk", "version") if version == 1 + ours[pk]]
    removed = _delete(model, untouched)
    return Counter(removed=removed, kept=len(ids) - removed)


def _versions_of_ours(run: ImportRun, noun: str, ids: list[int]) -> Counter[int]:
    """How many versions of each row the run itself made: by later rows of the same file, and by taking those back."""
    own = Event.objects.filter(noun=noun, object_id__in=ids).filter(
        Q(action=Event.Action.CHANGED, import_run_id=run.pk) | Q(action=Event.Action.UNDONE)
    )
    return Counter(dict(own.values_list("object_id").annotate(count=Count("pk"))))


def _delete(model: type[Model], ids: list[int]) -> int:
    """How many could be deleted. Where one is held by another record, the batch is halved until that one is found."""
    if not ids:
        return 0
    try:
        with transaction.atomic():
            _detach(model, ids)
            model._default_manager.filter(pk__in=ids).delete()
            return len(ids)
    except (ProtectedError, RestrictedError):
        if len(ids) == 1:
            return 0
    middle = len(ids) // 2
    return _delete(model, ids[:middle]) + _delete(model, ids[middle:])


def _detach(model: type[Model], ids: list[int]) -> None:
    """A contact's places come and go with the contact; a product or customer that others name stays."""
    if model is Contact:
        ContactMethod.objects.filter(contact__in=ids).delete()
        Position.objects.filter(contact__in=ids).delete()


def _restore(run: ImportRun, noun: str, events: list[Event]) -> Counter[str]:
    """Give changed rows their former values, field by field where nobody has changed that field since."""
    counts: Counter[str] = Counter()
    model: Any = MODELS[noun]
    rows = {row.pk: row for row in model._default_manager.filter(pk__in=[event.object_id for event in events])}
    for event in events:
        row = rows.get(event.object_id)
        if row is None or not _put_back(run, row, event):
            counts["kept"] += 1
        else:
            counts["restored"] += 1
    return counts


def _put_back(run: ImportRun, row: Any, event: Event) -> bool:
    before = {name.removesuffix("_id"): pair[0] for name, pair in event.changes.items() if not name.startswith("line.")}
    names = [name for name in before if not _changed_since(run, row, event, name)]
    for name in names:
        field = row._meta.get_field(name)
        setattr(row, field.attname, field.to_python(before[name]) if before[name] is not None else None)
    if not names:
        return not before
    if hasattr(row, "change"):
        row.version += 1
        row.save(update_fields=[*names, *row.derived_from(names), "version"])
    else:
        row.save(update_fields=names)
    row_event = {name: [event.changes.get(name, event.changes.get(f"{name}_id"))[1], before[name]] for name in names}
    Event.record(
        Event.Action.UNDONE, noun=event.noun, by=run.by, object_id=row.pk, label=event.label, customer_id=event.customer_id,
        changes=row_event,
    )  # fmt: skip
    if isinstance(row, OrderLine):
        row.order.retotal()
    return len(names) == len(before)


def _changed_since(run: ImportRun, row: Any, event: Event, name: str) -> bool:
    later = Event.objects.of(event.noun, row.pk).filter(pk__gt=event.pk).exclude(action=Event.Action.UNDONE)
    return later.filter(Q(changes__has_key=name) | Q(changes__has_key=f"{name}_id")).exclude(import_run_id=run.pk).exists()


def _forget_sources(run: ImportRun) -> None:
    """The source records that nothing shows any more; those that back a kept value stay."""
    _allow_rewriting()
    ImportProblem.objects.filter(run=run, severity=ImportProblem.Severity.TO_DO).update(resolved_at=run.finished_at)
    ImportProblem.objects.filter(again_in=run).update(again_in=None, resolved_at=None, resolved_by=None)
    records = SourceRecord.objects.filter(import_run=run)
    for noun in ("customer", "contact"):
        tied = CrossReference.objects.filter(system=run.source, noun=noun, until=None).values("key")
        records.filter(noun=noun).exclude(key__in=tied).delete()
