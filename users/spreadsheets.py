"""Cells that a spreadsheet shows as text, whatever somebody wrote into them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import StreamingHttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_text(value: Any) -> str:
    """A cell that no spreadsheet reads as a formula: what could be one gets an apostrophe in front. Numbers stay numbers."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and _could_be_formula(text) else text


def as_received(cell: str) -> str:
    """The cell as it was before `as_text`, so that an exported file comes back as it left."""
    return cell[1:] if cell[:1] == "'" and _could_be_formula(cell) else cell


def _could_be_formula(text: str) -> bool:
    return text.lstrip(" '").startswith(FORMULA_STARTS)


class _Echo:
    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Lines as Excel opens them: UTF-8 with its mark, CRLF."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([as_text(cell) for cell in row])


def csv_download(name: str, rows: Iterable[Iterable[Any]]) -> StreamingHttpResponse:
    disposition = f'attachment; filename="{name}"'
    return StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
