"""Who stands above whom, so that no import closes a circle: companies under companies, people under people."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)


class Tree(Generic[N]):
    """The part of a tree that matters here, read step by step up to the roots and kept up to date with what is moved."""

    def __init__(self, read: Callable[[set[N]], dict[N, N | None]]) -> None:
        """`read` gives who stands above each of the given ones; those that it does not know stand alone."""
        self._read = read
        self._above: dict[N, N | None] = {}

    def learn(self, nodes: set[N]) -> None:
        """Read the given ones and all above them: one query a level, however many they are."""
        while new := nodes - self._above.keys():
            self._above |= dict.fromkeys(new) | self._read(new)
            nodes = {above for node in new if (above := self._above[node]) is not None}

    def above(self, node: N) -> N | None:
        return self._above.get(node)

    def move(self, node: N, under: N) -> bool:
        """Put it there, unless that closes a circle."""
        self.learn({node, under})
        step: N | None = under
        while step is not None:
            if step == node:
                return False
            step = self._above.get(step)
        self._above[node] = under
        return True
