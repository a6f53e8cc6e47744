from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from customers.models import (
    Address,
    Consent,
    Contact,
    ContactMethod,
    ContactPoint,
    CrossReference,
    ImportProblem,
    ImportRun,
    Job,
    Position,
    SourceRecord,
    SourceSystem,
    Suppression,
)
from customers.privacy.erasure import erase_person
from customers.privacy.export import export_person
from customers.tasks import run_job
from tests.factories import make_contact, make_contact_point, make_customer
from tests.people import World
from tests.users.signing_in import sign_in
from users.models import Event, IdempotentReply

NAME, MAIL, PHONE, WECHAT, STREET = "Zelda Qvortrup", "zelda.q@example.com", "+4791234567", "zelda_wx", "Qvortrupveien 9"
TRACES = ("Qvortrup", "zelda", "91234567", "ERP-ZQ-77")


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def zelda(world: World) -> Contact:
    """Somebody who is recorded wherever a person can be."""
    ana = world.ana
    customer, elsewhere = make_customer("Nordlys", team=world.north, by=ana), make_customer("Other", team=world.south)
    zelda = make_contact(NAME, customer=customer, by=ana, notes="Likes to be called Zelda Qvortrup", birthday=date(1980, 2, 3))
    zelda.change(by=ana, other_name="Z. Qvortrup")
    for kind, value in (("mail", MAIL), ("mobile", PHONE), ("wechat", WECHAT)):
        ContactMethod.add(by=ana, contact=zelda, kind=kind, value=value, normalised=value)
    Address.add(by=ana, contact=zelda, street=STREET)
    Consent.add(by=ana, contact=zelda, channel="mail", purpose="marketing", source="told zelda.q@example.com")
    point = make_contact_point(customer=customer, by=ana, contact=zelda, subject="Zelda Qvortrup called", body=f"from {PHONE}", minutes=12)
    point.correct(by=ana, outcome="Zelda Qvortrup will call back")
    make_contact_point(customer=elsewhere, by=world.eve, subject="Met Zelda Qvortrup at the fair", body=f"mail her: {MAIL}")
    colleague = make_contact("Colleague", customer=customer, by=ana)
    colleague.positions.get().change(by=ana, reports_to=zelda)
    erp = SourceSystem.objects.create(code="erp", name="ERP")
    run = ImportRun(kind="contacts", source=erp, by=ana, file_name="people.csv", inspection={"samples": [[NAME, MAIL]]})
    run.file.save("people.csv", ContentFile(f"name,mail\n{NAME},{MAIL}\n".encode()))
    SourceRecord.objects.create(system=erp, noun="contact", key="ERP-ZQ-77", payload={"name": NAME, "tel": 4791234567}, import_run=run)
    CrossReference.objects.create(system=erp, noun="contact", key="ERP-ZQ-77", contact=zelda)
    ImportProblem.objects.create(run=run, row_number=2, code="bad", value=NAME, row={"Name": NAME, "Mail": MAIL})
    IdempotentReply.objects.create(
        user=world.ivy, key="k", path="/api/v1/contacts/", digest="x", status=201, body=json.dumps({"name": NAME})
    )
    return zelda


