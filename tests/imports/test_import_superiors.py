"""The column `reports to` of a file of contacts."""

from __future__ import annotations

import pytest

from customers.imports import undoing
from customers.models import Contact, Position
from tests.factories import make_contact, make_customer
from tests.imports.files import counts, problems, run_file
from tests.people import World

HEADER = "id,name,company,reports to\n"


def _superiors() -> dict[str, str | None]:
    return dict(Position.objects.values_list("contact__name", "reports_to__name"))


@pytest.fixture(autouse=True)
def _acme(world: World) -> None:
    make_customer("Acme", team=world.north)
    make_customer("Beta", team=world.north)


def test_a_superior_is_found_by_key_and_by_name_wherever_it_stands_in_the_file(world: World) -> None:
    text = HEADER + "1,Li Wei,Acme,3\n2,Kari Berg,Acme, LI  WEI \n3,Ola Dahl,Acme,\n"
    run = run_file(text, "contacts", by=world.ivy)
    assert counts(run) == {"created": 3}
    assert _superiors() == {"Li Wei": "Ola Dahl", "Kari Berg": "Li Wei", "Ola Dahl": None}
    assert run_file(text, "contacts", by=world.ivy).counts["unchanged"] == 3
    assert set(Position.objects.values_list("version", flat=True)) == {1, 2}


def test_a_superior_who_is_there_already_is_found(world: World) -> None:
    make_contact("Chief", customer=make_customer("Gamma", team=world.north), other_name="老板")
    run_file(HEADER + "1,Li Wei,Gamma,老板\n", "contacts", by=world.ivy)
    assert _superiors()["Li Wei"] == "Chief"


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("1,Li Wei,Acme,Nobody\n", [(2, "reports to", "superior_unknown")]),
        ("1,Li Wei,Acme,Kari\n2,Kari,Beta,\n", [(2, "reports to", "superior_unknown")]),
        ("1,Li Wei,Acme,Kari\n2,Kari,Acme,\n3,KARI,Acme,\n", [(2, "reports to", "superior_unclear")]),
        ("1,Li Wei,,Kari\n", [(2, "reports to", "superior_of_which_customer")]),
        ("1,Li Wei,Acme,1\n", [(2, "reports to", "superior_circle")]),
    ],
)
def test_who_is_not_found_waits_for_a_person_and_is_not_invented(world: World, rows: str, found: list[tuple[int, str, str]]) -> None:
    run = run_file(HEADER + rows, "contacts", by=world.ivy)
    assert problems(run) == found
    assert run.counts["to_do"] == 1
    assert run.problems.get().severity == "to_do"
    assert Contact.objects.count() == rows.count("\n")
    assert set(_superiors().values()) <= {None}


def test_a_circle_is_refused_at_the_row_that_closes_it(world: World) -> None:
    run = run_file(HEADER + "1,A,Acme,2\n2,B,Acme,3\n3,C,Acme,1\n", "contacts", by=world.ivy)
    assert problems(run) == [(4, "reports to", "superior_circle")]
    assert _superiors() == {"A": "B", "B": "C", "C": None}


def test_undoing_takes_the_superior_back(world: World) -> None:
    run_file(HEADER + "1,A,Acme,\n2,B,Acme,\n", "contacts", by=world.ivy)
    run = run_file(HEADER + "1,A,Acme,2\n", "contacts", by=world.ivy)
    assert _superiors()["A"] == "B"
    undoing.undo(run, lambda _done: None)
    assert _superiors() == {"A": None, "B": None}


def test_undoing_the_file_that_brought_both_removes_both(world: World) -> None:
    run = run_file(HEADER + "1,A,Acme,2\n2,B,Acme,\n", "contacts", by=world.ivy)
    undoing.undo(run, lambda _done: None)
    assert not Contact.objects.exists()
