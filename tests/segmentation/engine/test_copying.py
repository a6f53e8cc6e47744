"""Reading by binary COPY, against a real table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection

from segmentation.engine import copying
from segmentation.engine.copying import Block, Column, read_query, read_table, together

pytestmark = pytest.mark.django_db

COLUMNS = [
    Column("customer", "customer_id", "int8"),
    Column("count", "how_many", "int4"),
    Column("day", "day", "date"),
    Column("amount", "amount", "float8"),
]
Reader = Callable[..., Block]


def by_table(where: str = "TRUE", params: tuple[Any, ...] = (), columns: list[Column] | None = None, pages: int = 1) -> Block:
    with connection.cursor() as cursor:
        blocks = list(read_table(cursor, "read_lines", columns or COLUMNS, where=where, params=params, pages=pages))
    return together(blocks, columns or COLUMNS)


def by_query(where: str = "TRUE", params: tuple[Any, ...] = (), columns: list[Column] | None = None) -> Block:
    blocks: list[Block] = []
    with connection.cursor() as cursor:
        query = f"SELECT * FROM read_lines WHERE {where} ORDER BY ctid"
        count = read_query(cursor, query, columns or COLUMNS, blocks.append, params=params)
    read = together(blocks, columns or COLUMNS)
    assert count == len(read["day"])
    return read


both = pytest.mark.parametrize("read", [by_table, by_query])


@pytest.fixture(autouse=True)
def _lines(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE read_lines (customer_id bigint, how_many int, day date, amount numeric(14, 2)) ON COMMIT DROP")
        cursor.execute(
            "INSERT INTO read_lines SELECT 5000000000 + n, -n, date '1999-12-31' + n, n * 1.25 - 7 FROM generate_series(0, 2999) AS n"
        )


@both
def test_every_value_arrives_as_it_is(read: Reader) -> None:
    block = read()
    n = np.arange(3000)
    np.testing.assert_array_equal(block["customer"], 5_000_000_000 + n)
    np.testing.assert_array_equal(block["count"], -n)
    np.testing.assert_array_equal(block["day"].astype("datetime64[D]"), np.datetime64("1999-12-31") + n)
    np.testing.assert_array_equal(block["amount"], n * 1.25 - 7)
    assert [array.dtype for array in block.values()] == [np.int64, np.int32, np.int32, np.float64]
    assert all(array.dtype.isnative and array.flags.writeable for array in block.values())


@both
def test_parameters_are_values_and_not_sql(read: Reader) -> None:
    block = read("day < %s AND how_many::text <> %s", ("2000-01-03", "'; DROP TABLE read_lines; --"))
    assert block["count"].tolist() == [0, -1, -2]


@both
def test_nothing_found_is_empty_arrays(read: Reader) -> None:
    block = read("how_many > 5")
    assert [len(array) for array in block.values()] == [0, 0, 0, 0]
    assert [array.dtype for array in block.values()] == [np.int64, np.int32, np.int32, np.float64]


@both
def test_a_null_is_refused_and_not_skipped(read: Reader) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE read_lines SET amount = NULL WHERE how_many = -1700")
    with pytest.raises(ValueError, match="NULL"):
        read()
    assert len(read(columns=[Column("day", "day", "date"), Column("amount", "coalesce(amount, 0)", "float8")])["day"]) == 3000


@both
def test_an_infinite_date_is_refused(read: Reader) -> None:
    for day in ("infinity", "-infinity"):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE read_lines SET day = %s WHERE how_many = -3", [day])
        with pytest.raises(ValueError, match="infinite"):
            read()


@both
def test_an_expression_is_cast_to_its_type(read: Reader) -> None:
    cents = read(columns=[Column("day", "day", "date"), Column("cents", "amount * 100", "int8")])["cents"]
    np.testing.assert_array_equal(cents, np.arange(3000) * 125 - 700)


@pytest.mark.parametrize("pages", [1, 7, 10_000])
def test_the_size_of_blocks_of_pages_changes_nothing(pages: int) -> None:
    np.testing.assert_array_equal(by_table(pages=pages)["count"], -np.arange(3000))


@pytest.mark.parametrize("size", [1, 500, 132_000])
def test_the_size_of_blocks_of_rows_changes_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BLOCK_BYTES", size)
    np.testing.assert_array_equal(by_query()["count"], -np.arange(3000))


def test_rows_come_in_the_order_of_the_query() -> None:
    blocks: list[Block] = []
    with connection.cursor() as cursor:
        read_query(cursor, "SELECT how_many FROM read_lines ORDER BY how_many", [Column("count", "how_many", "int4")], blocks.append)
    np.testing.assert_array_equal(together(blocks, [Column("count", "", "int4")])["count"], np.arange(-2999, 1))


def test_what_the_taker_raises_ends_the_reading() -> None:
    def refuse(_block: Block) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"), connection.cursor() as cursor:
        read_query(cursor, "SELECT how_many FROM read_lines", [Column("count", "how_many", "int4")], refuse)


def test_a_type_without_a_fixed_width_is_refused() -> None:
    with pytest.raises(ValueError, match="text"):
        Column("name", "name", "text")


def test_rows_written_between_two_blocks_are_read_once() -> None:
    with connection.cursor() as cursor, connection.cursor() as writer:
        blocks = read_table(cursor, "read_lines", COLUMNS, pages=2)
        first = next(blocks)
        writer.execute("INSERT INTO read_lines SELECT 1, 1, date '2020-01-01', 1 FROM generate_series(1, 5000)")
        counts = np.concatenate([first["count"], *(block["count"] for block in blocks)])
    assert (counts == 1).sum() == 5000
    assert len(counts) == 8000
