"""What single nouns do beyond the common: lines, payments, corrections, covers, places, sources, jobs, accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from customers.models import ContactMethod, ContactPoint, Customer, ImportRun, Invoice, Job, Order, Suppression
from tests.api.client import Caller, assert_problem
from tests.api.nouns import make_source
from tests.factories import make_contact, make_contact_point, make_customer, make_order
from tests.people import World
from users.models import Event, User


def test_an_orders_sums_follow_its_lines(world: World, ivy: Caller) -> None:
    lines = [{"amount": "90", "cost": "50"}, {"amount": "10.50"}]
    made = ivy.post("orders/", {"customer": make_customer(team=world.north).pk, "ordered_on": "2026-03-02", "lines": lines}).json()
    assert (made["amount"], made["cost"], len(made["lines"])) == ("100.50", "50.00", 2)
    changed = ivy.patch(f"orders/{made['id']}/", {"lines": [{"amount": "1"}]}, if_match='"1"')
    assert (changed.json()["amount"], changed["ETag"]) == ("1.00", '"2"')
    event = Event.objects.of("order", made["id"]).newest_first()[0]
    assert len(event.changes["lines"][0]) == 2


def test_of_two_who_change_lines_the_second_is_told(world: World, ivy: Caller) -> None:
    order = make_order(customer=make_customer(team=world.north))
    assert ivy.patch(f"orders/{order.pk}/", {"lines": [{"amount": "1"}]}, if_match='"1"').status_code == 200
    assert_problem(ivy.patch(f"orders/{order.pk}/", {"lines": [{"amount": "2"}]}, if_match='"1"'), 412)
    assert Order.objects.get().amount == 1


def test_a_payment_raises_what_is_paid(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    invoice = Invoice.add(by=None, customer=customer, issued_on="2026-01-01", due_on="2026-01-31", amount=Decimal(100))
    paid = ivy.post("payments/", {"invoice": invoice.pk, "paid_on": "2026-01-15", "amount": "40"})
    assert paid.status_code == 201
    assert ivy.get(f"invoices/{invoice.pk}/").json()["paid_amount"] == "40.00"
    theirs = Invoice.add(by=None, customer=make_customer(team=world.south), issued_on="2026-01-01", due_on="2026-01-31", amount=Decimal(9))
    assert_problem(ivy.post("payments/", {"invoice": theirs.pk, "paid_on": "2026-01-15", "amount": "40"}), 400, field="invoice")


def test_a_contract_covers_assets_of_its_own_customer_only(world: World, ivy: Caller) -> None:
    customer, other = make_customer(team=world.north), make_customer(team=world.north)
    asset, stranger = (ivy.post("assets/", {"customer": one.pk, "serial": f"S{one.pk}"}).json()["id"] for one in (customer, other))
    body = {"customer": customer.pk, "title": "Care", "recurring_amount": "1", "starts_on": "2026-01-01"}
    assert_problem(ivy.post("contracts/", body | {"assets": [stranger]}), 400, field="assets")
    made = ivy.post("contracts/", body | {"assets": [asset]})
    assert made.json()["assets"] == [asset]
    none = ivy.patch(f"contracts/{made.json()['id']}/", {"assets": []}, if_match=made["ETag"])
    assert none.json()["assets"] == []


def test_a_serial_number_that_is_there_is_refused_in_words(world: World, ivy: Caller) -> None:
    body = {"customer": make_customer(team=world.north).pk, "serial": "S1"}
    ivy.post("assets/", body)
    assert_problem(ivy.post("assets/", body), 400, field="serial")


def test_a_correction_is_a_new_row_beside_the_old(world: World, ivy: Caller) -> None:
    point = make_contact_point(customer=make_customer(team=world.north), by=world.ana, minutes=5)
    made = ivy.post(f"contact-points/{point.pk}/corrections/", {"minutes": 50})
    assert (made.status_code, made.json()["corrects"], made.json()["minutes"]) == (201, point.pk, 50)
    assert [row["id"] for row in ivy.get("contact-points/", {"is_standing": "true"}).json()["results"]] == [made.json()["id"]]
    assert_problem(ivy.post(f"contact-points/{point.pk}/corrections/", {"minutes": 7}), 409)
    assert ContactPoint.objects.get(pk=point.pk).minutes == 5


def test_what_a_contact_point_is_about_must_be_visible(world: World, ivy: Caller) -> None:
    ours, theirs = (make_order(customer=make_customer(team=team)) for team in (world.north, world.south))
    body = {"customer": ours.customer_id, "kind": "call", "channel": "phone", "subject": "x", "related_noun": "order"}
    assert ivy.post("contact-points/", body | {"related_id": ours.pk}).status_code == 201
    assert_problem(ivy.post("contact-points/", body | {"related_id": theirs.pk}), 400, field="related_id")
    assert_problem(ivy.post("contact-points/", body | {"related_noun": "user", "related_id": 1}), 400, field="related_noun")


def test_a_phone_is_kept_as_written_and_as_compared(world: World, ivy: Caller) -> None:
    made = ivy.post("contact-methods/", {"customer": make_customer(team=world.north).pk, "kind": "phone", "value": "+47 22 12 34 56"})
    assert (made.json()["value"], made.json()["normalised"], made.json()["is_valid"]) == ("+47 22 12 34 56", "+4722123456", True)
    again = ivy.patch(f"contact-methods/{made.json()['id']}/", {"value": "12"}, if_match='"1"').json()
    assert (again["is_valid"], again["normalised"]) == (False, "12")


def test_an_erased_persons_address_does_not_come_back(world: World, ivy: Caller) -> None:
    Suppression.add(["li@example.com"])
    body = {"contact": make_contact(customer=make_customer(team=world.north)).pk, "kind": "mail", "value": "Li@Example.com"}
    assert_problem(ivy.post("contact-methods/", body), 400, field="value", code="erased")


def test_a_method_is_of_one_owner_and_can_be_removed(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north)
    contact = make_contact(customer=customer)
    body = {"kind": "mail", "value": "a@example.com"}
    assert_problem(ivy.post("contact-methods/", body), 400, field="customer")
    assert_problem(ivy.post("contact-methods/", body | {"customer": customer.pk, "contact": contact.pk}), 400, field="customer")
    made = ivy.post("contact-methods/", body | {"contact": contact.pk}).json()
    assert_problem(ivy.patch(f"contact-methods/{made['id']}/", {"contact": None}, if_match='"1"'), 400, field="contact")
    assert_problem(ivy.delete(f"contact-methods/{made['id']}/"), 428)
    assert ivy.delete(f"contact-methods/{made['id']}/", if_match='"1"').status_code == 204
    assert not ContactMethod.objects.exists()


def test_a_contact_is_deleted_and_restored(world: World, ivy: Caller) -> None:
    contact = make_contact(customer=make_customer(team=world.north))
    assert ivy.delete(f"contacts/{contact.pk}/", if_match='"1"').status_code == 204
    assert_problem(ivy.get(f"contacts/{contact.pk}/"), 404)
    assert_problem(Caller(world.eve).post(f"contacts/{contact.pk}/restore/"), 404)
    assert ivy.post(f"contacts/{contact.pk}/restore/")["ETag"] == '"3"'


def test_where_values_come_from_can_be_read(world: World, ivy: Caller) -> None:
    customer = make_customer("Acme", team=world.north, by=world.ana)
    assert_problem(ivy.get("source-records/"), 400, field="customer", code="required")
    records = ivy.get("source-records/", {"customer": customer.pk}).json()["results"]
    assert [record["payload"]["legal_name"] for record in records] == ["Acme"]
    assert [tie["key"] for tie in ivy.get("cross-references/", {"customer": customer.pk}).json()["results"]] == [str(customer.pk)]
    assert Caller(world.eve).get("source-records/", {"customer": customer.pk}).json()["results"] == []


def test_only_an_administrator_defines_fields(world: World, ivy: Caller) -> None:
    body = {"key": "size", "label": "Size", "kind": "number"}
    assert_problem(ivy.post("custom-fields/", body), 403)
    ada = Caller(world.ada)
    made = ada.post("custom-fields/", body)
    assert made.status_code == 201
    assert_problem(ada.post("custom-fields/", body), 400, field="key")
    assert_problem(ada.post("custom-fields/", body | {"key": "Größe"}), 400, field="key")
    assert ivy.get("custom-fields/").json()["results"][0]["key"] == "size"


def test_a_person_sees_and_stops_the_own_jobs(world: World, ivy: Caller) -> None:
    mine, theirs = (Job.start("nothing", by=user, title="x") for user in (world.ivy, world.ana))
    assert [job["id"] for job in ivy.get("jobs/").json()["results"]] == [mine.pk]
    assert_problem(ivy.post(f"jobs/{theirs.pk}/cancel/"), 404)
    assert ivy.post(f"jobs/{mine.pk}/cancel/").json()["state"] == "cancelled"


def test_the_audit_is_for_those_who_keep_it(world: World, ivy: Caller) -> None:
    customer = make_customer(team=world.north, by=world.ana)
    assert_problem(ivy.get("events/"), 403)
    found = Caller(world.ada).get("events/", {"noun": "customer", "object": customer.pk}).json()["results"]
    assert (found[0]["action"], found[0]["actor"]) == ("created", world.ana.pk)


def test_colleagues_are_seen_and_accounts_are_the_administrators(world: World, ivy: Caller) -> None:
    assert world.eve.pk not in [user["id"] for user in ivy.get("users/").json()["results"]]
    body = {"email": "new@example.com", "name": "New", "team": world.north.pk, "role": "service_agent"}
    assert_problem(ivy.post("users/", body), 403)
    made = Caller(world.ada).post("users/", body)
    assert made.status_code == 201, made.content
    assert not User.objects.get(email="new@example.com").has_usable_password()
    assert_problem(Caller(world.ada).post("users/", body | {"password": "x"}), 400, field="password")
    assert_problem(Caller(world.ada).post("users/", body | {"email": "NEW@example.com"}), 400)


def test_closing_an_account_ends_its_tokens(world: World) -> None:
    ada, sam = Caller(world.ada), Caller(world.sam)
    assert sam.get("customers/").status_code == 200
    assert ada.patch(f"users/{world.sam.pk}/", {"is_active": False}, if_match=f'"{world.sam.version}"').status_code == 200
    assert_problem(sam.get("customers/"), 401)
    sam.token.refresh_from_db()
    assert sam.token.revoked_at is not None
    assert_problem(ada.patch(f"users/{world.ada.pk}/", {"role": "executive"}, if_match=f'"{world.ada.version}"'), 400, field="role")


def test_a_team_cannot_stand_below_itself(world: World) -> None:
    ada = Caller(world.ada)
    answer = ada.patch(f"teams/{world.north.pk}/", {"parent": world.bergen.pk}, if_match=f'"{world.north.version}"')
    assert_problem(answer, 400, field="parent")
    assert Caller(world.ivy).get("teams/").json()["results"]


def test_tokens_are_listed_without_their_secret(world: World, ivy: Caller) -> None:
    Caller(world.ana)
    listed = ivy.get("tokens/").json()["results"]
    assert [token["user"] for token in listed] == [world.ivy.pk]
    assert "digest" not in listed[0]


# ── Imports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def upload(caller: Caller, text: str = "id,name\n1,Acme\n2,Bolt\n", key: str | None = None, **fields: Any) -> Any:
    file = SimpleUploadedFile("customers.csv", text.encode(), content_type="text/csv")
    mapping = '{"id": "key", "name": "legal_name"}'
    form = {"file": file, "kind": "customers", "source": "erp", "mapping": mapping, **fields}
    given = {name: value for name, value in form.items() if value is not None}
    return caller.client.post("/api/v1/imports/", given, headers={"Idempotency-Key": key} if key else None)


def test_an_uploaded_file_becomes_a_job(world: World, ivy: Caller) -> None:
    made = upload(ivy, dry_run="true")
    assert made.status_code == 201, made.content
    run = ImportRun.objects.get(pk=made.json()["id"])
    assert (run.by, run.file_name, run.job and run.job.kind) == (world.ivy, "customers.csv", "check_import")
    assert ivy.get(f"imports/{run.pk}/").json()["state"] == "mapped"
    assert_problem(Caller(world.ana).get(f"imports/{run.pk}/"), 404)
    assert not Customer.objects.exists()


def test_stopping_the_job_of_an_import_stops_the_import(world: World, ivy: Caller) -> None:
    made = upload(ivy).json()
    assert ivy.post(f"jobs/{made['job']}/cancel/").json()["state"] == "cancelled"
    assert ivy.get(f"imports/{made['id']}/").json()["state"] == "cancelled"


def test_what_is_wrong_with_an_upload_is_named(world: World, ivy: Caller) -> None:
    assert_problem(upload(ivy, kind="cats"), 400, field="kind")
    assert_problem(upload(ivy, file=None), 400, field="file")
    assert_problem(upload(ivy, mapping="{"), 400, field="mapping")
    assert_problem(upload(ivy, mapping='{"id": "nowhere"}'), 400, field="mapping")
    assert_problem(upload(ivy, mapping='{"id": 5}'), 400, field="mapping.id")
    assert_problem(upload(ivy, more="x"), 400, field="more")
    assert_problem(upload(ivy, text="%PDF-1.4 \x00\x01"), 400, field="file")
    assert_problem(ivy.post("imports/", {}), 415)
    assert_problem(upload(Caller(world.sam)), 403)
    assert not ImportRun.objects.exists()


def test_the_same_upload_again_is_one_import(world: World, ivy: Caller) -> None:
    first, second = (upload(ivy, key="i1") for _ in range(2))
    assert (first.status_code, second.json()) == (201, first.json()), first.content
    assert ImportRun.objects.count() == 1


def test_a_source_system_is_made_once(world: World, ivy: Caller) -> None:
    make_source("shop")
    assert ivy.post("source-systems/", {"code": "crm2", "name": "Old CRM"}).status_code == 201
    assert_problem(ivy.post("source-systems/", {"code": "shop", "name": "Shop"}), 400, field="code")
