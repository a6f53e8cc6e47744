"""Whom this is about: the rows that are theirs, and the words by which texts elsewhere name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from django.db.models import Model, Q, QuerySet

from customers.maths.names import search_term, sort_key
from customers.models import Address, Consent, Contact, ContactMethod, ContactPoint, CrossReference, Position, SourceRecord
from users.models import Event, User

SHORTEST_NAME = 2  # a single character stands in every other text
COMPANIONS: dict[str, type[Model]] = {"position": Position, "contact_method": ContactMethod, "address": Address, "consent": Consent}


@dataclass(frozen=True)
class Person:
    """A contact with everything that hangs on it, those parts included that were removed earlier and live on in the history."""

    contact: Contact
    events: list[Event]
    addresses: frozenset[str]  # mails, phones, WeChat ids, as written and as compared
    names: frozenset[str]
    has_namesake: bool  # then the name alone names somebody else as well
    normalised: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, contact: Contact) -> Self:
        events = _events_of(contact)
        methods = list(ContactMethod.objects.filter(contact=contact))
        former = [value for event in events if event.noun == "contact_method" for value in _told(event, "value", "normalised")]
        names = {contact.name, contact.other_name}
        names |= {name for event in events if event.noun == "contact" for name in _told(event, "name", "other_name")}
        normalised = {method.normalised for method in methods} | {str(value).lower() for value in former}
        return cls(
            contact=contact,
            events=events,
            addresses=frozenset(_words({method.value for method in methods} | normalised | {*former}, shortest=5)),
            names=frozenset(_words(names, shortest=SHORTEST_NAME)),
            has_namesake=_is_borne_by_others(contact, names),
            normalised=frozenset(normalised),
        )

    @property
    def words(self) -> frozenset[str]:
        """What names this person and nobody else, wherever it stands."""
        return self.addresses if self.has_namesake else self.addresses | self.names

    def rows(self) -> dict[str, QuerySet[Any]]:
        """The rows that are about this person as a whole."""
        references = CrossReference.objects.filter(contact=self.contact)
        keys = Q(pk__in=())
        for reference in references:
            keys |= Q(system=reference.system_id, noun="contact", key=reference.key)
        return {
            "contact": Contact.objects.filter(pk=self.contact.pk),
            "positions": Position.objects.filter(contact=self.contact),
            "reports": Position.objects.filter(reports_to=self.contact),
            "contact_methods": ContactMethod.objects.filter(contact=self.contact),
            "addresses": Address.objects.filter(contact=self.contact),
            "consents": Consent.objects.filter(contact=self.contact),
            "contact_points": ContactPoint.objects.filter(contact=self.contact),
            "source_records": SourceRecord.objects.filter(keys),
            "cross_references": references,
            "events": Event.objects.filter(pk__in=[event.pk for event in self.events]),
        }


def _events_of(contact: Contact) -> list[Event]:
    """The history of the contact, of what hangs or hung on it, and of the contact points with it.

    Noun by noun, so that each look-up is an index's; one condition over all of them would read the whole history.
    """
    ids = {"contact": {contact.pk}, "contact_point": set(ContactPoint.objects.filter(contact=contact).values_list("pk", flat=True))}
    for noun, model in COMPANIONS.items():
        made = Event.objects.filter(noun=noun, changes__contact__1=contact.pk).values_list("object_id", flat=True)
        kept = model._default_manager.filter(contact=contact).values_list("pk", flat=True)
        ids[noun] = {*kept, *(pk for pk in made if pk is not None)}
    events = [event for noun, several in ids.items() for event in Event.objects.filter(noun=noun, object_id__in=several)]
    return sorted(events, key=lambda event: event.pk)


def _told(event: Event, *names: str) -> list[str]:
    return [value for name in names for value in event.changes.get(name, ()) if isinstance(value, str)]


def _words(values: set[str], *, shortest: int) -> set[str]:
    return {word for value in values if len(word := value.strip()) >= shortest}


def _is_borne_by_others(contact: Contact, names: set[str]) -> bool:
    others = Contact.objects.exclude(pk=contact.pk)
    said = names - {""}
    return (
        # By the index of names and by that of words: names have none that finds them as they are.
        others.filter(sort_key__in={sort_key(name)[:120] for name in said}, name__in=said).exists()
        or any(others.filter(search_text__contains=search_term(name), other_name=name).exists() for name in said)
        or User.objects.filter(name__in=said).exists()
    )
