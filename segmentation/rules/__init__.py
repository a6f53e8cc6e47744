"""Saved rules (客户细分规则): from JSON to a question for the database, a sentence for people, and back.

rule = checked(tree, by=ana)          # RuleInvalid names every node that is wrong
Customer.objects.visible_to(ana).filter(rule.q(Asking.now(ana)))
rule.sentence(ana)                    # "tier is Gold or higher and last order more than 90 days ago"
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from segmentation.models import Segment
from segmentation.rules.fields import Asking
from segmentation.rules.problems import Problem, RuleInvalid
from segmentation.rules.tree import MOST_LEAVES, Node, Reader
from users.models import Team, User

__all__ = ["Asking", "Problem", "Rule", "RuleInvalid", "checked", "parse", "sentence_of"]


class Rule:
    def __init__(self, root: Node) -> None:
        self.root = root

    def q(self, asking: Asking) -> Q:
        """The condition on customers. It does not say who may see them: begin at `Customer.objects.visible_to`."""
        return self.root.q(asking)

    @property
    def tree(self) -> dict[str, Any]:
        """The rule as it is kept: the same question in one spelling."""
        return self.root.plain()

    def sentence(self, reader: User) -> str:
        """In the language in force. Colleagues, teams and segments that the reader does not see stay unnamed."""
        return capfirst(self.root.told(self._names(reader)))

    def segment_ids(self) -> set[int]:
        """The segments that this rule asks about."""
        return {pk for noun, pk in self._references() if noun == "segment"}

    def refuse_strangers(self, reader: User) -> None:
        """RuleInvalid where the rule names a colleague, team or segment that the reader does not see."""
        names = self._names(reader)
        unseen = [leaf for leaf in self.root.leaves() if any(named not in names for named in leaf.references())]
        if unseen:
            raise RuleInvalid([Problem(f"{leaf.path}.value".lstrip("."), "unknown", _("There is no such record.")) for leaf in unseen])

    def _references(self) -> set[tuple[str, int]]:
        return {named for leaf in self.root.leaves() for named in leaf.references()}

    def _names(self, reader: User) -> dict[tuple[str, int], str]:
        wanted: dict[str, set[int]] = {}
        for noun, pk in self._references():
            wanted.setdefault(noun, set()).add(pk)
        names: dict[tuple[str, int], str] = {}
        for noun, ids in wanted.items():
            names |= {(noun, pk): name for pk, name in _seen(noun, ids, reader)}
        return names


def _seen(noun: str, ids: set[int], reader: User) -> Iterable[tuple[int, str]]:
    if noun == "segment":
        return Segment.objects.visible_to(reader).kept().filter(pk__in=ids).values_list("pk", "name")
    model: Any = {"user": User, "team": Team}[noun]
    found: Iterable[tuple[int, str]] = model.objects.visible_to(reader).filter(pk__in=ids).values_list("pk", "name")
    return found


def parse(tree: Any) -> Rule:
    """The rule that the tree says; RuleInvalid with all that is wrong about it. Whom it names is `refuse_strangers`' question."""
    reader = Reader()
    root = reader.node(tree, "", 1)
    if reader.leaves > MOST_LEAVES:
        reader.problems.append(Problem("", "too_many", _("At most %(most)s conditions.") % {"most": MOST_LEAVES}))
    if root is None or reader.problems:
        raise RuleInvalid(reader.problems)
    return Rule(root)


def checked(tree: Any, *, by: User) -> Rule:
    """A rule that this person may ask."""
    rule = parse(tree)
    rule.refuse_strangers(by)
    return rule


def sentence_of(tree: Any, reader: User) -> str:
    """A kept rule in words, also where something that it asks about is gone since."""
    try:
        return parse(tree).sentence(reader)
    except RuleInvalid:
        return _("This rule asks about something that is gone.")
