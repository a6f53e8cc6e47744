"""A rule as data, read: a tree of nodes that can be asked (`Q`), told (a sentence) and written down again.

    {"all": [node, …]}   {"any": [node, …]}   {"not": node}
    {"field": "score.clv", "is": "gt", "value": 1000}
    {"related": "orders", "is": "at_least", "count": 3, "where": [{"field": "ordered_on", "is": "in_last", "value": …}]}

Whatever comes, `parse` answers with a `Rule` or raises `RuleInvalid`, which names every node and field that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from segmentation.rules.catalogue import CUSTOM, RelatedNoun, custom_fields, customer_fields, related_nouns, score_fields
from segmentation.rules.fields import Asking, Field
from segmentation.rules.kinds import Reference
from segmentation.rules.operators import OPERATORS
from segmentation.rules.problems import BadValue, Problem, RuleInvalid
from segmentation.rules.questions import Names, Operator, negated

DEEPEST = 5
MOST_LEAVES = 50
MOST_NODES = 100
MOST_COUNTED = 1000


class Node:
    path: str
    is_total: bool  # never NULL, so that the database's own NOT says the opposite

    def q(self, asking: Asking) -> Q:
        raise NotImplementedError

    def told(self, names: Names) -> str:
        raise NotImplementedError

    def plain(self) -> dict[str, Any]:
        raise NotImplementedError

    def leaves(self) -> Iterator[Leaf]:
        raise NotImplementedError


@dataclass(frozen=True)
class Group(Node):
    """All of its nodes, or any of them."""

    path: str
    nodes: tuple[Node, ...]
    is_any: bool

    @property
    def is_total(self) -> bool:  # type: ignore[override]  # as its nodes are
        return all(node.is_total for node in self.nodes)

    def q(self, asking: Asking) -> Q:
        return reduce(or_ if self.is_any else and_, (node.q(asking) for node in self.nodes))

    def told(self, names: Names) -> str:
        word = _(" or ") if self.is_any else _(" and ")
        return word.join(self._part(node, names) for node in self.nodes)

    def _part(self, node: Node, names: Names) -> str:
        text = node.told(names)
        is_mixed = isinstance(node, Group) and len(node.nodes) > 1 and node.is_any != self.is_any and len(self.nodes) > 1
        return _("(%(rule)s)") % {"rule": text} if is_mixed else text

    def plain(self) -> dict[str, Any]:
        return {"any" if self.is_any else "all": [node.plain() for node in self.nodes]}

    def leaves(self) -> Iterator[Leaf]:
        for node in self.nodes:
            yield from node.leaves()


@dataclass(frozen=True)
class Not(Node):
    path: str
    node: Node
    is_total = True

    def q(self, asking: Asking) -> Q:
        return negated(self.node.q(asking), is_total=self.node.is_total)

    def told(self, names: Names) -> str:
        return _("not (%(rule)s)") % {"rule": self.node.told(names)}

    def plain(self) -> dict[str, Any]:
        return {"not": self.node.plain()}

    def leaves(self) -> Iterator[Leaf]:
        yield from self.node.leaves()


@dataclass(frozen=True)
class Leaf(Node):
    path: str
    field: Field
    operator: Operator
    value: Any

    @property
    def is_total(self) -> bool:  # type: ignore[override]  # as its field is
        return self.field.is_total and self.operator.key not in ("yes", "no")

    def q(self, asking: Asking) -> Q:
        return self.operator.condition(self.field, self.value, asking)

    def told(self, names: Names) -> str:
        return self.operator.told(self.field, self.value, names)

    def plain(self) -> dict[str, Any]:
        asked: dict[str, Any] = {"field": self.field.key, "is": self.operator.key}
        return asked if self.operator.takes == "none" else {**asked, "value": self.operator.plain(self.value, self.field)}

    def leaves(self) -> Iterator[Leaf]:
        yield self

    def references(self) -> Iterator[tuple[str, int]]:
        """(noun, id) of the rows that the value names."""
        if isinstance(self.field.kind, Reference) and isinstance(self.value, list):
            yield from ((self.field.kind.noun, one) for one in self.value if isinstance(one, int))


@dataclass(frozen=True)
class Related(Node):
    """Has, has no, or has at least so many rows of a noun of which all conditions hold."""

    path: str
    noun: RelatedNoun
    quantifier: str
    count: int
    where: tuple[Leaf, ...]
    is_total = True

    def q(self, asking: Asking) -> Q:
        rows = self.noun.rows(OuterRef("pk")).filter(*(leaf.q(asking) for leaf in self.where))
        if self.quantifier == "at_least" and self.count > 1:
            rows = rows.order_by()[self.count - 1 : self.count]  # whether there is an n-th one, counting no further
        return ~Q(Exists(rows)) if self.quantifier == "has_no" else Q(Exists(rows))

    def told(self, names: Names) -> str:
        sentences = {
            "has": _("has %(nouns)s"),
            "has_no": _("has no %(nouns)s"),
            "at_least": _("has at least %(count)s %(nouns)s"),
        }
        has = sentences[self.quantifier] % {"nouns": self.noun.label, "count": self.count}
        if not self.where:
            return has
        conditions = _(" and ").join(leaf.told(names) for leaf in self.where)
        return _("%(has)s (%(conditions)s)") % {"has": has, "conditions": conditions}

    def plain(self) -> dict[str, Any]:
        counted = {"count": self.count} if self.quantifier == "at_least" else {}
        return {"related": self.noun.key, "is": self.quantifier, **counted, "where": [leaf.plain() for leaf in self.where]}

    def leaves(self) -> Iterator[Leaf]:
        yield from self.where


QUANTIFIERS = ("has", "has_no", "at_least")


class Reader:
    """Reads one tree, noting what is wrong with each node instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.nodes = self.leaves = 0
        self._custom: dict[str, Field] | None = None

    def node(self, raw: Any, path: str, depth: int) -> Node | None:
        """The node, or None with what is wrong noted."""
        self.nodes += 1
        if self.nodes > MOST_NODES or self.leaves > MOST_LEAVES:
            raise RuleInvalid([Problem("", "too_many", _("At most %(most)s conditions.") % {"most": MOST_LEAVES})])
        try:
            return self._read(raw, path, depth)
        except Wrong as wrong:
            self.problems.append(Problem(_joined(path, wrong.part), wrong.code, wrong.message))
            return None

    def _read(self, raw: Any, path: str, depth: int) -> Node | None:
        if not isinstance(raw, dict):
            raise Wrong("", _("A group, such as {“all”: […]}, or a condition."))
        if {"all", "any", "not"} & set(raw):
            if len(raw) > 1:
                raise Wrong("", _("A group says one of all, any, not, and nothing else."))
            if depth > DEEPEST:
                raise Wrong("", _("Groups within groups, at most %(most)s deep.") % {"most": DEEPEST}, "too_deep")
            return self._negation(raw["not"], path, depth) if "not" in raw else self._group(raw, path, depth)
        return self._related(raw, path) if "related" in raw else self._leaf(raw, path, None)

    def _negation(self, raw: Any, path: str, depth: int) -> Node | None:
        inner = self.node(raw, _joined(path, "not"), depth + 1)
        return Not(path, inner) if inner else None

    def _group(self, raw: dict[str, Any], path: str, depth: int) -> Node | None:
        ((word, below),) = raw.items()
        if not isinstance(below, list):
            raise Wrong(word, _("A list."))
        if not below:
            raise Wrong(word, _("Add at least one condition."), "required")
        nodes = [self.node(one, _joined(path, f"{word}.{index}"), depth + 1) for index, one in enumerate(below)]
        whole = tuple(node for node in nodes if node)
        return Group(path, whole, word == "any") if len(whole) == len(nodes) else None

    def _related(self, raw: dict[str, Any], path: str) -> Node | None:
        self.leaves += 1  # has orders, whatever orders, is a condition too
        _refuse_others(raw, "related", "is", "count", "where")
        name, quantifier, count, where = raw["related"], raw.get("is"), raw.get("count", 1), raw.get("where", [])
        noun = related_nouns().get(name) if isinstance(name, str) else None
        if noun is None:
            raise Wrong("related", _("There is nothing of this name to ask about."), "unknown")
        if quantifier not in QUANTIFIERS:
            raise Wrong("is", _("One of: %(choices)s.") % {"choices": ", ".join(QUANTIFIERS)}, "unknown")
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_COUNTED:
            raise Wrong("count", _("A whole number from 1 to %(most)s.") % {"most": MOST_COUNTED}, "out_of_range")
        if not isinstance(where, list):
            raise Wrong("where", _("A list."))
        leaves = [self._leaf_below(one, _joined(path, f"where.{index}"), noun) for index, one in enumerate(where[: MOST_LEAVES + 1])]
        whole = tuple(leaf for leaf in leaves if leaf)
        return Related(path, noun, str(quantifier), count, whole) if len(whole) == len(leaves) else None

    def _leaf_below(self, raw: Any, path: str, noun: RelatedNoun) -> Leaf | None:
        try:
            return self._leaf(raw, path, noun)
        except Wrong as wrong:
            self.problems.append(Problem(_joined(path, wrong.part), wrong.code, wrong.message))
            return None

    def _leaf(self, raw: Any, path: str, noun: RelatedNoun | None) -> Leaf:
        self.leaves += 1
        if not isinstance(raw, dict):
            raise Wrong("", _("A condition: field, is, value."))
        _refuse_others(raw, "field", "is", "value")
        field = self._field(raw.get("field"), noun)
        if field is None:
            raise Wrong("field", _("There is no such field."), "unknown")
        key = raw.get("is")
        if not isinstance(key, str) or key not in field.operators:
            message = _("%(field)s can be asked: %(operators)s.") % {"field": field.label, "operators": ", ".join(field.operators)}
            raise Wrong("is", message, "unknown")
        try:
            return Leaf(path, field, OPERATORS[key], OPERATORS[key].read(raw.get("value"), field))
        except BadValue as bad:
            raise Wrong("value", bad.message, bad.code) from bad

    def _field(self, key: Any, noun: RelatedNoun | None) -> Field | None:
        if not isinstance(key, str):
            return None
        if noun is not None:
            return noun.fields.get(key)
        if key.startswith(CUSTOM):
            if self._custom is None:
                self._custom = custom_fields()
            return self._custom.get(key)
        return customer_fields().get(key) or score_fields().get(key)


class Wrong(ValueError):
    """What is wrong with the node being read: `part` is the key that holds it, empty for the node as a whole."""

    def __init__(self, part: str, message: str, code: str = "invalid") -> None:
        super().__init__(message)
        self.part, self.message, self.code = part, message, code


def _refuse_others(raw: dict[str, Any], *names: str) -> None:
    if strangers := set(raw) - set(names):
        raise Wrong("", _("Unknown: %(names)s.") % {"names": _quoted(strangers)}, "unknown")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}".strip(".")


def _quoted(names: set[Any]) -> str:
    """Names out of a stranger's rule, as they may be said back."""
    shown = (str(name).encode("ascii", "replace").decode() for name in names)
    return ", ".join(sorted("".join(letter if letter.isprintable() else "?" for letter in name)[:40] for name in shown)[:5])
