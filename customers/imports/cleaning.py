"""From cells to values: one function per column, made once for a run and called for every row."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils import translation

from customers.imports.fields import (
    CHOICE,
    CHOICES,
    COUNTRY,
    CREDIT_CODE,
    CURRENCY,
    CUSTOMER,
    DAY,
    MAIL,
    TAGS,
    URL,
    WHOLE,
    Field,
    fields_of,
)
from customers.imports.problems import Problem, Severity
from customers.maths.credit_code import is_credit_code
from customers.maths.names import match_key
from customers.maths.written_forms import parse_day, parse_moment, parse_number
from customers.models.customer import is_customer_number
from users.spreadsheets import as_received

REMEMBERED = 2_000  # distinct cells of a column that are read only once
MOST_TAGS = 20
LONGEST_TAG = 40

# Names that Unicode's list of territories spells otherwise.
COUNTRY_ALIASES = {
    "usa": "US", "unitedstatesofamerica": "US", "uk": "GB", "greatbritain": "GB", "england": "GB", "korea": "KR", "southkorea": "KR",
    "czechrepublic": "CZ", "russia": "RU", "vietnam": "VN", "uae": "AE", "holland": "NL", "prchina": "CN", "中国大陆": "CN",
}  # fmt: skip


class Bad(Exception):
    """The cell does not say what its field needs."""

    def __init__(self, code: str, **parameters: Any) -> None:
        super().__init__(code)
        self.code = code
        self.parameters = parameters


@dataclass(frozen=True)
class ColumnOptions:
    """How the column writes what it holds, as a person confirmed it."""

    order: str = "ymd"  # of day, month and year
    mark: str = "."  # decimal mark
    scale: Decimal = Decimal(1)  # 1,000,000 where the file counts in millions


@dataclass
class Row:
    """A row of the file on its way to a record."""

    number: int  # as a spreadsheet counts; the header is row 1
    cells: dict[str, str]  # as received, by column
    values: dict[str, Any] = field(default_factory=dict)  # what its filled cells say, by field
    problems: list[Problem] = field(default_factory=list)
    key: str = ""
    column_of: Mapping[str, str] = field(default_factory=dict)  # {field: column}
    methods: list[Any] = field(default_factory=list)  # ways to reach whom the row speaks of, worked out once

    @property
    def is_rejected(self) -> bool:
        return any(problem.severity == Severity.ERROR for problem in self.problems)

    def say(self, code: str, column: str = "", value: str = "", *, severity: str = Severity.ERROR, **parameters: Any) -> None:
        self.problems.append(Problem(code, column, value[:500], parameters, severity))

    def say_of(self, name: str, code: str, value: str = "", *, severity: str = Severity.ERROR, **parameters: Any) -> None:
        """As `say`, of a field: by the name of its column, which is what people see in their file."""
        self.say(code, self.column_of.get(name, name), value, severity=severity, **parameters)


class Cleaner:
    """Reads the rows of one run: made from its mapping, the options of its columns and the hints of its source."""

    def __init__(
        self,
        *,
        kind: str,
        columns: list[str],
        mapping: dict[str, str],
        options: dict[str, dict[str, Any]],
        hints: dict[str, str],
        zone: tzinfo,
    ) -> None:
        fields = fields_of(kind)
        self.columns = columns
        self.column_of = {name: column for column, name in mapping.items()}
        known = {match_key(spelling): meaning for spelling, meaning in hints.items()}
        # What a spelling means may itself have been explained later.
        self._hints = {spelling: known.get(match_key(meaning), meaning) for spelling, meaning in known.items()}
        self._readers = [
            (place, column, fields[mapping[column]], _reader(fields[mapping[column]], column_options(options.get(column, {})), zone))
            for place, column in enumerate(columns)
            if mapping.get(column) in fields  # a custom field may have been archived since
        ]
        self._required = [one for one in fields.values() if one.required]

    def read(self, number: int, cells: list[str]) -> Row:
        row = Row(number, dict(zip(self.columns, cells, strict=False)), column_of=self.column_of)
        if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
            row.say("too_many_cells")
        for place, column, one, read in self._readers:
            if place < len(cells) and (text := cells[place].strip()):
                self._read_cell(row, column, one, read, text)
        for one in self._required:
            column = self.column_of.get(one.name, "")
            if one.name not in row.values and not any(problem.column == column for problem in row.problems):
                row.say("customer_missing" if one.holds == CUSTOMER else "missing", column or str(one.label))
        return row

    def _read_cell(self, row: Row, column: str, one: Field, read: Callable[[str], Any], text: str) -> None:
        if self._hints and (meaning := self._hints.get(match_key(text))) and (one.holds == CUSTOMER or not is_customer_number(meaning)):
            text = meaning  # but a customer's number stands for the customer only where one is named
        try:
            row.values[one.name] = read(as_received(text))
        except Bad as bad:
            row.say(bad.code, column, text.replace("\x00", "\N{SYMBOL FOR NULL}"), **bad.parameters)


def column_options(given: dict[str, Any]) -> ColumnOptions:
    scale = Decimal(str(given.get("scale") or 1))
    return ColumnOptions(order=given.get("order") or "ymd", mark=given.get("mark") or ".", scale=scale)


def _reader(one: Field, options: ColumnOptions, zone: tzinfo) -> Callable[[str], Any]:
    """The function that reads one column; what repeats in a column is read once."""
    read: Callable[[str], Any]
    match one.holds:
        case "decimal":
            read = _decimal_reader(one, options)
        case "whole":
            read = _whole_reader(one, options)
        case "day":
            read = _day_reader(options)
        case "moment":
            read = _moment_reader(options, zone)
        case "choice" | "choices":
            read = _choice_reader(one)
        case "custom":
            read = _custom_reader(one, options)
        case holds:
            plain = _PLAIN.get(holds)
            # What stands for a code may be longer than the code: United States.
            text = _text_reader(replace(one, longest=0) if holds in (COUNTRY, CURRENCY, CREDIT_CODE, TAGS) else one)
            read = (lambda cell: plain(text(cell))) if plain else text
    return lru_cache(REMEMBERED)(read) if one.holds in (DAY, CHOICE, COUNTRY, CURRENCY, WHOLE) else read


def _text_reader(one: Field) -> Callable[[str], str]:
    longest = one.longest

    def read(cell: str) -> str:
        if "\x00" in cell:
            raise Bad("nul")
        if longest and len(cell) > longest:
            raise Bad("too_long", limit=longest)
        return cell

    return read


def _decimal_reader(one: Field, options: ColumnOptions) -> Callable[[str], Decimal]:
    limit = Decimal(10) ** 15
    quantum = Decimal(1).scaleb(-one.places)

    def read(cell: str) -> Decimal:
        number = parse_number(cell, options.mark)
        if number is None:
            raise Bad("bad_number")
        number *= options.scale
        if abs(number) >= limit:
            raise Bad("too_large", limit="10¹⁵")
        if one.lowest is not None and number < one.lowest:
            raise Bad("too_small", limit=str(one.lowest))
        return number.quantize(quantum)

    return read


def _whole_reader(one: Field, options: ColumnOptions) -> Callable[[str], int]:
    highest = one.highest or 2_147_483_647

    def read(cell: str) -> int:
        number = parse_number(cell, options.mark)
        if number is None or number != number.to_integral_value():
            raise Bad("bad_whole_number")
        if number > highest:
            raise Bad("too_large", limit=highest + 1)
        if number < (one.lowest or 0):
            raise Bad("too_small", limit=one.lowest or 0)
        return int(number)

    return read


def _day_reader(options: ColumnOptions) -> Callable[[str], Any]:
    def read(cell: str) -> Any:
        day = parse_day(cell, options.order)
        if day is None:
            raise Bad("bad_date", order=options.order)
        return day

    return read


def _moment_reader(options: ColumnOptions, zone: tzinfo) -> Callable[[str], Any]:
    def read(cell: str) -> Any:
        moment = parse_moment(cell, options.order, zone)
        if moment is None:
            raise Bad("bad_moment")
        return moment

    return read


def _choice_reader(one: Field) -> Callable[[str], Any]:
    by_name = _choice_names(one)
    shown = ", ".join(str(value) for value, _label in one.choices)

    def read(cell: str) -> Any:
        if match_key(cell) not in by_name:
            raise Bad("bad_choice", choices=shown)
        return by_name[match_key(cell)]

    def read_several(cell: str) -> list[Any]:
        return list(dict.fromkeys(read(part) for part in _parts(cell)))

    return read_several if one.holds == CHOICES else read


def _choice_names(one: Field) -> dict[str, Any]:
    """A choice is known by its value and by its label in either language."""
    names: dict[str, Any] = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            names |= {match_key(str(label)): value for value, label in one.choices}
    return names | {match_key(str(value)): value for value, _label in one.choices}


def _custom_reader(one: Field, options: ColumnOptions) -> Callable[[str], Any]:
    definition = one.custom
    assert definition is not None
    text = _text_reader(one)

    def read(cell: str) -> Any:
        value: Any = text(cell)
        if definition.kind == definition.Kind.DATE:
            value = parse_day(cell, options.order) or value
        if definition.kind == definition.Kind.NUMBER:
            number = parse_number(cell, options.mark)
            value = cell if number is None else float(number * options.scale)
        try:
            return definition.checked(value)
        except ValidationError as error:
            raise Bad("bad_custom", reason=" ".join(error.messages)) from error

    return read


def _parts(cell: str) -> list[str]:
    return [part for piece in re.split(r"[,;|，；、]", cell) if (part := piece.strip())]


def _tags(cell: str) -> list[str]:
    tags = list(dict.fromkeys(_parts(cell)))
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise Bad("too_long", limit=LONGEST_TAG)
    return tags


def _country(cell: str) -> str:
    code = _countries().get(match_key(cell))
    if code is None:
        raise Bad("bad_country")
    return code


@lru_cache(1)
def _countries() -> dict[str, str]:
    """Every country's code by its names in English and Chinese, and by itself."""
    codes: dict[str, str] = {}
    for language in ("zh_Hans", "en"):
        for code, name in Locale.parse(language).territories.items():
            if len(code) == 2 and code.isalpha():
                codes |= {match_key(name): code, code.casefold(): code}
    return codes | COUNTRY_ALIASES


