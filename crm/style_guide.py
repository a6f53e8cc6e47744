"""/style/: every component alive, in both themes; for those who build pages, and for the tests that look at them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from users.access import Permission, allowed
from users.http import SignedInRequest

ICONS = (
    "house",
    "buildings",
    "people",
    "search",
    "bell",
    "telephone",
    "envelope",
    "wechat",
    "calendar-event",
    "receipt",
    "box-seam",
    "flag",
    "star",
)


class Row(NamedTuple):
    name: str
    number: str
    tier: str
    status: str
    status_label: str
    revenue: Decimal | None
    currency: str


class SampleForm(forms.Form):
    name = forms.CharField(label=_("Name"), help_text=_("As on the contract."))
    status = forms.ChoiceField(label=_("Status"), choices=[("active", _("Active")), ("lost", _("Lost"))])
    notes = forms.CharField(label=_("Notes"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    amount = forms.DecimalField(label=_("Amount"))
    consent = forms.BooleanField(label=_("May be called"), required=False)
    file = forms.FileField(label=_("File"), required=False)


def sample_rows() -> list[Row]:
    return [
        Row("Konex Systems", "C000041", "platinum", "active", str(_("Active")), Decimal("12345678.90"), "USD"),
        Row("杭州云栖数据技术有限公司", "C000042", "gold", "won_back", str(_("Won back")), Decimal("98765432.10"), "CNY"),
        Row("Bluth & Sons Handelsgesellschaft mbH", "C000043", "iron", "dormant", str(_("Dormant")), Decimal("45210.00"), "EUR"),
        Row("Rundofase", "C000044", "lead", "lost", str(_("Lost")), None, "USD"),
    ]


def conflict() -> dict[str, object]:
    fields = [
        {
            "name": "phone",
            "label": _("Phone"),
            "mine": "+47 55 10 20 30",
            "mine_value": "a",
            "theirs": "+47 55 99 00 11",
            "theirs_value": "b",
        },
        {"name": "region", "label": _("Region"), "mine": "Vestland", "mine_value": "a", "theirs": "", "theirs_value": "b"},
    ]
    return {"fields": fields, "version": 4, "by": "王小明", "at": timezone.now() - timedelta(minutes=3)}


@require_safe
def style_guide(request: SignedInRequest) -> HttpResponse:
    if not (settings.DEBUG or allowed(request.user, Permission.USER_MANAGE)):
        raise PermissionDenied
    if "toast" in request.GET:
        messages.success(request, _("Saved"))
        messages.error(request, _("Something went wrong on our side. Nothing was saved."))
    now = timezone.now()
    bound = {theme: SampleForm({"name": "", "status": "active", "amount": "12x"}, auto_id=f"{theme}-%s") for theme in ("light", "dark")}
    context = {
        "themes": [("light", bound["light"]), ("dark", bound["dark"])],
        "rows": sample_rows(),
        "tones": ["", "info", "success", "warning", "danger", "accent"],
        "tiers": ["platinum", "gold", "iron", "lead"],
        "people": ["Ana Berg", "王小明", "Mo Haddad", "Eve Søndergaard", "欧阳娜娜"],
        "minutes_ago": now - timedelta(minutes=12),
        "days_ago": now - timedelta(days=9, hours=3),
        "conflict": conflict(),
        "amount": Decimal("1234567.8"),
        "icons": ICONS,
    }
    return render(request, "style_guide.html", context)
