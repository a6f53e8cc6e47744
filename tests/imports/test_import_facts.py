from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from customers.models import Asset, Contact, ContactPoint, Contract, Opportunity, Order, Product, Suppression
from tests.factories import make_contract, make_customer, make_product
from tests.imports.files import counts, problems, run_file
from tests.people import World

pytestmark = pytest.mark.django_db


def test_a_product_is_found_by_its_normalised_name(world: World) -> None:
    make_customer("Isdom", team=world.north)
    product = make_product("GTX Pro")
    run = run_file("id,account,product,stage,close value\n1,isdom,GTXPro,Won,4514\n", "opportunities", by=world.ivy)
    opportunity = Opportunity.objects.get()
    assert counts(run) == {"created": 1}
    assert (opportunity.product, opportunity.stage, opportunity.amount) == (product, "won", Decimal(4514))


def test_an_opportunity_without_a_known_account_waits_in_the_to_do_list(world: World) -> None:
    run = run_file("id,account,stage\n1,,Engaging\n2,Nobody Inc,Won\n", "opportunities", by=world.ivy)
    assert counts(run) == {"created": 2, "to_do": 2}
    assert Opportunity.objects.without_customer().count() == 2


def test_an_order_of_an_unknown_customer_is_kept_as_a_to_do(world: World) -> None:
    run = run_file("id,customer,date,amount\n1,Nobody Inc,2026-01-05,10\n", "orders", by=world.ivy)
    assert counts(run) == {"to_do": 1}
    assert run.problems.get().row == {"id": "1", "customer": "Nobody Inc", "date": "2026-01-05", "amount": "10"}


def test_lines_of_one_order_are_summed(world: World) -> None:
    make_customer("Acme", team=world.north)
    text = "order no,line,customer,date,quantity,amount,cost\nA1,1,Acme,2026-01-05,2,100.50,60\n"
    text += "A1,2,Acme,2026-01-05,1,50,20\nA2,1,Acme,2026-01-06,1,1,1\n"
    run = run_file(text, "orders", by=world.ivy)
    order = Order.objects.get(source_key="A1")
    assert (order.amount, order.cost, order.lines.count()) == (Decimal("150.50"), Decimal(80), 2)
    assert counts(run_file(text, "orders", by=world.ivy)) == {"unchanged": 3}
    run = run_file(text.replace("100.50", "110.50"), "orders", by=world.ivy)
    order.refresh_from_db()
    assert counts(run) == {"updated": 1, "unchanged": 2}
    assert order.amount == Decimal("160.50")


def test_a_contract_that_ends_before_it_starts_is_rejected(world: World) -> None:
    make_customer("Acme", team=world.north)
    text = "id,customer,title,amount,start,end,grade\n1,Acme,Care,100,2026-02-01,2026-01-01,3\n2,Acme,Care,100,2026-01-01,2026-12-31,2\n"
    run = run_file(text, "contracts", by=world.ivy)
    assert problems(run) == [(2, "end", "not_in_order")]
    assert (Contract.objects.get().service_grade, Contract.objects.get().ends_on) == (2, date(2026, 12, 31))


def test_a_day_is_compared_with_what_an_earlier_file_told(world: World) -> None:
    make_customer("Acme", team=world.north)
    run_file("id,customer,title,amount,start\n1,Acme,Care,100,2026-02-01\n", "contracts", by=world.ivy)
    run = run_file("id,customer,title,amount,start,end\n1,Acme,Care,100,,2026-01-01\n", "contracts", by=world.ivy)
    assert [code for _row, _column, code in problems(run)] == ["missing"]  # what is required stays so
    run_file("sn,customer,delivered\nS1,Acme,2026-02-01\n", "assets", by=world.ivy)
    run = run_file("sn,customer,retired\nS1,Acme,2026-01-31\n", "assets", by=world.ivy)
    assert problems(run) == [(2, "retired", "not_in_order")]
    assert Asset.objects.get().retired_on is None


