"""bin/messages: collect every marked text of code and templates into the catalogues, without GNU gettext.

    bin/messages            add what is new (untranslated), drop what is gone, keep the translations
    bin/messages --check    fail on a catalogue out of date, an untranslated or fuzzy text, a lost placeholder

Catalogues are sorted and name no lines, so that a change of code which changes no text changes no catalogue.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from crm.house.home import ROOT

CATALOGUES = {"zh_Hans": ROOT / "crm" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"}
APPS = ("crm", "users", "customers", "segmentation", "service_center", "analytics")
LEFT_OUT = {"migrations", "house", "bench"}  # of those, people see nothing in their own language

HEADER = """\
# Texts of Pareto CRM in Simplified Chinese. Written by bin/messages; translations by hand.
msgid ""
msgstr ""
"Language: zh_Hans\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""

# Which arguments of which function are texts, and which is the context ("c"); as xgettext's keywords.
KEYWORDS: dict[str, tuple[int | tuple[int, int] | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)|%[sd]|\{(\w*)\}")

Key = tuple[str, str, str]  # context, text, plural


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when something is missing")
    only_check = parser.parse_args(arguments).check
    wanted = collect()
    problems = [problem for path in CATALOGUES.values() for problem in (check(path, wanted) if only_check else update(path, wanted))]
    print("\n".join(problems) or f"{len(wanted)} texts, all translated")
    return 1 if problems and only_check else 0


def collect() -> dict[Key, str]:
    """Every marked text → one file that has it."""
    found: dict[Key, str] = {}
    for path in sources():
        for key in texts_of(path):
            found.setdefault(key, str(path.relative_to(ROOT)))
    return found


def sources() -> list[Path]:
    files = [path for suffix in ("html", "txt") for path in (ROOT / "templates").rglob(f"*.{suffix}")]
    for app in APPS:
        files += [path for path in (ROOT / app).rglob("*.py") if not LEFT_OUT & set(path.parts)]
    return sorted(files)


def texts_of(path: Path) -> Iterator[Key]:
    text = path.read_text()
    if path.suffix != ".py":
        # Parentheses around all of it: indentation, which is a template's own, then means nothing to the tokenizer.
        text = f"(\n{templatize(text, origin=str(path))}\n)"
    for _line, function, found, _comments in extract_python(io.BytesIO(text.encode()), KEYWORDS, [], {}):
        texts: object = found  # one text, or several: Babel's annotation knows only the latter
        yield _key(str(function), [texts] if isinstance(texts, str) else list(found))


def _key(function: str, found: Sequence[str | None]) -> Key:
    parts = [part or "" for part in found]
    context = parts.pop(0) if "pgettext" in function else ""
    plural = parts[1] if function.startswith("n") and function != "gettext_noop" and len(parts) > 1 else ""
    return context, parts[0], plural


def read(path: Path) -> dict[Key, Message]:
    if not path.exists():
        return {}
    with path.open("rb") as source:
        return {_key_of(message): message for message in read_po(source) if message.id}


def _key_of(message: Message) -> Key:
    text, plural = message.id if isinstance(message.id, tuple | list) else (message.id, "")
    return message.context or "", str(text), str(plural)


def update(path: Path, wanted: dict[Key, str]) -> list[str]:
    """Write the catalogue anew; returns what is still to translate."""
    known = read(path)
    catalogue = Catalog(locale=path.parent.parent.name)
    for key in wanted:
        context, text, plural = key
        old = known.get(key)
        catalogue.add((text, plural) if plural else text, old.string if old else None, context=context or None, flags=_flags(old))
    output = io.BytesIO()
    write_po(output, catalogue, no_location=True, sort_output=True, omit_header=True, width=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + output.getvalue().decode().lstrip("\n").rstrip("\n") + "\n")
    return [problem for problem in check(path, wanted) if "untranslated" in problem or "placeholder" in problem]


def _flags(old: Message | None) -> set[str]:
    return set(old.flags) if old else set()


def check(path: Path, wanted: dict[Key, str]) -> list[str]:
    known = read(path)
    problems = [f"{where}: not in the catalogue, run bin/messages: {key[1]!r}" for key, where in wanted.items() if key not in known]
    problems += [f"no longer used, run bin/messages: {key[1]!r}" for key in known if key not in wanted]
    for key, message in known.items():
        where = wanted.get(key, path.name)
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.fuzzy:
            problems.append(f"{where}: fuzzy: {key[1]!r}")
        elif not all(strings):
            problems.append(f"{where}: untranslated: {key[1]!r}")
        elif any(_placeholders(str(string)) != _placeholders(key[2] or key[1]) for string in strings):
            problems.append(f"{where}: placeholder lost or changed: {key[1]!r}")
    return problems


def _placeholders(text: str) -> set[str]:
    return {match.group() for match in PLACEHOLDER.finditer(text)}


if __name__ == "__main__":
    sys.exit(main())
