"""What the documents name is there: files, settings, packages, decisions. Whether it is well said, people must judge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from users.access import DEFAULT_SCOPE, ROLE_PERMISSIONS, Permission, Role, Scope

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FOLDERS = r"(?:bin|crm|users|customers|segmentation|service_center|analytics|static|templates|tests|docs)"
PATH = re.compile(rf"`({FOLDERS}/[\w./-]*\w/?)(?::(\w+))?`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
SETTING = re.compile(r"env\.\w+\(\s*\"(\w+)\"")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@each_document
def test_a_document_links_to_what_exists(document: Path) -> None:
    missing = [link for link in LINK.findall(document.read_text()) if not (document.parent / link).exists()]
    assert missing == []


@each_document
def test_a_document_names_files_and_functions_that_exist(document: Path) -> None:
    missing = []
    for name, inside in PATH.findall(document.read_text()):
        path = ROOT / name
        if not path.exists() or (inside and not re.search(rf"\b{inside}\b", path.read_text())):
            missing.append(f"{name}:{inside}" if inside else name)
    assert missing == []


def test_every_setting_is_explained() -> None:
    read = set(SETTING.findall((ROOT / "crm" / "settings.py").read_text()))
    explained = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text()))
    assert read - explained == set()


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_says_why_it_is_there(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    wanted = {re.split(r"[\[<>=]", line)[0].strip() for line in lines if line and line[0] not in "#-"}
    explained = set(re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert wanted - explained == set()


def test_nothing_explained_has_been_dropped() -> None:
    files = ("requirements.in", "requirements-dev.in")
    wanted = {re.split(r"[\[<>=]", line)[0].strip() for name in files for line in (ROOT / name).read_text().splitlines()}
    explained = set(re.findall(r"^\| ([\w-]+) \|", (ROOT / "docs" / "dependencies.md").read_text(), re.MULTILINE))
    assert explained - wanted - {"package"} == set()


def test_code_points_to_documents_that_exist() -> None:
    named = {
        (str(path.relative_to(ROOT)), name)
        for folder in ("bin", "crm", "users", "customers")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\bdocs/[\w./-]+\.md\b", path.read_text())
    }
    assert sorted(one for one in named if not (ROOT / one[1]).exists()) == []


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert path.read_text().startswith(f"# {int(path.name[:4])}. "), path.name


def test_the_access_tables_are_those_of_the_code() -> None:
    text = (ROOT / "docs" / "access.md").read_text()
    assert "| act | " + " | ".join(str(role.label) for role in Role) + " |" in text
    for permission in Permission:
        row = " | ".join("yes" if permission in ROLE_PERMISSIONS[role] else "" for role in Role)
        assert f"| {permission.label} | {row} |" in text
    for role in Role:
        assert f"| {role.label} | {DEFAULT_SCOPE[role].label} |" in text
    for scope in Scope:
        assert f"| `{scope.value}` | {scope.label} |" in text
