"""Fields that Django does not bring: a look-up that suggests while typing, and lists that also read commas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.urls import reverse_lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import Model, QuerySet
    from django.forms.renderers import BaseRenderer
    from django.utils.datastructures import MultiValueDict


class Dressed(forms.BaseForm):
    """A form whose controls look right wherever they are printed, not only by crispy."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            widget = field.widget
            if isinstance(widget, forms.CheckboxInput | forms.CheckboxSelectMultiple | forms.RadioSelect):
                kind = "form-check-input"
            else:
                kind = "form-select" if isinstance(widget, forms.Select) else "form-control"
            widget.attrs["class"] = f"{widget.attrs.get('class', '')} {kind}".strip()
            if isinstance(field, forms.DateField):
                widget.input_type = "date"
                widget.format = "%Y-%m-%d"  # what a date input reads, whatever the language


class Lookup(forms.TextInput):
    """A text field that suggests rows of a queryset (static/js/lookup.js) and posts the id of the chosen one."""

    url = reverse_lazy("customers:lookup")
    queryset: QuerySet[Model] | None = None  # set by LookupField: the rows that may be chosen

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: BaseRenderer | None = None) -> SafeString:
        shown = self._label_of(value)
        identity = (attrs or {}).get("id", f"id_{name}")
        return format_html(
            '<div class="lookup" data-lookup="{url}"><input type="hidden" name="{name}" value="{value}">'
            '<input type="text" class="{kind}" id="{identity}" value="{shown}" role="combobox" aria-expanded="false"'
            ' aria-autocomplete="list" aria-controls="{identity}_list" autocomplete="off" maxlength="200" placeholder="{hint}"{invalid}>'
            '<ul class="lookup-list" id="{identity}_list" role="listbox" aria-label="{label}" hidden></ul></div>',
            url=self.url,
            name=name,
            value="" if value is None else value,
            kind=(attrs or {}).get("class", self.attrs.get("class", "form-control")),
            identity=identity,
            shown=shown,
            hint=_("Type a name or number"),
            label=_("Suggestions"),
            invalid=SafeString(' aria-invalid="true"') if (attrs or {}).get("aria-invalid") else "",
        )

    def _label_of(self, value: Any) -> str:
        if value in (None, "") or self.queryset is None:
            return ""
        try:
            row = self.queryset.filter(pk=value).first()
        except (ValueError, TypeError):
            return ""
        return str(row) if row else ""


class LookupField(forms.ModelChoiceField):  # type: ignore[type-arg]  # of whatever its queryset holds
    """One row of many: limited to its queryset, never listed in full."""

    widget = Lookup

    def _set_queryset(self, queryset: Any) -> None:
        super()._set_queryset(queryset)  # type: ignore[misc]
        cast(Lookup, self.widget).queryset = self.queryset

    queryset = property(forms.ModelChoiceField._get_queryset, _set_queryset)  # type: ignore[attr-defined]


class TagsField(forms.CharField):
    """Words between commas, as a list without doubles."""

    def __init__(self, *, longest: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.longest, self.most = longest, most

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value).replace("，", ",").replace("、", ",")
        words = list(dict.fromkeys(word for part in text.split(",") if (word := " ".join(part.split()))))
        if any(len(word) > self.longest for word in words):
            raise forms.ValidationError(_("Each at most %(longest)s characters long."), params={"longest": self.longest})
        if len(words) > self.most:
            raise forms.ValidationError(_("At most %(most)s of them."), params={"most": self.most})
        return words

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class CommaChecks(forms.CheckboxSelectMultiple):
    """Check boxes that also read one value with commas, which is how the conflict dialog sends a list."""

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str) -> list[str]:
        values = super().value_from_datadict(data, files, name) or []
        return [part.strip() for value in values for part in value.split(",") if part.strip()]
