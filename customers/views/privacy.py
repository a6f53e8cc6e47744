from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from customers.models import Contact, Job
from customers.privacy.person import Person
from users.access import Permission, needs
from users.http import SignedInRequest


class ErasureForm(forms.Form):
    """The person's name, typed, says that no other one is meant."""

    confirmation = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: object, name: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.name = name
        self.fields["confirmation"].label = _("Type %(name)s to confirm") % {"name": name}

    def clean_confirmation(self) -> str:
        typed = str(self.cleaned_data["confirmation"])
        if typed != self.name:
            raise forms.ValidationError(_("That is not the name."))
        return typed


@require_http_methods(["GET", "HEAD", "POST"])
@needs(Permission.PERSON_ERASE)
def contact_privacy(request: SignedInRequest, pk: int) -> HttpResponse:
    """What is recorded about a person; a POST with the name typed erases it for good."""
    contact = _erasable(request, pk)
    form = ErasureForm(request.POST or None, name=contact.name)
    if request.method == "POST" and form.is_valid():
        job = Job.start("erase_person", by=request.user, title=_("Erasure of a person's data"), contact_id=contact.pk)
        return redirect("customers:job", job.pk)
    counts = {name: rows.count() for name, rows in Person.of(contact).rows().items()}
    context = {"contact": contact, "counts": counts, "form": form}
    return render(request, "customers/contact_privacy.html", context, status=422 if form.errors else 200)


@require_POST
@needs(Permission.PERSON_ERASE)
def contact_export(request: SignedInRequest, pk: int) -> HttpResponse:
    """The copy is made by a job, on whose page it is then to be had."""
    contact = _erasable(request, pk)
    job = Job.start("export_person", by=request.user, title=_("Copy of a person's data"), contact_id=contact.pk)
    return redirect("customers:job", job.pk)


def _erasable(request: SignedInRequest, pk: int) -> Contact:
    """A deleted contact can be erased as well, by those who see everything."""
    contacts = Contact.objects.all() if request.user.reach.everything else Contact.objects.visible_to(request.user)
    contact: Contact = get_object_or_404(contacts, pk=pk, erased_at=None)
    return contact
