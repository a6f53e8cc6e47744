"""The unified social credit code of Chinese organisations (统一社会信用代码), GB 32100-2015."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V and Z
WEIGHTS = [pow(3, position, 31) for position in range(17)]
LENGTH = 18


def check_character(first_17: str) -> str:
    """The eighteenth character, 31 − Σ value × weight (mod 31). ValueError for a character outside the alphabet."""
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(first_17, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def is_credit_code(code: str) -> bool:
    """Whether the code has 18 characters of the alphabet and the right check character. Case and spaces are the caller's."""
    return len(code) == LENGTH and all(c in ALPHABET for c in code) and check_character(code[:17]) == code[17]
