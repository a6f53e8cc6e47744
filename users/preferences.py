"""Language and appearance, changed from the menu of every page; before sign-in the language only, kept in a cookie."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from users.models import User

CHOICES = {"theme": set(User.Theme.values), "language": {code for code, _name in settings.LANGUAGES}}
COOKIE_AGE = 365 * 86_400


@login_not_required
@require_POST
def quick_preferences(request: HttpRequest) -> HttpResponse:
    """Set what was posted of theme and language, and go back to where the person was; an unknown choice changes nothing."""
    chosen = {name: value for name, values in CHOICES.items() if (value := request.POST.get(name)) in values}
    response = HttpResponseRedirect(_back(request))
    if isinstance(request.user, User):
        request.user.change(by=request.user, expected_version=None, **chosen)
    elif "language" in chosen:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen["language"],
            max_age=COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response


def _back(request: HttpRequest) -> str:
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return target if is_ours else "/"
