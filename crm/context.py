from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, object]:
    """What the frame of every page needs; no query."""
    return {"build": settings.BUILD}
