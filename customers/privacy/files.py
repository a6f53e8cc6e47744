"""Files that people uploaded and that name a person."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing
from typing import IO

from customers.models import ImportRun

ENCODINGS = ("utf-8", "gb18030", "latin-1", "utf-16-le")
CHUNK = 1 << 20


def files_naming(words: frozenset[str]) -> Iterator[ImportRun]:
    """The imports whose stored file has one of the words in it, in whichever encoding or inside a workbook."""
    needles = {form.encode(encoding, "ignore") for word in words for form in {word, word.lower()} for encoding in ENCODINGS} - {b""}
    for run in ImportRun.objects.exclude(file="").order_by("pk"):
        if not run.file.storage.exists(str(run.file.name)):
            continue
        with run.file.storage.open(str(run.file.name), "rb") as file:
            if any(_holds(stream, needles) for stream in _streams(file)):
                yield run


def forget_file(run: ImportRun) -> None:
    """Delete the file; the run and its counts stay."""
    run.file.delete(save=False)
    ImportRun.objects.filter(pk=run.pk).update(file="")


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
