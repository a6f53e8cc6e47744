"""A run as a whole: killed and taken up again, cancelled, undone; and the real files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count, Sum

from customers.imports import chunks, runs, undoing
from customers.imports.chunks import Superseded
from customers.jobs import Cancelled
from customers.models import Contact, ContactPoint, CrossReference, Customer, ImportRun, Opportunity, Order, OrderLine, SourceRecord
from customers.tasks import requeue_stuck_jobs
from tests.factories import make_contact_point, make_customer, make_user
from tests.imports.files import begin, counts, run_file, upload
from tests.people import World
from users.models import Event, Team, User

CRM_SALES = settings.SHARED_DATA / "data" / "crm_sales"


class Killed(BaseException):
    pass


def _killed_after(chunk: int) -> Callable[[int], None]:
    told = iter(range(1, 1000))

    def tell(_done: int) -> None:
        if next(told) == chunk:
            raise Killed

    return tell


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "ROWS_PER_CHUNK", 10)


def _state() -> list[Any]:
    return list(Customer.objects.order_by("number").values_list("number", "legal_name", "industry", "version", "parent__number"))


FILE = "id,name,industry,parent\n" + "".join(
    f"{n % 40},Firm {n % 40},{'retail' if n < 40 else 'finance'},{'Firm 0' if n % 40 else ''}\n" for n in range(60)
)


@pytest.mark.usefixtures("_small_chunks")
@pytest.mark.parametrize("chunk", [1, 2, 4, 6, 7])
def test_a_run_killed_anywhere_ends_with_the_rows_of_an_undisturbed_one(world: World, chunk: int) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    runs.set_mapping(run, mapping=run.mapping)
    begin(run)
    with pytest.raises(Killed):
        runs.work(run, _killed_after(chunk))
    runs.work(ImportRun.objects.get(pk=run.pk), lambda _done: None)
    run.refresh_from_db()
    assert run.state == "done"
    assert counts(run) == {"created": 40, "updated": 20}
    killed = _state()
    assert [row[1] for row in killed] == [f"Firm {n}" for n in range(40)]
    assert {row[2] for row in killed[:20]} == {"finance"}
    assert sum(row[4] is not None for row in killed) == 39
    assert SourceRecord.objects.count() == 60


@pytest.mark.usefixtures("_small_chunks")
def test_two_workers_on_one_run_write_each_row_once(world: World) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    runs.set_mapping(run, mapping=run.mapping)
    begin(run)
    stale = ImportRun.objects.get(pk=run.pk)
    runs.work(run, lambda _done: None)
    with pytest.raises(Superseded):
        runs.work(stale, lambda _done: None)
    assert Customer.objects.count() == 40


@pytest.mark.usefixtures("_small_chunks")
def test_a_cancelled_run_keeps_what_it_wrote_and_can_be_undone(world: World) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    runs.set_mapping(run, mapping=run.mapping)
    begin(run)

    def cancel(done: int) -> None:
        if done == 20:
            raise Cancelled

    with pytest.raises(Cancelled):
        runs.work(run, cancel)
    run.refresh_from_db()
    runs.finish(run, ImportRun.State.CANCELLED)
    assert Customer.objects.count() == 20
    undoing.undo(run, lambda _done: None)
    assert Customer.objects.count() == 0


def test_undoing_removes_what_came_and_restores_what_changed(world: World) -> None:
    kept = make_customer("Firm 1", team=world.north, industry="shipping")
    run = run_file("name,industry,phone\nFirm 1,retail,+12125550142\nFirm 2,finance,\n", "customers", by=world.ivy)
    assert counts(run) == {"created": 1, "updated": 1}
    assert undoing.undo(run, lambda _done: None) == {"removed": 2, "restored": 1, "kept": 0}  # a customer and a phone
    kept.refresh_from_db()
    run.refresh_from_db()
    assert (kept.industry, kept.methods.count(), run.state) == ("shipping", 0, "undone")
    assert list(Customer.objects.all()) == [kept]
    assert Event.objects.filter(import_run_id=run.pk, noun="customer").count() == 2  # the history stays


def test_undoing_leaves_what_somebody_has_touched_since(world: World) -> None:
    run = run_file("id,name,industry\n1,A,retail\n2,B,retail\n3,C,retail\n", "customers", by=world.ivy)
    first, second, _third = Customer.objects.order_by("number")
    first.change(by=world.ana, region="North")
    make_contact_point(customer=second, by=world.ana)
    assert undoing.undo(run, lambda _done: None) == {"removed": 1, "restored": 0, "kept": 2}
    assert set(Customer.objects.all()) == {first, second}


def test_undoing_reaches_orders_contacts_and_history(world: World) -> None:
    make_customer("Acme", team=world.north)
    several = [
        run_file("id,name,company,email\n1,Li Wei,Acme,li@acme.example\n", "contacts", by=world.ivy),
        run_file("id,line,customer,date,amount\nA,1,Acme,2026-01-05,10\nA,2,Acme,2026-01-05,10\n", "orders", by=world.ivy),
        run_file("id,customer,when,kind,subject\n1,Acme,2026-01-05,Call,Hello\n", "contact_points", by=world.ivy),
        run_file("id,account,stage\n1,Acme,Won\n", "opportunities", by=world.ivy),
    ]
    for run in several:
        undoing.undo(run, lambda _done: None)
    assert [model.objects.count() for model in (Contact, Order, OrderLine, ContactPoint, Opportunity)] == [0] * 5
    assert Customer.objects.count() == 1
    assert not CrossReference.objects.filter(noun="contact").exists()


@pytest.fixture
def sellers(world: World) -> None:
    with (CRM_SALES / "sales_teams.csv").open() as file:
        for row in csv.DictReader(file):
            user = make_user(row["sales_agent"].lower().replace(" ", "."), team=world.north)
            User.objects.filter(pk=user.pk).update(name=row["sales_agent"])


@pytest.mark.skipif(not CRM_SALES.exists(), reason="the shared data is not here")
@pytest.mark.usefixtures("sellers")
def test_the_real_files_lose_nothing_and_invent_nothing(world: World) -> None:
    for file, kind in (("accounts", "customers"), ("products", "products"), ("sales_pipeline", "opportunities")):
        run = runs.import_path(CRM_SALES / f"{file}.csv", kind=kind, source_code="crm-sales", by=world.ada)
        assert run.counts.get("rejected", 0) == 0 or kind == "customers"  # 'Philipines' is in no list of countries
    stages = dict(Opportunity.objects.values_list("stage").annotate(Count("pk")))
    assert stages == {"won": 4238, "lost": 2473, "engaging": 1589, "prospecting": 500}
    assert Opportunity.objects.aggregate(sum=Sum("amount"))["sum"] == 10_005_534
    assert not Opportunity.objects.filter(product=None).exists()
    assert not Opportunity.objects.filter(owner=None).exists()
    assert Opportunity.objects.without_customer().count() >= 1425


@pytest.mark.skipif(not CRM_SALES.exists(), reason="the shared data is not here")
def test_hints_bring_every_account_in(world: World, tmp_path: Path) -> None:
    mapping = {
        "columns": {"account": "legal_name", "sector": "industry", "office_location": "country", "subsidiary_of": "parent"},
        "hints": {"technolgy": "technology", "Philipines": "Philippines"},
    }
    (tmp_path / "mapping.json").write_text(json.dumps(mapping))
    out = StringIO()
    call_command(
        "import_file", str(CRM_SALES / "accounts.csv"), kind="customers", source="crm-sales", mapping=tmp_path / "mapping.json",
        json=True, by="ada@example.com", stdout=out,
    )  # fmt: skip
    assert json.loads(out.getvalue())["counts"]["created"] == 85
    assert Customer.objects.filter(parent__isnull=False).count() == 15
    assert not Customer.objects.filter(industry="technolgy").exists()


def test_the_command_refuses_a_bad_file_with_status_2(world: World, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_bytes(b"%PDF-1.7")
    for path in (tmp_path / "bad.csv", tmp_path / "missing.csv"):
        out = StringIO()
        with pytest.raises(SystemExit) as exit_:
            call_command("import_file", str(path), kind="customers", source="erp", json=True, stdout=out)
        assert exit_.value.code == 2
        assert "file" in json.loads(out.getvalue())["errors"]


@pytest.mark.django_db
def test_the_command_says_that_there_is_no_team_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Team, "objects", Team.objects.none())
    (tmp_path / "file.csv").write_text("id,name\n1,Acme\n")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_file", str(tmp_path / "file.csv"), kind="customers", source="erp", json=True, stdout=out)
    assert "no team" in json.loads(out.getvalue())["errors"]["file"][0]
    assert not ImportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_undoing_works_in_transactions_of_its_own() -> None:
    """As a worker does it: nothing of the first transaction's permissions is left in the last."""
    from tests.factories import make_team

    ivy = make_user("ivy2", team=make_team("Head office 2"), role="administrator")
    run = run_file("id,name\n1,Acme\n", "customers", by=ivy)
    undoing.undo(run, lambda _done: None)
    assert not Customer.objects.exists()
    assert not SourceRecord.objects.exists()


