"""Stored files that name a person: what people uploaded, and what jobs made for them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import IO

from django.db.models.fields.files import FieldFile

from customers.models import ImportRun, Job

# Every encoding in which an import may have come; what is written in cp1252 reads the same in Latin-1.
ENCODINGS = ("utf-8", "gb18030", "big5", "cp932", "cp1250", "latin-1", "utf-16-le", "utf-16-be")
CHUNK = 1 << 20


def imports_naming(words: frozenset[str]) -> Iterator[ImportRun]:
    """The imports whose stored file has one of the words in it, in whichever encoding or inside a workbook."""
    needles = _needles(words)
    return (run for run in ImportRun.objects.exclude(file="").order_by("pk") if _names(run.file, needles))


def jobs_naming(words: frozenset[str]) -> Iterator[Job]:
    """The jobs whose result for taking away has one of the words in it."""
    needles = _needles(words)
    return (job for job in Job.objects.exclude(file="").order_by("pk") if _names(job.file, needles))


def forget_file(run: ImportRun) -> None:
    """Delete the file; the run and its counts stay."""
    run.file.delete(save=False)
    ImportRun.objects.filter(pk=run.pk).update(file="")


def _needles(words: frozenset[str]) -> set[bytes]:
    # A workbook keeps a telephone number as a number, without its plus.
    forms = {form for word in words for form in (word, word.lower(), word.removeprefix("+"))}
    return {form.encode(encoding, "ignore") for form in forms for encoding in ENCODINGS} - {b""}


def _names(file: FieldFile, needles: set[bytes]) -> bool:
    if not file.storage.exists(str(file.name)):
        return False
    with file.storage.open(str(file.name), "rb") as stored:
        return any(_holds(stream, needles) for stream in _streams(stored))


def _streams(file: IO[bytes]) -> Iterator[IO[bytes]]:
    if not zipfile.is_zipfile(file):
        file.seek(0)
        yield file
        return
    with zipfile.ZipFile(file) as workbook:
        for name in workbook.namelist():
            with closing(workbook.open(name)) as part:
                yield part


def _holds(stream: IO[bytes], needles: set[bytes]) -> bool:
    """Whether one of the needles occurs, read in chunks that overlap by the longest of them."""
    overlap, tail = max(map(len, needles), default=1), b""
    while chunk := stream.read(CHUNK):
        text = tail + chunk
        if any(needle in text or needle in text.lower() for needle in needles):
            return True
        tail = text[-overlap:]
    return False
