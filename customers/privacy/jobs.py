"""The copy and the erasure as jobs: both read whole tables, which no page waits for."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from typing import Any

from django.core.files import File
from django.utils import timezone

from customers.jobs import Progress, handles
from customers.models import Contact, Job
from customers.privacy.erasure import erase_person
from customers.privacy.export import export_person

COPIES_KEPT = timedelta(days=7)


class PersonErased(Exception):
    """There is nothing left to copy."""


@handles("export_person")
def do_export_person(progress: Progress, contact_id: int) -> dict[str, Any]:
    contact = Contact._base_manager.filter(pk=contact_id, erased_at=None).first()
    if contact is None:
        raise PersonErased
    # The row says where the copy lies before it is there, so that none is left behind that nobody knows of.
    job, name = progress.job, f"jobs/{progress.job.pk}.zip"
    Job.objects.filter(pk=job.pk).update(file=name)
    with tempfile.TemporaryFile() as content:
        export_person(by=job.requested_by, contact=contact, to=content)
        size = content.tell()
        content.seek(0)
        job.file.storage.delete(name)  # of an attempt that was cut off
        job.file.storage.save(name, File(content))
    return {"bytes": size}


@handles("erase_person")
def do_erase_person(progress: Progress, contact_id: int) -> dict[str, Any]:
    return {"rows": erase_person(by=progress.job.requested_by, contact=Contact._base_manager.get(pk=contact_id))}


def forget_old_copies() -> None:
    """A copy is for handing on, not for keeping: the person's data is deleted here after a week."""
    for job in Job.objects.filter(kind="export_person", created_at__lt=timezone.now() - COPIES_KEPT).exclude(file=""):
        job.forget_file()
