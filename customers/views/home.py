from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from users.http import SignedInRequest


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What this person has to know today."""
    return render(request, "customers/home.html")
