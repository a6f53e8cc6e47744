"""Every template, read as text: nothing that the content security policy forbids, and no word that cannot be translated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MARKED = re.compile(r"block(?:translate|trans)\b")
SILENT = re.compile(r"comment\b|block \w+_class\b")  # notes, and the blocks in which a page names its CSS classes
LETTERS = re.compile(r"[^\W\d_]{2,}")

SPOKEN_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt", "data-label", "data-confirm", "data-confirm-text", "data-confirm-action"}
NOT_FOR_PEOPLE = {"script", "style", "kbd", "code", "template"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr", "use", "path"}
NAMES = {"Pareto", "Pareto CRM", "· Pareto CRM"}  # names stay as they are


def without_tags(source: str) -> str:
    """The template's own words: what tags and variables print is gone, and so is what is marked for translation."""
    text, inside = [], ""
    for token in Lexer(source).tokenize():
        lines = "\n" * token.contents.count("\n")
        if token.token_type == TokenType.BLOCK:
            word = token.contents.split()[0]
            if not inside and (MARKED.match(word) or SILENT.match(token.contents)):
                inside = word
            elif word == f"end{inside}":
                inside = ""
        elif token.token_type == TokenType.TEXT and not inside:
            text.append(token.contents)
            continue
        text.append(lines)
    return "".join(text)


@dataclass
class Reader(HTMLParser):
    """Collects what is wrong, by line."""

    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []  # (tag, whether its text is no text for people)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name, value in attrs:
            if name == "style" or name.startswith(("on", "hx-on")):
                self._complain(f"{name}= is inline")
            if (value or "").lstrip().lower().startswith("javascript:"):
                self._complain(f"{name} is a script")
            if name in SPOKEN_ATTRIBUTES and LETTERS.search(value or ""):
                self._complain(f"{name}={value!r} is not marked for translation")
        if tag == "style" or (tag == "script" and "src" not in given):
            self._complain(f"<{tag}> is inline")
        if tag not in VOID:
            self._open.append((tag, tag in NOT_FOR_PEOPLE or given.get("translate") == "no"))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if LETTERS.search(words) and words not in NAMES and not any(silent for _, silent in self._open):
            self._complain(f"{words!r} is not marked for translation")

    def _complain(self, what: str) -> None:
        self.problems.append(f"line {self.getpos()[0]}: {what}")


def problems_of(source: str) -> list[str]:
    reader = Reader()
    reader.feed(without_tags(source))
    reader.close()
    return reader.problems


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_is_safe_and_speaks_both_languages(path: Path) -> None:
    assert problems_of(path.read_text()) == []


FAULTY = [
    ('<p style="color: red">{{ x }}</p>', "style= is inline"),
    ('<a href="#" onclick="go()">{{ x }}</a>', "onclick= is inline"),
    ('<a hx-on:click="go()">{{ x }}</a>', "hx-on:click= is inline"),
    ('<a href="javascript:go()">{{ x }}</a>', "href is a script"),
    ("<script>go()</script>", "<script> is inline"),
    ("<p>Hello {{ name }}</p>", "'Hello' is not marked"),
    ('{% if a %}<input placeholder="Search">{% endif %}', "placeholder='Search' is not marked"),
]


@pytest.mark.parametrize(("source", "problem"), FAULTY)
def test_what_is_wrong_is_found(source: str, problem: str) -> None:
    assert problem in problems_of(source)[0]


def test_what_is_right_is_let_through() -> None:
    source = (
        '{% extends "base.html" %}{# a note #}{% block content %}<p title="{% translate "Name" %}">{% blocktranslate trimmed %}'
        "Hello <b>you</b>{% endblocktranslate %} {{ name }}</p>{% comment %} draft {% endcomment %}"
        '<script src="{% static "x.js" %}"></script><kbd>Esc</kbd><b translate="no">ISO 8601</b>{% endblock %}'
    )
    assert problems_of(source) == []
