from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe


@dataclass(frozen=True)
class Choice:
    """One drop-down that narrows a list, printed by hand: a form's select costs a template for each option."""

    name: str
    label: Any
    options: Iterable[tuple[Any, Any]]
    value: str

    @property
    def options_as_html(self) -> SafeString:
        """The options after the first, written here: a company has a hundred of them, and a template's loop costs ten times this."""
        chosen = self.value
        return mark_safe(  # noqa: S308 (both parts are escaped)
            "".join(
                f'<option value="{escape(value)}"{" selected" if str(value) == chosen else ""}>{escape(label)}</option>'
                for value, label in self.options
            )
        )
