from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from users.access import Permission, needs
from users.conflicts import conflict_response
from users.forms import TeamForm
from users.http import SignedInRequest
from users.models import Team
from users.records import StaleVersion


@require_safe
@needs(Permission.USER_MANAGE)
def team_tree(request: SignedInRequest) -> HttpResponse:
    """Every team in the tree's order: a company has hundreds at most, so this is one page."""
    members = Count("members", filter=Q(members__is_active=True))
    return render(request, "users/team_tree.html", {"teams": Team.objects.visible_to(request.user).annotate(members_count=members)})


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USER_MANAGE)
def team_add(request: SignedInRequest) -> HttpResponse:
    form = TeamForm(request.POST or None, initial={"parent": request.GET.get("parent")})
    if request.method == "POST" and form.is_valid():
        Team.add(by=request.user, **form.values)
        messages.success(request, _("Team added."))
        return redirect("users:teams")
    return render(request, "users/team_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USER_MANAGE)
def team_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Rename a team or hang it elsewhere; whoever sees a subtree sees the new one from the next request on."""
    team = get_object_or_404(Team.objects.visible_to(request.user), pk=pk)
    form = TeamForm(request.POST or None, instance=Team.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        try:
            team.change(by=request.user, expected_version=form.cleaned_data["version"], **form.values)
        except StaleVersion as stale:
            return conflict_response(request, "users/team_form.html", form, stale, team=team)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("users:teams")
    return render(request, "users/team_form.html", {"form": form, "team": team}, status=422 if form.errors else 200)
