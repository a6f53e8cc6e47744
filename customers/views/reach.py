from __future__ import annotations

from django import forms
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from customers.models import Customer
from users.access import Permission, needs
from users.http import SignedInRequest
from users.models import Team, User


class NumberForm(forms.Form):
    number = forms.CharField(max_length=20, required=False)


@require_safe
@needs(Permission.USER_MANAGE)
def user_reach(request: SignedInRequest, pk: int) -> HttpResponse:
    """A part of the page of a user's reach: how many customers of which team, and whether one customer is among them."""
    user = get_object_or_404(User.objects.visible_to(request.user).select_related("team"), pk=pk)
    form = NumberForm(request.GET)
    number = form.cleaned_data["number"].strip() if form.is_valid() else ""
    visible = Customer.objects.visible_to(user)
    counts = dict(visible.order_by().values_list("team").annotate(Count("pk")))
    teams = [(team, counts[team.pk]) for team in Team.objects.filter(pk__in=counts)]
    customer = Customer.objects.visible_to(request.user).filter(number__iexact=number).select_related("team", "owner").first()
    answer = _why(user, customer) if customer else None
    context = {"managed": user, "teams": teams, "total": sum(counts.values()), "number": number, "customer": customer, "answer": answer}
    return render(request, "customers/user_reach.html", context)


def _why(user: User, customer: Customer) -> tuple[bool, str]:
    """Whether the user sees the customer, and the rule that says so; the verdict itself is `visible_to`'s."""
    sees = Customer.objects.visible_to(user).filter(pk=customer.pk).exists()
    if not user.is_active:
        reason = _("The account is deactivated.")
    elif user.reach.everything:
        reason = _("This user sees the whole company.")
    elif customer.owner_id == user.pk:
        reason = _("This user is its owner.")
    elif customer.team_id in user.reach.team_ids:
        reason = _("Its team, %(team)s, is in reach.") % {"team": customer.team}
    else:
        reason = _("Its team, %(team)s, is out of reach, and this user is not its owner.") % {"team": customer.team}
    return sees, reason
