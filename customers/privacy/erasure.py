from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from customers.models import Contact, ContactPoint, CrossReference, Job, SourceRecord, Suppression
from customers.privacy.files import forget_file, imports_naming, jobs_naming
from customers.privacy.mentions import ERASED, blank_mentions
from customers.privacy.person import Person
from users.models import Event, User


def erase_person(*, by: User | None, contact: Contact) -> int:
    """Leave nothing of the person but an empty row that keeps totals true; how many rows and files that took.

    Safe to repeat. Files go last, after the commit: a file that is gone cannot be rolled back, one too many is found again.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL pareto.rewriting = 'erasing a person'")
            cursor.execute("SET LOCAL statement_timeout = '2h'")  # whole tables are read
        locked = Contact._base_manager.select_for_update().get(pk=contact.pk)
        person = Person.of(locked)
        _suppress(person)
        count = _blank_history(person) + _blank_contact_points(person) + _blank_sources(person)
        count += _empty(person, by) + blank_mentions(person.words)
        Event.record(Event.Action.ERASED, noun=Contact.NOUN, by=by, object_id=locked.pk, label=ERASED, changes={"rows": [None, count]})
    for run in imports_naming(person.words):
        forget_file(run)
        count += 1
    for job in {*jobs_naming(person.words), *Job.objects.filter(kind="export_person", arguments__contact_id=locked.pk).exclude(file="")}:
        job.forget_file()
        count += 1
    return count


def _suppress(person: Person) -> None:
    """Neither an address nor a source's key of theirs brings them back."""
    keys = {
        Suppression.source_key(ref.system.code, ref.key)
        for ref in CrossReference.objects.filter(contact=person.contact).select_related("system")
    }
    Suppression.add(person.normalised | keys)


def _blank_history(person: Person) -> int:
    return Event.objects.filter(pk__in=[event.pk for event in person.events]).update(label=ERASED, changes={})


def _blank_contact_points(person: Person) -> int:
    """The texts go; when, through what, how long and at what cost stay."""

    def emptied(name: str) -> Case:
        return Case(When(**{name: ""}, then=Value("")), default=Value(ERASED))

    points = ContactPoint.objects.filter(contact=person.contact)
    return points.update(subject=ERASED, body=emptied("body"), outcome=emptied("outcome"))


def _blank_sources(person: Person) -> int:
    count = 0
    for reference in CrossReference.objects.filter(contact=person.contact):
        records = SourceRecord.objects.filter(system=reference.system_id, noun="contact", key=reference.key)
        key = f"{ERASED}-{reference.pk}"
        count += records.update(payload={}, key=key)
        CrossReference.objects.filter(pk=reference.pk).update(key=key, until=reference.until or timezone.now())
    return count


def _empty(person: Person, by: User | None) -> int:
    rows = person.rows()
    count = rows["reports"].update(reports_to=None)
    for name in ("positions", "contact_methods", "addresses", "consents"):
        count += rows[name].delete()[0]
    now = timezone.now()
    blank = {"other_name": "", "salutation": "", "birthday": None, "language": "", "notes": "", "search_text": "", "sort_key": ""}
    times = {"erased_at": now, "deleted_at": now, "deleted_by": by, "updated_at": now}
    return count + rows["contact"].update(name=ERASED, provenance={}, version=person.contact.version + 1, **blank, **times)
