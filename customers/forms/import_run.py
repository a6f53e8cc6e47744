from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import FileExtensionValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from customers.imports.fields import DAY, DECIMAL, MATCHED_BY, MOMENT, WHOLE, fields_of
from customers.imports.reading import MOST_BYTES, SEPARATORS
from customers.imports.runs import ENCODINGS
from customers.maths.names import match_key
from customers.models import ImportRun, SourceSystem

ENCODING_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 (BOM)",
    "utf-16": "UTF-16",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "cp1252": "Windows-1252",
    "latin-1": "ISO 8859-1",
    "cp1250": "Windows-1250",
    "cp932": "Shift JIS",
}
SEPARATOR_NAMES = {",": _("Comma"), ";": _("Semicolon"), "\t": _("Tab"), "|": _("Vertical bar")}


class UploadForm(forms.Form):
    kind = forms.ChoiceField(label=_("What is in the file"), choices=ImportRun.Kind.choices)
    source = forms.CharField(
        label=_("Source"),
        max_length=40,
        help_text=_("The system that the file comes from, such as erp. Its next file finds the same records again by their keys."),
        widget=forms.TextInput(attrs={"list": "known-sources", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, TSV or XLSX, up to 512 MB and two million rows; the first row names the columns."),
        validators=[FileExtensionValidator(["csv", "tsv", "txt", "xlsx"])],
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )

    def clean_source(self) -> str:
        """A code out of what people write: 'Old ERP' becomes old-erp; a source that is known by that name is that one."""
        name = self.cleaned_data["source"].strip()
        known = SourceSystem.objects.filter(name__iexact=name).first()
        code = known.code if known else "-".join(name.lower().split())
        if code == SourceSystem.STEWARD:
            raise forms.ValidationError(_("This source is for what people enter here; give the file's source a name of its own."))
        if not code.replace("-", "").replace("_", "").isascii() or not code.replace("-", "").replace("_", "").isalnum():
            raise forms.ValidationError(_("Latin letters, digits and hyphens only."))
        return code

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than %(limit)s MB."), params={"limit": MOST_BYTES // 1024 // 1024})
        return file


class FormForm(forms.Form):
    """How the file is to be read, where the guess was wrong."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=[(name, ENCODING_NAMES[name]) for name in ENCODINGS])
    separator = forms.ChoiceField(label=_("Separator"), choices=[(sign, SEPARATOR_NAMES[sign]) for sign in SEPARATORS])


class MappingForm(forms.Form):
    """Which column holds what: three choices per column, named by its place (c0, o0, m0), since columns have any name."""

    match_by = forms.ChoiceField(label=_("A row is found again by"), required=False)

    def __init__(self, *args: Any, run: ImportRun, **kwargs: Any) -> None:
        self.run = run
        self.fields_of_kind = fields_of(run.kind)
        super().__init__(*args, **kwargs)
        labels = [(name, self._label(name)) for name in self.fields_of_kind]
        for place, _column in enumerate(run.inspection["columns"]):
            self.fields[f"c{place}"] = forms.ChoiceField(choices=[("", _("– leave out –")), *labels], required=False)
            self.fields[f"o{place}"] = forms.ChoiceField(choices=ORDER_CHOICES, required=False)
            self.fields[f"m{place}"] = forms.ChoiceField(choices=MARK_CHOICES, required=False)
        matchable = [name for name in MATCHED_BY[run.kind] if name in self.fields_of_kind]
        self.fields["match_by"].choices = [("", _("– the usual –")), *[(name, self._label(name)) for name in matchable]]  # type: ignore[attr-defined]

    def _label(self, name: str) -> str:
        one = self.fields_of_kind[name]
        return f"{capfirst(str(one.label))}{' *' if one.required else ''}"

    @property
    def mapping(self) -> dict[str, str]:
        return {column["name"]: self.cleaned_data[f"c{place}"] for place, column in enumerate(self.run.inspection["columns"])}

    @property
    def options(self) -> dict[str, Any]:
        """What was said of each column; the scale that was given elsewhere stays."""
        kept = self.run.options.get("columns", {})
        columns = {}
        for place, column in enumerate(self.run.inspection["columns"]):
            said = {"order": self.cleaned_data[f"o{place}"], "mark": self.cleaned_data[f"m{place}"]}
            columns[column["name"]] = kept.get(column["name"], {}) | {name: value for name, value in said.items() if value}
        return {"columns": columns} | ({"match_by": self.cleaned_data["match_by"]} if self.cleaned_data["match_by"] else {})

    def rows(self) -> list[dict[str, Any]]:
        """One entry per column, as the page shows them."""
        shown = []
        for place, column in enumerate(self.run.inspection["columns"]):
            one = self.fields_of_kind.get(self._chosen(place, column["name"]))
            holds = one.holds if one else ""
            given = self.run.options.get("columns", {}).get(column["name"], {})
            shown.append(
                {
                    "column": column,
                    "field": self[f"c{place}"],
                    "chosen": self._chosen(place, column["name"]),
                    "order": {"field": self[f"o{place}"], "value": self.data.get(f"o{place}") or given.get("order", "")}
                    if holds in (DAY, MOMENT)
                    else None,
                    "mark": {"field": self[f"m{place}"], "value": self.data.get(f"m{place}") or given.get("mark", "")}
                    if holds in (DECIMAL, WHOLE)
                    else None,
                    "is_open": bool(column["unclear"]) and holds in (DAY, MOMENT, DECIMAL, WHOLE),
                }
            )
        return shown

    def _chosen(self, place: int, column: str) -> str:
        return str(self.data.get(f"c{place}", "")) if self.is_bound else self.run.mapping.get(column, "")


ORDER_CHOICES = [("", "–"), ("ymd", _("year-month-day")), ("dmy", _("day-month-year")), ("mdy", _("month-day-year"))]
MARK_CHOICES = [("", "–"), (".", _("decimal point (1,234.5)")), (",", _("decimal comma (1.234,5)"))]


class HintForm(forms.Form):
    """What a spelling of this source means."""

    spelling = forms.CharField(max_length=200)
    meaning = forms.CharField(label=_("means"), max_length=200)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not match_key(cleaned.get("spelling", "")):
            raise forms.ValidationError(_("Say which spelling is meant."))
        return cleaned
