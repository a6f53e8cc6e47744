"""The files behind the demo company, imported as anybody would import them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from customers.imports.runs import import_path
from customers.models import ImportRun, SourceSystem

SOURCE = "sales"
NAME = "Sales files"
# Spellings of these files; customers and products that are written another way are found by their match key.
HINTS = {"technolgy": "technology", "Philipines": "Philippines", "GTXPro": "GTX Pro"}
FILES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("accounts.csv", ImportRun.Kind.CUSTOMERS, {"columns": {"revenue": {"mark": ".", "scale": "1000000"}}}),  # in millions
    ("products.csv", ImportRun.Kind.PRODUCTS, {}),
    ("sales_pipeline.csv", ImportRun.Kind.OPPORTUNITIES, {}),
)


def folder() -> Path:
    return settings.SHARED_DATA / "data" / "crm_sales"


def are_here() -> bool:
    return all((folder() / name).is_file() for name, _kind, _options in FILES)


def import_files() -> SourceSystem:
    source = SourceSystem.objects.create(code=SOURCE, name=NAME, hints=HINTS)
    for name, kind, options in FILES:
        import_path(folder() / name, kind=kind, source_code=SOURCE, by=None, options=options)
    return source
