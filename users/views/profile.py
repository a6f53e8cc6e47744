from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from users.conflicts import conflict_response
from users.forms import ProfileForm
from users.http import SignedInRequest
from users.models import User
from users.records import StaleVersion


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: SignedInRequest) -> HttpResponse:
    """What a person sets about the own account; role, team and reach are an administrator's."""
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=request.user.pk))
    if request.method == "POST" and form.is_valid():
        try:
            request.user.change(by=request.user, expected_version=form.cleaned_data["version"], **form.values)
        except StaleVersion as stale:
            return conflict_response(request, "users/profile.html", form, stale)
        with translation.override(request.user.language):
            messages.success(request, _("Saved."))
        return redirect("users:profile")
    return render(request, "users/profile.html", {"form": form}, status=422 if form.errors else 200)
