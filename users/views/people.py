from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from users import actions
from users.access import ROLE_PERMISSIONS, Permission, needs
from users.conflicts import conflict_response
from users.forms import UserFilter, UserForm
from users.http import SignedInRequest
from users.keyset import BadCursor, Sort, page_of
from users.models import Team, User
from users.records import StaleVersion

PAGE_SIZE = 50
SORTS = {"name": Sort("name", "name"), "-name": Sort("name", "name", descending=True)}


@require_safe
@needs(Permission.USER_MANAGE)
def user_list(request: SignedInRequest) -> HttpResponse:
    form = UserFilter(request.GET)
    sort = request.GET.get("sort", "") if request.GET.get("sort") in SORTS else "name"
    found = _found(User.objects.visible_to(request.user).select_related("team"), form)
    try:
        page = page_of(found, SORTS[sort], request.GET.get("cursor", ""), size=PAGE_SIZE)
    except BadCursor as error:
        raise BadRequest(_("This page's address is damaged. Begin at the first page.")) from error
    return render(request, "users/user_list.html", {"page": page, "form": form, "sort": sort})


def _found(users: QuerySet[User], form: UserFilter) -> QuerySet[User]:
    """The users that fit; a filter that makes no sense is named on the page and narrows nothing."""
    form.is_valid()
    asked = form.cleaned_data
    if words := asked.get("q"):
        users = users.filter(Q(name__icontains=words) | Q(email__icontains=words))
    for name in ("team", "role"):
        if value := asked.get(name):
            users = users.filter(**{name: value})
    if (state := asked.get("state", "")) != "all":
        users = users.filter(is_active=not state)
    return users


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USER_MANAGE)
def user_add(request: SignedInRequest) -> HttpResponse:
    """Add a user, and show once the link by which the person sets a password."""
    form = UserForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = actions.add_user(by=request.user, **form.values)
        return _show_invitation(request, user)
    return render(request, "users/user_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.USER_MANAGE)
def user_edit(request: SignedInRequest, pk: int) -> HttpResponse:
    user = _managed(request, pk)
    form = UserForm(request.POST or None, instance=User.objects.get(pk=pk))
    if request.method == "POST" and form.is_valid():
        try:
            actions.change_user(by=request.user, user=user, expected_version=form.cleaned_data["version"], **form.values)
        except StaleVersion as stale:
            return conflict_response(request, "users/user_form.html", form, stale, managed=user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("users:edit", pk)
    return render(request, "users/user_form.html", {"form": form, "managed": user}, status=422 if form.errors else 200)


@require_safe
@needs(Permission.USER_MANAGE)
def user_reach(request: SignedInRequest, pk: int) -> HttpResponse:
    """What this user can see and do, in words."""
    user = _managed(request, pk)
    reach = user.reach
    teams = Team.objects.all() if reach.everything else Team.objects.filter(pk__in=reach.team_ids)
    permissions = [(permission, permission in ROLE_PERMISSIONS[user.role]) for permission in Permission]
    members = teams.annotate(members_count=Count("members", filter=Q(members__is_active=True)))
    return render(request, "users/user_reach.html", {"managed": user, "teams": members, "permissions": permissions})


@require_POST
@needs(Permission.USER_MANAGE)
def user_invite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Another link to set a password: the first one was lost, or is too old."""
    return _show_invitation(request, _managed(request, pk))


@require_POST
@needs(Permission.USER_MANAGE)
def user_deactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    user = _managed(request, pk)
    try:
        actions.deactivate(by=request.user, user=user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, _("Deactivated: signed out everywhere, and every API token revoked."))
    return redirect("users:edit", pk)


@require_POST
@needs(Permission.USER_MANAGE)
def user_reactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    actions.reactivate(by=request.user, user=_managed(request, pk))
    messages.success(request, _("Active again. Former API tokens stay revoked."))
    return redirect("users:edit", pk)


def _managed(request: SignedInRequest, pk: int) -> User:
    user: User = get_object_or_404(User.objects.visible_to(request.user).select_related("team"), pk=pk)
    return user


def _show_invitation(request: SignedInRequest, user: User) -> HttpResponse:
    """Printed in answer to the POST, not behind a redirect: the link is nowhere else, and a second look is not given."""
    try:
        invitation = actions.invite(by=request.user, user=user, request=request)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("users:edit", user.pk)
    return render(request, "users/invitation.html", {"invitation": invitation, "hours": actions.hours_valid()})
