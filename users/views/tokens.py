from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from users.access import Permission, allowed, needs
from users.forms import TokenForm
from users.http import SignedInRequest
from users.models import ApiToken

MOST_SHOWN = 200


@require_safe
@needs(Permission.TOKEN_OWN)
def token_list(request: SignedInRequest) -> HttpResponse:
    """The person's own tokens; `?of=all` shows an administrator everybody's."""
    may_see_all = allowed(request.user, Permission.USER_MANAGE)
    shows_all = may_see_all and request.GET.get("of") == "all"
    tokens = ApiToken.objects.visible_to(request.user).select_related("user")
    if not shows_all:
        tokens = tokens.filter(user=request.user)
    context = {"tokens": tokens.order_by("-pk")[:MOST_SHOWN], "may_see_all": may_see_all, "shows_all": shows_all}
    return render(request, "users/token_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.TOKEN_OWN)
def token_add(request: SignedInRequest) -> HttpResponse:
    """Make a token. Its secret is printed in this one answer and stored nowhere."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
        token, secret = ApiToken.issue(user=request.user, by=request.user, name=name, scopes=scopes, expires_at=form.expires_at)
        return render(request, "users/token_secret.html", {"token": token, "secret": secret})
    return render(request, "users/token_form.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@needs(Permission.TOKEN_OWN)
def token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    get_object_or_404(ApiToken.objects.visible_to(request.user).select_related("user"), pk=pk).revoke(by=request.user)
    messages.success(request, _("Revoked: the token does not work any more."))
    return redirect("users:tokens")
