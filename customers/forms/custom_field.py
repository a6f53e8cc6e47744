from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from customers.forms.widgets import Dressed, TagsField
from customers.models import CustomField


class CustomFieldForm(Dressed, forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A field that an administrator adds. Key and kind are fixed once values may exist under them."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, required=False)
    choices = TagsField(
        label=_("Choices"), required=False, max_length=5000, longest=80, most=60, help_text=_("Only for a choice: separated by commas.")
    )

    class Meta:
        model = CustomField
        fields = ("label", "label_zh", "kind", "choices", "help_text", "position", "key")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_new = self.instance._state.adding
        self.fields["version"].required = not is_new
        self.fields["version"].initial = self.instance.version
        self.fields["key"].required = False
        self.fields["key"].help_text = _("How files and the API name it. Empty: made from the label.")
        if not is_new:
            del self.fields["kind"], self.fields["key"]

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        key = key or slugify(self.cleaned_data.get("label", "")).replace("-", "_")[:40]
        if not key and "label" in self.cleaned_data:
            raise forms.ValidationError(_("This label gives no key: write one in Latin letters."))
        return key

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or () if name in self.cleaned_data}
