"""Names of companies and people as keys: for finding, for sorting and for meeting other spellings. Text in, text out.

Chinese names are found by characters, by pinyin (shanghaihuaxin) and by initials (shhx), as people type them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from functools import lru_cache

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_NOT_WORD = re.compile(r"[\W_]+")
SHORTEST_INFIX = 3  # a trigram index can look up three letters in a row anywhere, fewer only at the start of a word


def match_key(name: str) -> str:
    """The name without case, width, spaces and punctuation: 'GTXPro', 'gtx-pro' and 'ＧＴＸ Pro' meet.

    Empty only for empty input: a name of punctuation alone keeps its characters.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _NOT_WORD.sub("", folded) or folded.strip()


def search_text(*texts: str) -> str:
    """All ways in which people look for these names, as one lower-case text of words, with a leading space.

    Chinese text comes as itself, as its two-character pieces, as pinyin and as initials. The pieces matter since the
    database looks up short patterns only at the start of a word: with them, '华信' finds 上海华信科技.
    """
    words: dict[str, None] = {}  # an ordered set
    for text in texts:
        if not text:
            continue
        folded = unicodedata.normalize("NFKC", text).casefold()
        words[folded] = None
        plain = _unaccented(folded)
        if plain != folded:
            words[plain] = None
        for run in _HAN.findall(folded):
            words.update(dict.fromkeys(run[i : i + 2] for i in range(1, len(run) - 1)))
            words.update(dict.fromkeys(_pinyin_words(run)))
    return " " + " ".join(words) if words else ""


def search_term(word: str) -> str:
    """What a `search_text` must contain to match one typed word; always something that the trigram index can look up."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return folded if len(folded) >= SHORTEST_INFIX else f" {folded}"


def sort_key(name: str) -> str:
    """Where the name stands in an alphabetical list: unaccented lower-case Latin, Chinese by its pinyin."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip()
    return _unaccented(_HAN.sub(lambda run: f" {''.join(_syllables(run.group()))} ", folded)).strip()


def _unaccented(text: str) -> str:
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def _pinyin_words(run: str) -> tuple[str, str]:
    syllables = _syllables(run)
    return "".join(syllables), "".join(syllable[0] for syllable in syllables)


def _syllables(run: str) -> list[str]:
    return [_syllable(character) for character in run]


@lru_cache(maxsize=30_000)
def _syllable(character: str) -> str:
    """The commonest reading of one character, without tone; the character itself where it has none."""
    # Only where there is Chinese to read, and without the dictionary of phrases, which single characters have no use for:
    # 12 MiB instead of 55 in each process.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "1")
    from pypinyin import Style, lazy_pinyin

    reading: str = lazy_pinyin(character, style=Style.NORMAL, errors="default")[0]
    return reading or character
