from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from customers.models import ContactMethod, CrossReference, Customer, CustomField, SourceRecord, SourceSystem
from tests.factories import make_customer
from tests.imports.files import begin, counts, problems, run_file, upload
from tests.people import World
from users.models import Event

CUSTOMERS = "id,name,industry,phone,city\n1,Acme Corporation,retail,+1 212 555 0142,New York\n2,Betasoloin,medical,,\n"


def test_a_row_becomes_a_customer_with_its_source_kept(world: World) -> None:
    run = run_file(CUSTOMERS, "customers", by=world.ivy)
    acme = Customer.objects.get(legal_name="Acme Corporation")
    record = SourceRecord.objects.get(key="1")
    assert counts(run) == {"created": 2}
    assert record.payload == {"id": "1", "name": "Acme Corporation", "industry": "retail", "phone": "+1 212 555 0142", "city": "New York"}
    assert acme.provenance == {"legal_name": record.pk, "industry": record.pk}
    assert acme.team == world.north
    assert CrossReference.objects.get(customer=acme).key == "1"
    assert [method.normalised for method in acme.methods.all()] == ["+12125550142"]
    assert acme.addresses.get().city == "New York"
    assert Event.objects.of("customer", acme.pk).get().import_run_id == run.pk


def test_the_same_file_again_changes_nothing(world: World) -> None:
    run_file(CUSTOMERS, "customers", by=world.ivy)
    before = (Customer.objects.count(), SourceRecord.objects.count(), Event.objects.filter(noun="customer").count())
    run = run_file(CUSTOMERS, "customers", by=world.ivy)
    assert counts(run) == {"unchanged": 2}
    assert before == (Customer.objects.count(), SourceRecord.objects.count(), Event.objects.filter(noun="customer").count())


def test_a_changed_row_updates_by_key_and_says_what_changed(world: World) -> None:
    run_file(CUSTOMERS, "customers", by=world.ivy)
    run = run_file(CUSTOMERS.replace("retail", "finance"), "customers", by=world.ivy)
    acme = Customer.objects.get(legal_name="Acme Corporation")
    assert counts(run) == {"updated": 1, "unchanged": 1}
    assert (acme.industry, acme.version) == ("finance", 2)
    assert Event.objects.of("customer", acme.pk).newest_first()[0].changes == {"industry": ["retail", "finance"]}
    assert list(SourceRecord.objects.filter(key="1").order_by("version").values_list("version", flat=True)) == [1, 2]


def test_what_a_person_corrected_stands_above_the_file(world: World) -> None:
    run_file(CUSTOMERS, "customers", by=world.ivy)
    acme = Customer.objects.get(legal_name="Acme Corporation")
    acme.change(by=world.ana, industry="wholesale")
    run_file(CUSTOMERS.replace("retail", "finance"), "customers", by=world.ivy)
    acme.refresh_from_db()
    assert acme.industry == "wholesale"


def test_an_empty_cell_says_nothing(world: World) -> None:
    run_file(CUSTOMERS, "customers", by=world.ivy)
    run_file(CUSTOMERS.replace("retail", ""), "customers", by=world.ivy)
    assert Customer.objects.get(legal_name="Acme Corporation").industry == "retail"


def test_a_bad_cell_rejects_its_row_and_names_the_cell(world: World) -> None:
    run = run_file("id,name,employees,revenue\n1,Acme,many,5\n2,Beta,7,-1\n3,Good,3,1.5\n4,,3,1\n", "customers", by=world.ivy)
    assert problems(run) == [(2, "employees", "bad_whole_number"), (3, "revenue", "too_small"), (5, "name", "missing")]
    assert counts(run) == {"created": 1, "rejected": 3}


def test_numbers_are_given_in_the_order_of_the_file_without_gaps(world: World) -> None:
    run_file("id,name,employees\n" + "".join(f"{n},Firm {n},{'x' if n % 7 == 0 else n}\n" for n in range(1, 50)), "customers", by=world.ivy)
    numbers = [int(number[1:]) for number in Customer.objects.order_by("pk").values_list("number", flat=True)]
    assert numbers == list(range(numbers[0], numbers[0] + 42))


def test_a_parent_may_stand_below_its_subsidiary(world: World) -> None:
    run = run_file("id,name,parent\n1,Child,Mother\n2,Mother,\n3,Orphan,Nobody\n", "customers", by=world.ivy)
    assert Customer.objects.get(legal_name="Child").parent == Customer.objects.get(legal_name="Mother")
    assert problems(run) == [(4, "parent", "parent_unknown")]


def test_a_circle_of_parents_is_left_to_a_person(world: World) -> None:
    run = run_file("id,name,parent\n1,A,B\n2,B,C\n3,C,A\n4,Self,Self\n", "customers", by=world.ivy)
    assert sorted(code for _row, _column, code in problems(run)) == ["circle", "circle"]
    assert Customer.objects.filter(parent=None).count() == 2


def test_another_teams_customer_is_neither_found_nor_changed(world: World) -> None:
    run_file("id,name\n1,Acme\n", "customers", by=world.eve)
    run = run_file("id,name\n1,Taken over\n", "customers", by=world.ana)
    assert problems(run) == [(2, "", "not_visible")]
    assert Customer.objects.get().legal_name == "Acme"


