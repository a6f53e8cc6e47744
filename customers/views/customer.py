"""The page of one customer."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from customers.models import Customer
from users.access import Permission, needs
from users.http import SignedInRequest


@require_safe
@needs(Permission.CUSTOMER_VIEW)
def customer_detail(request: SignedInRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer.objects.visible_to(request.user).select_related("owner", "team", "parent"), pk=pk)
    return render(request, "customers/customer_detail.html", {"customer": customer})