def traces() -> list[str]:
    """Every place of the database, whatever the table, in which a trace of the person stands."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'ARRAY')"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT "{column}"::text FROM "{table}" WHERE "{column}"::text ILIKE ANY(%s)', [[f"%{one}%" for one in TRACES]])
            found += [f"{table}.{column}: {value}" for (value,) in cursor.fetchall()]
    return found


def test_an_export_holds_every_place_where_the_person_is_recorded(world: World, zelda: Contact) -> None:
    with zipfile.ZipFile(io.BytesIO(export_person(by=world.ada, contact=zelda))) as archive:
        tables = json.loads(archive.read("person.json"))
        assert "contact_methods.csv" in archive.namelist()
    filled = {name for name, rows in tables.items() if rows}
    assert filled == tables.keys()
    assert len(tables) >= 10
    assert {row["value"] for row in tables["contact_methods"]} == {MAIL, PHONE, WECHAT}
    assert {"customers.ContactPoint", "customers.ImportProblem", "users.IdempotentReply"} <= {one["table"] for one in tables["mentions"]}
    assert Event.objects.filter(action="exported", noun="contact", object_id=zelda.pk, actor=world.ada).exists()


def test_after_the_erasure_no_column_of_any_table_names_the_person(world: World, zelda: Contact, tmp_path: Path) -> None:
    assert len(traces()) >= 10
    erase_person(by=world.ada, contact=zelda)
    assert traces() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_is_not_about_the_person_stays(world: World, zelda: Contact) -> None:
    counts = ContactPoint.objects.count(), Event.objects.count(), ImportProblem.objects.count()
    erase_person(by=world.ada, contact=zelda)
    assert (ContactPoint.objects.count(), Event.objects.count() - 1, ImportProblem.objects.count()) == counts
    assert ContactPoint.objects.get(subject="Met erased at the fair").body == "mail her: erased"
    assert ContactPoint.objects.filter(contact=zelda, minutes=12, subject="erased").count() == 2
    assert Position.objects.get(contact__name="Colleague").reports_to is None


def test_the_erasure_is_on_record_without_saying_who_it_was(world: World, zelda: Contact) -> None:
    erase_person(by=world.ada, contact=zelda)
    event = Event.objects.get(action="erased")
    assert (event.actor, event.object_id, event.label, list(event.changes)) == (world.ada, zelda.pk, "erased", ["rows"])


def test_the_person_does_not_come_back_by_address_or_key(world: World, zelda: Contact) -> None:
    erase_person(by=world.ada, contact=zelda)
    key = Suppression.source_key("erp", "ERP-ZQ-77")
    assert Suppression.suppressed([MAIL, PHONE, WECHAT, key, "other@example.com"]) == {MAIL, PHONE, WECHAT, key}


def test_a_namesake_keeps_the_name(world: World, zelda: Contact) -> None:
    other = make_customer("Namesakes", team=world.south)
    namesake = make_contact(NAME, customer=other, by=world.eve)
    make_contact_point(customer=other, by=world.eve, contact=namesake, subject="Zelda Qvortrup visited")
    erase_person(by=world.ada, contact=zelda)
    assert ContactPoint.objects.filter(subject="Zelda Qvortrup visited").exists()
    namesake.refresh_from_db()
    assert namesake.name == NAME
    assert not ContactPoint.objects.filter(contact=zelda).exclude(subject="erased").exists()


def test_erasing_twice_changes_nothing_more(world: World, zelda: Contact) -> None:
    erase_person(by=world.ada, contact=zelda)
    erase_person(by=world.ada, contact=Contact._base_manager.get(pk=zelda.pk))
    assert ContactPoint.objects.filter(subject="Met erased at the fair").exists()


def test_only_the_name_typed_in_full_begins_the_erasure(world: World, zelda: Contact) -> None:
    ada = sign_in(world.ada)
    address = reverse("customers:contact-privacy", args=[zelda.pk])
    assert ada.post(address, {"confirmation": "zelda"}).status_code == 422
    assert not Job.objects.exists()
    assert ada.post(address, {"confirmation": NAME}).status_code == 302
    job = Job.objects.get(kind="erase_person")
    assert NAME not in f"{job.title}{job.arguments}"
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "done", job.error
    assert traces() == []
    assert ada.get(address).status_code == 404


def test_the_page_gives_the_export(world: World, zelda: Contact) -> None:
    answer = sign_in(world.ada).post(reverse("customers:contact-export", args=[zelda.pk]))
    assert answer.headers["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_the_commands_export_and_erase(world: World, zelda: Contact, tmp_path: Path) -> None:
    target = tmp_path / "zelda.zip"
    call_command("export_person", zelda.pk, to=target)
    assert zipfile.is_zipfile(target)
    call_command("erase_person", zelda.pk, yes=True)
    assert traces() == []
