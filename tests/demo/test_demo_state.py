from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from crm.demo import company
from crm.demo.company import State
from customers.models import Customer, Order
from tests.factories import make_team, make_user
from users.models import Team, User


@pytest.fixture(autouse=True)
def _nobody_and_no_files(db: None, settings: Settings, tmp_path: Path) -> None:
    """A database as new, whichever tests have run before, and no files beside the product."""
    settings.SHARED_DATA = tmp_path
    User.objects.all().delete()
    for team in Team.objects.order_by("-path"):
        team.delete()


def test_without_the_files_a_company_of_the_same_size_is_made_up() -> None:
    call_command("demo")

    assert Customer.objects.count() == company.CUSTOMERS
    assert Order.objects.exists()
    assert User.objects.filter(team__name="West").exists()


def test_somebodys_data_is_left_alone() -> None:
    make_user("somebody", team=make_team("Somewhere"))
    assert company.state() is State.FOREIGN

    call_command("demo", if_empty=True)

    assert not Customer.objects.exists()
    with pytest.raises(CommandError, match="somebody"):
        call_command("demo")


def test_a_load_that_breaks_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_arguments: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(company, "write_batch", break_off)
    with pytest.raises(KeyboardInterrupt):
        call_command("demo")

    assert company.state() is State.EMPTY
