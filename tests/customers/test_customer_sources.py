from __future__ import annotations

from customers.models import CrossReference, SourceRecord, SourceSystem
from tests.factories import make_contact, make_customer
from tests.people import World


def test_what_people_enter_is_kept_as_the_stewards_source_record(world: World) -> None:
    customer = make_customer("Acme", team=world.north, by=world.ana)
    customer.change(by=world.mo, industry="retail")
    first, second = SourceRecord.objects.filter(system=SourceSystem.steward(), noun="customer").order_by("version")
    assert first.payload == {"legal_name": "Acme"}
    assert second.payload == {"legal_name": "Acme", "industry": "retail"}
    customer.refresh_from_db()
    assert customer.provenance == {"legal_name": first.pk, "industry": second.pk}
    assert CrossReference.objects.get(customer=customer).key == str(customer.pk)


def test_the_systems_own_acts_are_nobodys_entry(world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    customer.change(by=world.ana, owner=world.ana)
    assert not SourceRecord.objects.exists()


def test_a_contact_has_sources_too(world: World) -> None:
    contact = make_contact("Li Na", customer=make_customer(team=world.north), by=world.ana)
    assert SourceRecord.objects.get(noun="contact").payload == {"name": "Li Na"}
    assert CrossReference.objects.get(contact=contact).noun == "contact"