def test_an_account_manager_may_not_give_customers_away(world: World) -> None:
    run = run_file("id,name,owner\n1,Acme,Ana\n2,Beta,Sam\n", "customers", by=world.ana)
    assert Customer.objects.get().owner == world.ana
    assert problems(run) == [(3, "owner", "may_not_assign")]


def test_a_colleague_whom_the_person_does_not_see_stays_unknown(world: World) -> None:
    run = run_file("id,name,owner\n1,Acme,Eve\n", "customers", by=world.ana)
    assert Customer.objects.get().owner is None
    assert problems(run) == [(2, "owner", "owner_unknown")]


def test_an_owner_brings_the_team(world: World) -> None:
    run_file("id,name,owner\n1,Acme,eve@example.com\n", "customers", by=world.ada)
    assert Customer.objects.get().team == world.south


def test_a_name_that_is_there_already_is_told(world: World) -> None:
    other = make_customer("ACME corporation", team=world.north)
    run = run_file(CUSTOMERS, "customers", by=world.ivy)
    assert counts(run) == {"created": 2, "duplicates": 1}
    assert other.number in str(run.problems.get().parameters)


def test_rows_can_be_matched_by_name_or_credit_code(world: World) -> None:
    make_customer("Acme Corporation", team=world.north)
    make_customer("Huaxin", team=world.north, credit_code="91350100M000100Y43")
    assert counts(run_file("name,industry\nacme  corporation.,retail\n", "customers", by=world.ivy)) == {"updated": 1}
    run = run_file(
        "credit code,name\n91350100M000100Y43,Huaxin Ltd\n",
        "customers",
        by=world.ivy,
        mapping={"credit code": "credit_code", "name": "legal_name"},
    )
    assert counts(run) == {"updated": 1}
    assert Customer.objects.count() == 2


def test_the_second_mention_of_a_key_updates_the_first(world: World) -> None:
    run = run_file("id,name\n1,First\n1,Second\n", "customers", by=world.ivy)
    assert counts(run) == {"created": 1, "updated": 1}
    assert Customer.objects.get().legal_name == "Second"


def test_custom_fields_are_imported_and_checked(world: World) -> None:
    CustomField.add(by=world.ada, key="erp_class", label="ERP class", kind="choice", choices=["A", "B"])
    run = run_file("id,name,ERP class\n1,Acme,A\n2,Beta,Z\n", "customers", by=world.ivy)
    assert Customer.objects.get().custom == {"erp_class": "A"}
    assert problems(run) == [(3, "ERP class", "bad_custom")]


def test_hints_of_the_source_mend_its_spellings(world: World) -> None:
    SourceSystem.objects.create(code="erp", name="ERP", hints={"technolgy": "technology"})
    run_file("id,name,industry\n1,Acme,Technolgy\n", "customers", by=world.ivy)
    assert Customer.objects.get().industry == "technology"


def test_chinese_columns_and_values_are_understood(world: World) -> None:
    text = "编号,客户名称,统一社会信用代码,年收入,国家,状态\n1,上海华信科技有限公司,91350100M000100Y43,1.2亿,中国,活跃\n"
    run = run_file(text.encode("gb18030"), "customers", by=world.ivy)
    customer = Customer.objects.get()
    assert run.inspection["form"]["encoding"] == "gb18030"
    assert (str(customer.annual_revenue), customer.country) == ("120000000.00", "CN")


def test_a_check_counts_and_writes_nothing(world: World) -> None:
    from customers.imports import runs

    run = upload(CUSTOMERS + "3,,x,,\n1,Acme again,,,\n", "customers", by=world.ivy)
    runs.set_mapping(run, mapping=run.mapping)
    runs.check(run, lambda _done: None)
    assert counts(run) == {"created": 2, "updated": 1, "rejected": 1}
    assert (Customer.objects.count(), SourceRecord.objects.count(), ContactMethod.objects.count()) == (0, 0, 0)
    assert run.state == "checked"


def test_an_unclear_column_must_be_decided(world: World) -> None:
    run = upload("id,name,customer since\n1,Acme,03-04-2017\n", "customers", by=world.ivy)
    from customers.imports import runs

    runs.set_mapping(run, mapping=run.mapping)
    with pytest.raises(ValidationError, match=r"customer since \(03-04-2017: dmy / mdy\)"):
        begin(run)
    runs.set_mapping(run, mapping=run.mapping, options={"columns": {"customer since": {"order": "dmy"}}})
    begin(run)
    runs.work(run, lambda _done: None)
    assert str(Customer.objects.get().acquired_on) == "2017-04-03"


def test_a_scale_turns_millions_into_money(world: World) -> None:
    run_file(
        "id,name,revenue\n1,Acme,1100.04\n", "customers", by=world.ivy, options={"columns": {"revenue": {"mark": ".", "scale": 1_000_000}}}
    )
    assert Customer.objects.get().annual_revenue == 1_100_040_000


def test_a_name_that_several_customers_have_is_told_once(world: World) -> None:
    for _time in range(2):
        make_customer("Acme", team=world.north)
    run = run_file("name,industry\nAcme,retail\n", "customers", by=world.ivy)
    assert [code for _row, _column, code in problems(run)] == ["customer_unclear"]