def _currency(cell: str) -> str:
    code = {"¥": "CNY", "￥": "CNY", "元": "CNY", "人民币": "CNY", "RMB": "CNY", "€": "EUR", "$": "USD", "£": "GBP"}.get(cell, cell).upper()
    if code not in Locale("en").currencies:
        raise Bad("bad_currency")
    return code


def _mail(cell: str) -> str:
    try:
        validate_email(cell)
    except ValidationError as error:
        raise Bad("bad_mail") from error
    return cell


_check_url = URLValidator(schemes=["http", "https"])
_PLAIN_URL = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}[a-z]{2,24}(?:/[\w./-]{0,100})?", re.A)


def _url(cell: str) -> str:
    address = cell if "://" in cell else f"https://{cell}"
    if _PLAIN_URL.fullmatch(address):  # nearly all are, and the whole grammar costs thirty times as much
        return address
    try:
        _check_url(address)
    except ValidationError as error:
        raise Bad("bad_url") from error
    return address


def _credit_code(cell: str) -> str:
    code = cell.upper().replace(" ", "")
    if not is_credit_code(code):
        raise Bad("bad_credit_code")
    return code


_PLAIN: dict[str, Callable[[str], Any]] = {
    TAGS: _tags,
    COUNTRY: _country,
    CURRENCY: _currency,
    MAIL: _mail,
    URL: _url,
    CREDIT_CODE: _credit_code,
}
