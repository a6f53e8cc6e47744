"""The shape of the code, as docs/architecture.md describes it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent
APPS = ("crm", "users", "customers", "segmentation", "service_center", "analytics")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def sources() -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts)


def test_the_import_contracts_hold() -> None:
    assert lint_imports(str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_file_is_too_long_to_be_read_in_one_go() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_there_is_no_fourth_home_for_behaviour() -> None:
    """A row, a set of rows, an action: what fits none of them has not been understood yet."""
    vague = {"utils.py", "helpers.py", "common.py", "misc.py", "services.py", "managers.py"}
    assert [str(path.relative_to(ROOT)) for path in sources() if path.name in vague] == []


@pytest.mark.parametrize("app", [app for app in APPS if app not in ("crm", "users")])
def test_the_maths_of_an_app_can_be_had_without_django(app: str) -> None:
    for path in sorted((ROOT / app / "maths").glob("*.py")):
        names = {name.split(".")[0] for name in _imports(path)}
        assert not names & {"django", "celery", "rest_framework"}, path
        importlib.import_module(f"{app}.maths.{path.stem}")


def test_every_table_of_ours_has_a_named_index_and_migration() -> None:
    """Names that a machine made up say nothing in a query plan or in a list of migrations."""
    unnamed = [path.name for app in APPS for path in (ROOT / app).glob("migrations/*_auto_*.py")]
    assert unnamed == []
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for index in model._meta.indexes:
                assert not index.name.endswith("_idx"), f"{model.__name__}: {index.name}"


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
