from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from customers.forms.widgets import Dressed
from segmentation.models import Segment
from segmentation.rules import Problem, Rule, RuleInvalid, checked
from users.models import User

LONGEST_RULE = 100_000
EVERYBODY: dict[str, list[Any]] = {"all": []}


class SegmentForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Name, description and the rule, which the builder sends as JSON; `problems` says which of its nodes are wrong."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=0, max_value=2**31 - 1)
    rule = forms.CharField(widget=forms.HiddenInput(attrs={"data-rule": ""}), max_length=LONGEST_RULE, required=False)

    class Meta:
        model = Segment
        fields = ("name", "description", "is_shared")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.problems: list[Problem] = []
        self.fields["is_shared"].disabled = self.instance.pk is not None and self.instance.owner_id != by.pk
        self.initial.setdefault("version", self.instance.version)
        self.initial.setdefault("rule", as_text(self.instance.rule if self.instance.pk else EVERYBODY))

    def clean_rule(self) -> Rule | None:
        try:
            return checked(tree_of(self.cleaned_data["rule"]), by=self.by)
        except RuleInvalid as invalid:
            self.problems = invalid.problems
            raise forms.ValidationError(_("The rule is not complete yet: see what is marked.")) from invalid

    def validate_unique(self) -> None:
        """The database says whether the name is taken, which it alone can know."""

    def validate_constraints(self) -> None:
        """As above."""

    def values(self) -> dict[str, Any]:
        names = ("name", "description", "is_shared")
        return {**{name: self.cleaned_data[name] for name in names}, "rule": self.cleaned_data["rule"].tree}

    @property
    def rule_now(self) -> Any:
        """The tree that the builder begins with: as posted, else as kept."""
        return tree_of(str(self["rule"].value() or "")) or EVERYBODY


def tree_of(text: str) -> Any:
    """What the builder sent; None for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_text(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, sort_keys=True)