@pytest.mark.parametrize(("job_state", "run_state"), [("failed", "failed"), ("cancelled", "cancelled")])
def test_a_run_ends_with_the_job_that_was_given_up(world: World, job_state: str, run_state: str) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    runs.set_mapping(run, mapping=run.mapping)
    job = runs.launch(run)
    job.finish(job_state)
    requeue_stuck_jobs()
    run.refresh_from_db()
    assert run.state == run_state
    runs.set_mapping(run, mapping=run.mapping)  # it can be gone on with
    assert run.state == "mapped"


def test_undoing_removes_a_record_that_the_run_itself_wrote_several_times(world: World) -> None:
    run = run_file("id,name,industry,parent\n1,A,retail,B\n2,B,retail,\n1,A,finance,B\n", "customers", by=world.ivy)
    assert Customer.objects.filter(parent__isnull=False, industry="finance").count() == 1
    undoing.undo(run, lambda _done: None)
    assert not Customer.objects.exists()


def test_a_second_import_moves_the_versions_of_places_and_addresses(world: World) -> None:
    make_customer("Acme", team=world.north)
    text = "id,name,company,job title,city\n1,Li Wei,Acme,CIO,Bergen\n"
    run_file(text, "contacts", by=world.ivy)
    run = run_file(text.replace("CIO", "CEO").replace("Bergen", "Oslo"), "contacts", by=world.ivy)
    contact = Contact.objects.get()
    assert (contact.positions.get().version, contact.addresses.get().version) == (2, 2)
    undoing.undo(run, lambda _done: None)
    assert (contact.positions.get().job_title, contact.addresses.get().city) == ("CIO", "Bergen")
