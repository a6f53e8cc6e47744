"""What files may look like, and what is refused."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from customers.imports import reading, runs
from customers.imports.problems import BadFile
from customers.models import Customer
from tests.imports.files import counts, problems, run_file, upload
from tests.people import World


def _form(raw: bytes) -> reading.Form:
    return reading.detect(io.BytesIO(raw))


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("id,name\n1,Müller GmbH\n", "utf-8", "utf-8"),
        ("id,name\n1,Müller GmbH\n", "utf-8-sig", "utf-8-sig"),
        ("id,name\n1,Müller GmbH\n2,Société Générale\n", "latin-1", "cp1252"),
        ("id,name\n1,上海华信科技有限公司\n", "gb18030", "gb18030"),
        ("id,name\n1,上海华信科技有限公司\n", "utf-8", "utf-8"),
        ("id,name\n1,Müller\n", "utf-16", "utf-16"),
        ("id,name\n1,Plain\n", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str, found: str) -> None:
    raw = text.encode(encoding)
    assert _form(raw).encoding == found
    rows = list(reading.rows(io.BytesIO(raw), _form(raw)))
    assert rows[0][1][1] == text.splitlines()[1].split(",")[1]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(separator: str) -> None:
    text = separator.join(["id", "name", "note"]) + "\n" + separator.join(["1", '"a, b; c"', "x"]) + "\n"
    assert _form(text.encode()).separator == separator


def _workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_like_a_text_file(world: World) -> None:
    from datetime import date

    run = run_file(_workbook([["id", "name", "employees", "customer since"], [1, "Acme", 12, date(2020, 5, 4)]]), "customers", by=world.ivy)
    customer = Customer.objects.get()
    assert counts(run) == {"created": 1}
    assert (customer.employees, str(customer.acquired_on)) == (12, "2020-05-04")


def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 50_000_000)
    return out.getvalue()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("../../etc/passwd", "x")
    return out.getvalue()


def _entity_workbook() -> bytes:
    """A workbook whose sheet names an entity that would swell to billions of characters."""
    source = io.BytesIO(_workbook([["id", "name"], [1, "Acme"]]))
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            text = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                text = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + text.split(b"?>", 1)[-1]
            new.writestr(entry.filename, text)
    return out.getvalue()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xef\xbb\xbf",
        b"\n\n\n",
        b",,,\n1,2,3\n",
        b"%PDF-1.7 ...",
        b"\xd0\xcf\x11\xe0 old excel",
        b"PK\x03\x04 torn",
        _bomb(),
        _zip(),
        _entity_workbook(),
        b"\x00\x01\x02\x03" * 100,
        b"a" * 400_000 + b"\n1\n",
        ",".join(f"c{n}" for n in range(400)).encode() + b"\n1\n",
    ],
    ids=["empty", "mark", "blank", "unnamed", "pdf", "xls", "torn", "bomb", "zip", "entities", "binary", "huge-cell", "wide"],
)
def test_what_is_no_table_is_refused_with_a_reason(world: World, raw: bytes) -> None:
    with pytest.raises(BadFile) as refusal:
        upload(raw, "customers", by=world.ivy)
    assert str(refusal.value)


def test_repeated_and_empty_column_names_stay_apart(world: World) -> None:
    run = upload("name,,name\nA,B,C\n", "customers", by=world.ivy)
    assert [column["name"] for column in run.inspection["columns"]] == ["name", "Column 2", "name (2)"]


def test_hostile_cells_reject_their_row_only(world: World) -> None:
    text = "id,name\n1,nul\x00byte\n2," + "x" * 5000 + "\n3,a,b,c\n4,\u202eevil\n5,=1+1\n6,'=1+1\n7,<script>alert(1)</script>\n"
    run = run_file(text, "customers", by=world.ivy)
    assert problems(run)[:3] == [(2, "name", "nul"), (3, "name", "too_long"), (4, "", "too_many_cells")]
    names = list(Customer.objects.order_by("number").values_list("legal_name", flat=True))
    assert names == ["\u202eevil", "=1+1", "=1+1", "<script>alert(1)</script>"]


def test_short_and_blank_rows_are_no_problem(world: World) -> None:
    run = run_file("id,name,industry\n1,Acme\n\n,,\n2,Beta,x\n", "customers", by=world.ivy)
    assert counts(run) == {"created": 2}


def test_another_encoding_can_be_chosen(world: World) -> None:
    run = upload("id;name\n1;Łódź SA\n".encode("cp1250"), "customers", by=world.ivy)
    runs.reread(run, encoding="cp1250", separator=";")
    assert run.inspection["rows"][0][1] == "Łódź SA"
    with pytest.raises(BadFile):
        runs.reread(run, encoding="utf-8", separator=";")


def test_the_last_mapping_of_a_source_is_offered_again(world: World) -> None:
    run_file("a,b\n1,Acme\n", "customers", by=world.ivy, mapping={"a": "key", "b": "legal_name"})
    assert upload("a,b\n2,Beta\n", "customers", by=world.ivy).mapping == {"a": "key", "b": "legal_name"}


def test_a_column_that_is_new_in_a_sources_file_is_not_left_out(world: World) -> None:
    run_file("a,b\n1,Acme\n", "customers", by=world.ivy, mapping={"a": "key", "b": "legal_name"})
    longer = upload("a,b,credit_code\n2,Beta,x\n", "customers", by=world.ivy)
    assert longer.mapping == {"a": "key", "b": "legal_name", "credit_code": "credit_code"}
    assert upload("a,name\n2,Beta\n", "customers", by=world.ivy).mapping == {"a": "key", "name": "legal_name"}


def test_a_column_that_somebody_left_out_stays_out(world: World) -> None:
    run_file("id,name,sector\n1,Acme,software\n", "customers", by=world.ivy, mapping={"id": "key", "name": "legal_name"})
    assert upload("id,name,sector\n2,Beta,retail\n", "customers", by=world.ivy).mapping == {"id": "key", "name": "legal_name"}


def test_a_source_with_two_files_keeps_what_it_knows_of_both(world: World) -> None:
    run_file("a,b\n1,Acme\n", "customers", by=world.ivy, mapping={"a": "key", "b": "legal_name"})
    run_file("x,y\n1,Acme\n", "customers", by=world.ivy, mapping={"x": "key", "y": "legal_name"})
    assert upload("a,b\n2,Beta\n", "customers", by=world.ivy).mapping == {"a": "key", "b": "legal_name"}


def test_a_scale_is_remembered_with_the_column(world: World) -> None:
    scaled = {"columns": {"revenue": {"scale": 1_000_000}}}
    run_file("id,name,revenue\n1,Acme,1.5\n", "customers", by=world.ivy, options=scaled)
    run_file("id,name,revenue\n2,Beta,2.5\n", "customers", by=world.ivy)
    assert Customer.objects.get(legal_name="Beta").annual_revenue == 2_500_000


def test_a_remembered_order_that_does_not_fit_is_asked_for_again(world: World) -> None:
    run_file("id,name,since\n1,Acme,2020-01-05\n", "customers", by=world.ivy)
    run = upload("id,name,since\n2,Beta,03-04-2017\n", "customers", by=world.ivy)
    assert list(runs.unclear_columns(run)) == ["since"]


def test_what_is_said_of_one_column_leaves_the_others_as_they_were_read(world: World) -> None:
    text = "id;name;revenue;since\n1;Acme;2.000,50;31.12.2019\n"
    run = run_file(text, "customers", by=world.ivy, options={"columns": {"revenue": {"mark": ","}}})
    assert problems(run) == []
    assert str(Customer.objects.get().acquired_on) == "2019-12-31"
