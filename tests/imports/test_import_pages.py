"""The wizard, through its addresses. Jobs are run by the test in the worker's place."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from customers import jobs
from customers.imports import jobs as _handlers  # noqa: F401
from customers.models import Customer, ImportRun, Job, SourceSystem
from tests.imports.files import upload
from tests.people import World


@pytest.fixture
def ivy(world: World, client: Client) -> Client:
    client.force_login(world.ivy)
    return client


def _post_file(client: Client, raw: bytes, *, name: str = "firms.csv", kind: str = "customers", source: str = "Old ERP") -> object:
    file = io.BytesIO(raw)
    file.name = name
    return client.post(reverse("customers:import-add"), {"kind": kind, "source": source, "file": file})


def _work() -> None:
    for job in Job.objects.unfinished():
        jobs.run(job.pk)


FILE = b'id,name,revenue,note\n1,Acme,"1,100.04",x\n2,Beta,much,y\n'


def test_from_upload_to_undo(ivy: Client, django_capture_on_commit_callbacks: Callable[..., object]) -> None:
    response = _post_file(ivy, FILE)
    run = ImportRun.objects.get()
    assert response.url == reverse("customers:import-columns", args=[run.pk])  # type: ignore[attr-defined]
    page = ivy.get(response.url).content.decode()  # type: ignore[attr-defined]
    assert "1,100.04" in page
    ivy.post(reverse("customers:import-columns", args=[run.pk]), {"c0": "key", "c1": "legal_name", "c2": "annual_revenue"})
    _work()
    page = ivy.get(reverse("customers:import", args=[run.pk])).content.decode()
    assert "Not a number" in page
    assert not Customer.objects.exists()
    ivy.post(reverse("customers:import-launch", args=[run.pk]))
    _work()
    assert [customer.legal_name for customer in Customer.objects.all()] == ["Acme"]
    errors = b"".join(ivy.get(reverse("customers:import-problems", args=[run.pk])).streaming_content).decode()  # type: ignore[attr-defined]
    assert "2,Beta,much,y,3,revenue," in errors
    ivy.post(reverse("customers:import-undo", args=[run.pk]))
    _work()
    assert not Customer.objects.exists()
    assert "Undone" in ivy.get(reverse("customers:import", args=[run.pk])).content.decode()


def test_the_form_sent_twice_uploads_once(ivy: Client) -> None:
    for _time in range(2):
        file = io.BytesIO(FILE)
        file.name = "firms.csv"
        ivy.post(reverse("customers:import-add"), {"kind": "customers", "source": "erp", "file": file, "once": "a" * 32})
    assert ImportRun.objects.count() == 1


@pytest.mark.parametrize(
    ("raw", "name", "source"),
    [
        (b"%PDF-1.7", "firms.csv", "erp"),
        (b"", "firms.csv", "erp"),
        (FILE, "firms.exe", "erp"),
        (FILE, "firms.csv", "\x00"),
        (FILE, "firms.csv", "pareto"),
        (FILE, "firms.csv", "../x"),
        (FILE, "firms.csv", "x" * 300),
    ],
)
def test_a_bad_upload_is_answered_by_its_field(ivy: Client, raw: bytes, name: str, source: str) -> None:
    response = _post_file(ivy, raw, name=name, source=source)
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert "invalid-feedback" in response.content.decode()  # type: ignore[attr-defined]
    assert not ImportRun.objects.exists()


def test_columns_must_name_what_is_needed(world: World, ivy: Client) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    response = ivy.post(reverse("customers:import-columns", args=[run.pk]), {"c0": "key", "c1": "industry", "c2": "nonsense"})
    assert response.status_code == 422
    response = ivy.post(reverse("customers:import-columns", args=[run.pk]), {"c0": "key", "c1": "industry", "c2": "industry"})
    assert response.status_code == 422
    assert "legal name" in response.content.decode().lower()


def test_an_unclear_column_is_asked_about(world: World, ivy: Client) -> None:
    run = upload("id,name,customer since\n1,Acme,03-04-2017\n", "customers", by=world.ivy)
    mapping = {"c0": "key", "c1": "legal_name", "c2": "acquired_on"}
    response = ivy.post(reverse("customers:import-columns", args=[run.pk]), mapping)
    assert "03-04-2017" in response.content.decode()
    assert response.status_code == 422
    assert ivy.post(reverse("customers:import-columns", args=[run.pk]), {**mapping, "o2": "mdy"}).status_code == 302


def test_a_hint_teaches_the_source(world: World, ivy: Client) -> None:
    run = upload(FILE, "customers", by=world.ivy)
    ivy.post(reverse("customers:import-hint", args=[run.pk]), {"spelling": "GTXPro", "meaning": "GTX Pro"})
    assert SourceSystem.objects.get(code="erp").hints == {"GTXPro": "GTX Pro"}
    assert ivy.post(reverse("customers:import-hint", args=[run.pk]), {"spelling": " ", "meaning": ""}).status_code == 302


def test_anothers_import_is_not_there(world: World, ivy: Client) -> None:
    run = upload(FILE, "customers", by=world.eve)
    for name in ("import", "import-columns", "import-problems"):
        assert ivy.get(reverse(f"customers:{name}", args=[run.pk])).status_code == 404
    for name in ("import-launch", "import-undo", "import-cancel", "import-check", "import-hint", "import-reread"):
        assert ivy.post(reverse(f"customers:{name}", args=[run.pk])).status_code == 404


def test_the_list_stays_within_its_queries(world: World, ivy: Client, django_assert_max_num_queries: Callable[..., object]) -> None:
    for _time in range(5):
        upload(FILE, "customers", by=world.ivy)
    ivy.get(reverse("customers:imports"))  # the first page of a session also writes the session down
    with django_assert_max_num_queries(10):  # type: ignore[attr-defined]
        ivy.get(reverse("customers:imports"))
    with django_assert_max_num_queries(15):  # type: ignore[attr-defined]
        ivy.get(reverse("customers:import", args=[ImportRun.objects.latest("pk").pk]))
