"""granian, with the product loaded before it forks its workers: what they all import lies in memory once.

`python -m crm.serve ARGUMENTS…` as `granian ARGUMENTS…`. A new version of the code needs a new start: a SIGHUP, on which
granian replaces its workers, gives them the code that is loaded.
"""

from __future__ import annotations

import gc
import multiprocessing

from django.conf import settings
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver
from django.utils.translation import trans_real

from crm.wsgi import application


def main() -> None:
    multiprocessing.set_start_method("fork")  # granian's choice so far; from Python 3.14 on it has to be said
    load()
    from granian.cli import entrypoint  # only now, with the way to start processes settled

    entrypoint()  # type: ignore[no-untyped-call]


def load() -> None:
    """Everything that the first requests would load: views, languages, templates. Opens no connection, starts no thread."""
    assert application
    _visit(get_resolver())
    for language, _name in settings.LANGUAGES:
        trans_real.translation(language)
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        get_template(str(path.relative_to(settings.BASE_DIR / "templates")))
    # The collector notes in each object's head what it found, and a page of memory that is written to is a page copied.
    gc.collect()
    gc.freeze()


def _visit(resolver: URLResolver) -> None:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            _visit(pattern)


if __name__ == "__main__":
    main()
