from __future__ import annotations

import csv
import io
from typing import Any

from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from customers.models import CustomField
from tests.factories import make_customer
from tests.people import World
from users.models import Event
from users.spreadsheets import FORMULA_STARTS, as_received, as_text


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    answer: Any = client.get(f"/customers/export/?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_the_list_as_narrowed_and_sorted(client: Client, world: World) -> None:
    client.force_login(world.ana)
    CustomField.add(by=None, key="floor", label="Floor", kind="number")
    make_customer("Acme", team=world.north, status="active", owner=world.ana, tags=["a", "b"], custom={"floor": 7})
    make_customer("华信", team=world.north, status="active")
    make_customer("Idle", team=world.north)
    make_customer("Theirs", team=world.south, status="active")
    rows = exported(client, "status=active&sort=-name")
    assert [row["legal name"] for row in rows] == ["华信", "Acme"]
    assert (rows[1]["status"], rows[1]["owner"], rows[1]["tags"], rows[1]["Floor"]) == ("Active", "Ana", "a, b", "7")


def test_no_cell_is_run_as_a_formula(client: Client, world: World) -> None:
    client.force_login(world.ana)
    make_customer('=HYPERLINK("http://evil.example","x")', team=world.north, industry="@SUM(A1)", region=" +1", annual_revenue="-0")
    row = exported(client)[0]
    assert row["legal name"].startswith("'=")
    assert (row["industry"], row["region"]) == ("'@SUM(A1)", "' +1")


@given(st.text(alphabet=[*FORMULA_STARTS, "'", " ", "a", "1"], max_size=8))
def test_a_disarmed_cell_comes_back_as_it_was(cell: str) -> None:
    disarmed = as_text(cell)
    assert not disarmed.lstrip(" ").startswith(FORMULA_STARTS)
    assert as_received(disarmed) == cell


def test_an_export_leaves_its_trace(client: Client, world: World) -> None:
    client.force_login(world.ana)
    exported(client, "q=acme")
    event = Event.objects.get(action="exported")
    assert (event.actor, event.label) == (world.ana, "q=acme")


def test_exporting_is_for_those_who_may(client: Client, world: World) -> None:
    client.force_login(world.sam)
    assert client.get("/customers/export/").status_code == 403


def test_a_bad_filter_is_named_instead_of_ignored(client: Client, world: World) -> None:
    client.force_login(world.ana)
    answer = client.get("/customers/export/?status=nonsense")
    assert answer.status_code == 400
    assert "Status" in answer.content.decode()
