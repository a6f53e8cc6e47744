from __future__ import annotations

import pytest

from customers.models import Customer
from tests.factories import make_customer
from tests.people import World
from users.keyset import BadCursor, Page, Sort, page_of

NAME = Sort("name", "sort_key")
NAME_DOWN = Sort("-name", "sort_key", descending=True)


@pytest.fixture
def _letters(world: World) -> None:
    for name in ("A", "B", "B", "B", "C", "D", "E"):  # equal names: the key makes the order total
        make_customer(name, team=world.north)


def _walk(sort: Sort) -> list[Page[Customer]]:
    pages = [page_of(Customer.objects.all(), sort, size=2)]
    while cursor := pages[-1].next:
        pages.append(page_of(Customer.objects.all(), sort, cursor, size=2))
    return pages


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("sort", [NAME, NAME_DOWN])
def test_walking_forward_meets_each_row_once_in_order(sort: Sort) -> None:
    seen = [row.pk for page in _walk(sort) for row in page.rows]
    assert seen == list(Customer.objects.order_by(*sort.columns()).values_list("pk", flat=True))


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("sort", [NAME, NAME_DOWN])
def test_walking_back_meets_the_same_pages(sort: Sort) -> None:
    pages = _walk(sort)
    back = [pages[-1]]
    while cursor := back[-1].previous:
        back.append(page_of(Customer.objects.all(), sort, cursor, size=2))
    rows = [row.pk for page in reversed(back) for row in page.rows]
    assert rows == [row.pk for page in pages for row in page.rows]
    assert back[-1].previous is None


@pytest.mark.usefixtures("_letters")
@pytest.mark.parametrize("cursor", ["x", "%%%", "bnVsbA", "W10", "=" * 3000, "WyJmIiwibmFtZSIsIkEiLCJ4Il0"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        page_of(Customer.objects.all(), NAME, cursor, size=2)
