"""Phones, mails and WeChat ids as keys, so that different spellings of one address meet. Text in, text out."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

PHONES = frozenset({"phone", "mobile", "fax"})
LONGEST = 254
_MAIL = re.compile(r"[^@\s]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")
_WECHAT = re.compile(r"[a-z][a-z0-9_-]{5,19}|wxid_[a-z0-9]{1,40}|1[3-9]\d{9}")


def method_key(kind: str, value: str, region: str) -> tuple[str, bool]:
    """The form in which an address is compared, and whether it is one that can be used.

    Phones become E.164, with ";ext=12" where there is an extension; `region` (CN, US …) reads those without a country
    code. Mail and WeChat ids become lower case. A bad value keeps its text, tidied, so the key of a non-empty value is
    never empty.
    """
    text = " ".join(unicodedata.normalize("NFKC", value).split())[:LONGEST]
    if kind in PHONES:
        return _phone_key(text, region.upper())
    folded = text.casefold()[:LONGEST]
    pattern = {"mail": _MAIL, "wechat": _WECHAT}.get(kind)
    return folded, pattern is None or pattern.fullmatch(folded) is not None


@lru_cache(maxsize=10_000)
def _phone_key(text: str, region: str) -> tuple[str, bool]:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return text, False
    if not phonenumbers.is_possible_number(number):
        return text, False
    key = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        key += f";ext={number.extension}"
    return key, phonenumbers.is_valid_number(number)
