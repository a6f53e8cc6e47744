from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

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
from customers.privacy.jobs import forget_old_copies
from customers.privacy.person import Person
from customers.tasks import run_job
from tests.factories import make_contact, make_contact_point, make_customer
from tests.imports.files import run_file
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
    content = io.BytesIO()
    export_person(by=world.ada, contact=zelda, to=content)
    with zipfile.ZipFile(content) as archive:
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


def exported(world: World, contact: Contact) -> Job:
    """The copy, as asked for on the person's page and made by a worker."""
    sign_in(world.ada).post(reverse("customers:contact-export", args=[contact.pk]))
    job = Job.objects.filter(kind="export_person").latest("pk")
    run_job(job.pk)
    job.refresh_from_db()
    return job


def test_the_page_asks_for_a_copy_that_the_jobs_page_then_offers(world: World, zelda: Contact) -> None:
    job = exported(world, zelda)
    assert job.state == "done", job.error
    ada, address = sign_in(world.ada), reverse("customers:job-file", args=[job.pk])
    assert address in ada.get(reverse("customers:job", args=[job.pk])).content.decode()
    answer = ada.get(address)
    content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == f'attachment; filename="export-person-{job.pk}.zip"'
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert NAME in archive.read("contact.csv").decode()
    assert Event.objects.filter(action="exported", noun="job", object_id=job.pk, actor=world.ada).exists()
    assert NAME not in f"{job.title}{job.arguments}{job.result}"


def test_a_copy_is_for_administrators_and_gone_after_a_week(world: World, zelda: Contact, tmp_path: Path) -> None:
    job = exported(world, zelda)
    Job.objects.filter(pk=job.pk).update(requested_by=world.ana)
    assert sign_in(world.ana).get(reverse("customers:job-file", args=[job.pk])).status_code == 403
    forget_old_copies()
    assert (tmp_path / "jobs" / f"{job.pk}.zip").exists()
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(days=8))
    forget_old_copies()
    assert not (tmp_path / "jobs" / f"{job.pk}.zip").exists()
    assert sign_in(world.ada).get(reverse("customers:job-file", args=[job.pk])).status_code == 404


def test_a_copy_that_was_cut_off_is_made_again_in_its_place(world: World, zelda: Contact, tmp_path: Path) -> None:
    job = Job.objects.create(kind="export_person", arguments={"contact_id": zelda.pk}, requested_by=world.ada)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / f"{job.pk}.zip").write_bytes(b"half of")
    run_job(job.pk)
    assert [zipfile.is_zipfile(path) for path in (tmp_path / "jobs").iterdir()] == [True]


def test_no_copy_is_made_of_somebody_who_was_erased(world: World, zelda: Contact) -> None:
    job = Job.objects.create(kind="export_person", arguments={"contact_id": zelda.pk}, requested_by=world.ada)
    erase_person(by=world.ada, contact=zelda)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert not job.file


def test_the_erasure_takes_copies_jobs_hints_and_files_in_any_encoding(world: World, zelda: Contact, tmp_path: Path) -> None:
    exported(world, zelda)
    Job.objects.create(kind="x", title=NAME, arguments={"of": MAIL}, result={"said": [PHONE]}, error=f"KeyError: {NAME}")
    erp = SourceSystem.objects.get(code="erp")
    SourceSystem.objects.filter(pk=erp.pk).update(
        hints={NAME: "the boss", "boss": NAME}, mappings={"contacts": {"mapping": {NAME: "name"}}}
    )
    book = openpyxl.Workbook()
    book.worksheets[0].append(["tel"])
    book.worksheets[0].append([int(PHONE[1:])])
    workbook = io.BytesIO()
    book.save(workbook)
    for place, content in enumerate([workbook.getvalue(), NAME.encode("utf-16-be"), NAME.encode("utf-16"), NAME.upper().encode("big5")]):
        run = ImportRun(kind="contacts", source=erp, by=world.ana, file_name=f"of {NAME}.xlsx")
        run.file.save(f"{place}.bin", ContentFile(content))
    erase_person(by=world.ada, contact=zelda)
    assert traces() == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_pages_of_a_person_are_found_by_indexes(world: World, zelda: Contact) -> None:
    """What the page about a person asks, planned as in a big company: no history, contact or contact point is read as a whole."""
    with CaptureQueriesContext(connection) as asked:
        counts = {name: rows.count() for name, rows in Person.of(zelda).rows().items()}
    assert counts["events"] > 5
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for query in asked.captured_queries:
            if query["sql"].startswith("SELECT") and "users_user" not in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql']}")
                plan = "\n".join(line for (line,) in cursor.fetchall())
                assert "Seq Scan" not in plan, f"{query['sql']}\n{plan}"


def test_what_an_import_added_and_somebody_removed_is_still_the_persons(world: World, zelda: Contact) -> None:
    run_file("id,name,phone\nERP-ZQ-77,Zelda Qvortrup,+47 22 33 44 55\n", "contacts", by=world.ada)
    method = ContactMethod.objects.get(normalised="+4722334455")
    assert method.contact == zelda
    method.remove(by=world.ana)
    make_contact_point(customer=make_customer(team=world.south), body="call +4722334455")
    erase_person(by=world.ada, contact=zelda)
    assert ContactPoint.objects.filter(body="call erased").exists()


def test_the_commands_export_and_erase(world: World, zelda: Contact, tmp_path: Path) -> None:
    target = tmp_path / "zelda.zip"
    call_command("export_person", zelda.pk, to=target)
    assert zipfile.is_zipfile(target)
    call_command("erase_person", zelda.pk, yes=True)
    assert traces() == []
