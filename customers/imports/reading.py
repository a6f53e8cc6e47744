"""A file as a header and rows of text: CSV or TSV in any usual encoding, or the first sheet of an XLSX workbook."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from customers.imports.problems import BadFile

MOST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 2_000_000
MOST_COLUMNS = 300
LONGEST_CELL = 200_000  # characters
MOST_UNPACKED = 1024 * 1024 * 1024  # of a workbook: more is a bomb, not a table
MOST_COMPRESSED = 200  # times smaller than unpacked

SEPARATORS = (",", ";", "\t", "|")
SAMPLE_BYTES = 1024 * 1024
SAMPLE_ROWS = 200
EMPTY_ROWS_AT_END = 10_000  # a sheet that was once formatted to its last line has a million of them

SIGNATURES = {
    b"\xd0\xcf\x11\xe0": "Excel 97–2003",
    b"%PDF": "PDF",
    b"\x1f\x8b": "gzip",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7-Zip",
    b"SQLite": "SQLite",
}
BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

csv.field_size_limit(LONGEST_CELL)


@dataclass(frozen=True)
class Form:
    """How a file is written: what `detect` found, and what a person may correct."""

    type: str  # "csv" or "xlsx"
    encoding: str = ""
    separator: str = ""


Rows = Iterator[tuple[int, list[str]]]


def detect(file: IO[bytes]) -> Form:
    """Find out how the file is written; raises BadFile for what is no table."""
    size = file.seek(0, io.SEEK_END)
    if size > MOST_BYTES:
        raise BadFile(_("The file is larger than %(limit)s MB.") % {"limit": MOST_BYTES // 1024 // 1024})
    file.seek(0)
    head = file.read(4096)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n"):
        raise BadFile(_("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        _refuse_bomb(file)
        return Form("xlsx")
    for signature, name in SIGNATURES.items():
        if head.startswith(signature):
            raise BadFile(_("This is a file of the kind %(name)s; save it as CSV or XLSX.") % {"name": name})
    encoding = _encoding(file, head)
    return Form("csv", encoding, _separator(_sample(file, encoding)))


def header(file: IO[bytes], form: Form) -> list[str]:
    """The names of the columns; an empty name becomes its place, a repeated one gets a number."""
    first = next(_all_rows(file, form), None)
    names = [cell.strip() for cell in first[1]] if first else []
    while names and not names[-1]:
        names.pop()
    if not any(names):
        raise BadFile(_("The first row has no column names."))
    if len(names) > MOST_COLUMNS:
        raise BadFile(_("The file has more than %(limit)s columns.") % {"limit": MOST_COLUMNS})
    seen: Counter[str] = Counter()
    unique = []
    for place, name in enumerate(names, 1):
        name = name.replace("\x00", "")[:200] or _("Column %(place)s") % {"place": place}
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def rows(file: IO[bytes], form: Form, *, skip: int = 0) -> Rows:
    """(row number as a spreadsheet counts it, cells) of each row under the header that is not blank, after the first `skip`."""
    everything = _all_rows(file, form)
    next(everything, None)
    filled = (row for row in everything if any(cell and not cell.isspace() for cell in row[1]))
    for count, row in enumerate(itertools.islice(filled, skip, None), skip):
        if count >= MOST_ROWS:
            raise BadFile(_("The file has more than %(limit)s rows.") % {"limit": MOST_ROWS})
        yield row


def count_rows(file: IO[bytes], form: Form) -> int:
    return sum(1 for _row in rows(file, form))


def _all_rows(file: IO[bytes], form: Form) -> Rows:
    file.seek(0)
    return _workbook_rows(file) if form.type == "xlsx" else _text_rows(file, form)


def _text_rows(file: IO[bytes], form: Form) -> Rows:
    # The wrapper is detached at the end: closing it would close the caller's file.
    text = io.TextIOWrapper(file, encoding=form.encoding, newline="")
    reader = csv.reader(text, delimiter=form.separator or ",")
    try:
        yield from enumerate(reader, 1)
    except UnicodeDecodeError as error:
        raise BadFile(_("Byte %(place)s is not %(encoding)s: choose another encoding.") % _place(error, form.encoding)) from error
    except csv.Error as error:
        raise BadFile(_("Line %(line)s cannot be read as CSV: %(reason)s") % {"line": reader.line_num, "reason": error}) from error
    finally:
        if not file.closed:  # a reader that was left half-way is ended late
            text.detach()


def _place(error: UnicodeDecodeError, encoding: str) -> dict[str, Any]:
    return {"place": error.start, "encoding": encoding}


def _encoding(file: IO[bytes], head: bytes) -> str:
    for bom, encoding in BOMS.items():
        if head.startswith(bom):
            return encoding
    if head.count(0) > len(head) // 100:  # a stray one is a matter of its cell
        raise BadFile(_("This is not a text file; save it as CSV or XLSX."))
    if _decodes(file, "utf-8"):
        return "utf-8"
    file.seek(0)
    sample = file.read(SAMPLE_BYTES)
    if _is_chinese(sample) and _decodes(file, "gb18030"):
        return "gb18030"
    best = from_bytes(sample, cp_isolation=["cp1252", "cp1250", "big5", "cp932"]).best()
    if best and best.encoding in {"big5", "cp932", "cp1250"} and _decodes(file, best.encoding) and not _is_western(sample):
        return best.encoding
    return "cp1252" if _decodes(file, "cp1252") else "latin-1"


def _decodes(file: IO[bytes], encoding: str) -> bool:
    """Whether the whole file is text of this encoding; read in pieces, so that its size does not matter."""
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while piece := file.read(SAMPLE_BYTES):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_chinese(sample: bytes) -> bool:
    """Whether the bytes above ASCII read as everyday Chinese characters.

    Nearly every Latin-1 text decodes as GB18030 too, but into characters that nobody writes: those outside GB 2312.
    """
    foreign = [character for character in sample.decode("gb18030", errors="ignore") if ord(character) > 127]
    everyday = sum(1 for character in foreign if _encodes(character, "gb2312"))
    return bool(foreign) and everyday >= 0.9 * len(foreign)


def _is_western(sample: bytes) -> bool:
    """Single accented letters among ASCII ones: Western Europe, whatever rarer table they would fit as well."""
    letters = [character for character in sample.decode("cp1252", errors="ignore") if ord(character) > 127]
    return sum(1 for letter in letters if letter in "äöüÄÖÜßàâçéèêëîïôûùœñáíóúãõåæøÅÆØ€£–’“”") >= 0.9 * len(letters)


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _sample(file: IO[bytes], encoding: str) -> str:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(file.read(SAMPLE_BYTES))


def _separator(sample: str) -> str:
    """The separator that cuts the most rows into the same number of cells, and into the most of them."""

    def regularity(separator: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in itertools.islice(csv.reader(io.StringIO(sample), delimiter=separator), SAMPLE_ROWS) if row]
        except csv.Error:
            return 0, 0
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        return (count, width) if width > 1 else (0, 1)

    best = max(SEPARATORS, key=regularity)
    return best if regularity(best) > (0, 1) else ","


def _refuse_bomb(file: IO[bytes]) -> None:
    """Look at the workbook's directory before anything is unpacked."""
    try:
        entries = zipfile.ZipFile(file).infolist()
    except zipfile.BadZipFile as error:
        raise BadFile(_("The file is damaged: it is no complete XLSX workbook.")) from error
    if not any(entry.filename == "xl/workbook.xml" for entry in entries):
        raise BadFile(_("This archive is no XLSX workbook; unpack it first."))
    unpacked, packed = sum(entry.file_size for entry in entries), sum(entry.compress_size for entry in entries)
    if unpacked > MOST_UNPACKED or unpacked > MOST_COMPRESSED * max(packed, 1) + SAMPLE_BYTES or len(entries) > 10_000:
        raise BadFile(_("The workbook unpacks to more than we read; save the sheet as CSV."))


def _workbook_rows(file: IO[bytes]) -> Rows:
    # Brings numpy along, some 15 MiB that a web worker does not need before somebody sends a workbook.
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, SyntaxError) as error:
        raise BadFile(_("The file is damaged: it is no complete XLSX workbook.")) from error
    except Exception as error:  # defusedxml's refusals have no base class of their own that openpyxl keeps
        raise BadFile(_("The workbook contains XML entities, which no table needs, and is not read; save the sheet as CSV.")) from error
    try:
        blank = 0
        for number, cells in enumerate(workbook.worksheets[0].iter_rows(values_only=True), 1):
            blank = 0 if any(cell is not None for cell in cells) else blank + 1
            if blank > EMPTY_ROWS_AT_END:
                return
            yield number, [_cell_text(cell) for cell in cells[: MOST_COLUMNS + 1]]
    except (zipfile.BadZipFile, ValueError, KeyError, SyntaxError) as error:
        raise BadFile(_("The file is damaged: it is no complete XLSX workbook.")) from error
    finally:
        workbook.close()


def _cell_text(value: Any) -> str:
    """A typed cell as the text that a CSV file would hold: ISO days, a dot as the decimal mark."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