@pytest.mark.parametrize(
    ("kind", "text", "column"),
    [
        ("orders", "id,customer,date,delivered,amount\n1,Acme,2026-02-01,2026-01-31,10\n", "delivered"),
        ("opportunities", "id,account,engage date,close date\n1,Acme,2026-02-01,2026-01-31\n", "close date"),
        ("assets", "sn,customer,delivered,warranty\nS1,Acme,2026-02-01,2026-01-31\n", "warranty"),
    ],
)
def test_what_ends_before_it_begins_rejects_its_row(world: World, kind: str, text: str, column: str) -> None:
    make_customer("Acme", team=world.north)
    assert problems(run_file(text, kind, by=world.ivy)) == [(2, column, "not_in_order")]


def test_a_contract_does_not_come_to_run_into_its_renewal(world: World) -> None:
    customer = make_customer("Acme", team=world.north)
    text = "id,customer,title,amount,start,end\n1,Acme,Care,100,2025-01-01,2025-12-31\n"
    run_file(text, "contracts", by=world.ivy)
    make_contract(customer=customer, renews=Contract.objects.get(), starts_on=date(2026, 1, 1), ends_on=None)
    run = run_file(text.replace("2025-12-31", "2026-01-31"), "contracts", by=world.ivy)
    assert problems(run) == [(2, "end", "overlaps")]
    assert Contract.objects.get(source_key="1").ends_on == date(2025, 12, 31)
    assert counts(run_file(text.replace("2025-12-31", "2025-11-30"), "contracts", by=world.ivy)) == {"updated": 1}


def test_a_row_that_the_database_refuses_leaves_the_others_in(world: World) -> None:
    make_customer("Acme", team=world.north)
    product = make_product("Server")
    Asset.add(by=None, customer=make_customer(team=world.north), product=product, serial="S7")
    text = "id,customer,serial,product\n" + "".join(f"{n},Acme,S{n},Server\n" for n in range(20))
    run = run_file(text, "assets", by=world.ivy)
    assert counts(run) == {"created": 19, "rejected": 1}
    assert problems(run) == [(9, "", "refused")]


def test_contact_points_keep_author_and_moment_and_are_not_rewritten(world: World) -> None:
    make_customer("Acme", team=world.north)
    text = "id,customer,when,kind,subject,author\n7,Acme,2026-03-01 14:30,Call,Asked for an offer,Sam\n"
    run_file(text, "contact_points", by=world.ivy)
    point = ContactPoint.objects.get()
    assert (point.at.isoformat(), point.staff, point.created_by, point.channel) == (
        "2026-03-01T14:30:00+00:00",
        world.sam,
        world.ivy,
        "phone",
    )
    run = run_file(text.replace("an offer", "a demo"), "contact_points", by=world.ivy)
    assert counts(run) == {"skipped": 1}
    assert ContactPoint.objects.get().subject == "Asked for an offer"


def test_contacts_come_with_their_place_and_methods(world: World) -> None:
    acme = make_customer("Acme", team=world.north)
    text = "id,name,company,job title,email,mobile\n1,Li Wei,Acme,CIO,Li.Wei@acme.example,+86 138 1234 5678\n"
    run = run_file(text, "contacts", by=world.ivy)
    contact = Contact.objects.get()
    assert counts(run) == {"created": 1}
    assert contact.positions.get().customer == acme
    assert sorted(contact.methods.values_list("normalised", flat=True)) == ["+8613812345678", "li.wei@acme.example"]
    assert counts(run_file(text, "contacts", by=world.ivy)) == {"unchanged": 1}
    assert counts(run_file(text.replace("CIO", "CEO"), "contacts", by=world.ivy)) == {"updated": 1}
    assert contact.positions.get().job_title == "CEO"


def test_an_erased_person_does_not_come_back_and_is_not_quoted(world: World) -> None:
    Suppression.add(["li.wei@acme.example"])
    run = run_file("id,name,email\n1,Li Wei,LI.WEI@acme.example\n", "contacts", by=world.ivy)
    assert counts(run) == {"rejected": 1}
    assert not Contact.objects.exists()
    assert "Li Wei" not in str(list(run.problems.values()))


def test_products_update_by_code(world: World) -> None:
    make_product("Server", code="S1")
    run = run_file("code,name,price\nS1,Server,99\n", "products", by=world.ivy)
    assert counts(run) == {"updated": 1}
    assert Product.objects.get().unit_price == 99
