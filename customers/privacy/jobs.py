"""The erasure as a job: it reads whole tables, which no page waits for."""

from __future__ import annotations

from typing import Any

from customers.jobs import Progress, handles
from customers.models import Contact
from customers.privacy.erasure import erase_person


@handles("erase_person")
def do_erase_person(progress: Progress, contact_id: int) -> dict[str, Any]:
    return {"rows": erase_person(by=progress.job.requested_by, contact=Contact._base_manager.get(pk=contact_id))}
