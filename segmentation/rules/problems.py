"""What is wrong with a rule, and where."""

from __future__ import annotations

from dataclasses import dataclass


class BadValue(ValueError):
    """A value that its condition cannot take; `code` for programs, the text for people."""

    def __init__(self, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.message, self.code = message, code


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong. `path` leads to it from the root: "all.0.value"; empty for the rule as a whole."""

    path: str
    code: str
    message: str


class RuleInvalid(ValueError):
    """A rule that cannot be used, with everything that is wrong about it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{one.path}: {one.message}" for one in problems))
        self.problems = problems
