from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from customers.models import Job
from tests.people import World
from users.models import User


@pytest.fixture
def ana(client: Client, world: World) -> Client:
    client.force_login(world.ana)
    return client


def make_job(by: User, **values: object) -> Job:
    job = Job.objects.create(kind="import", title="Import of customers.csv", requested_by=by, **values)
    job.refresh_from_db()
    return job


def test_people_see_their_own_jobs_and_administrators_all(ana: Client, world: World) -> None:
    mine, theirs = make_job(world.ana), make_job(world.eve)
    assert [job.pk for job in ana.get("/jobs/").context["page"].rows] == [mine.pk]
    assert ana.get(f"/jobs/{theirs.pk}/").status_code == 404
    assert ana.post(f"/jobs/{theirs.pk}/cancel/").status_code == 404
    ana.force_login(world.ada)
    assert len(ana.get("/jobs/").context["page"].rows) == 2


def test_a_running_job_is_asked_for_until_it_has_ended(ana: Client, world: World) -> None:
    job = make_job(world.ana, state="running", progress=40, total=100)
    assert 'hx-trigger="every 2s"' in ana.get(f"/jobs/{job.pk}/").content.decode()
    poll = ana.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})
    assert (poll.status_code, "<html" in poll.content.decode()) == (200, False)
    job.finish("done", result={"created": 85, "rows": {"nested": 1}})
    last = ana.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"})
    assert last.status_code == 286
    assert "85" in last.content.decode()
    assert "hx-trigger" not in ana.get(f"/jobs/{job.pk}/").content.decode()


def test_a_waiting_job_is_cancelled_at_once(ana: Client, world: World) -> None:
    job = make_job(world.ana)
    ana.post(f"/jobs/{job.pk}/cancel/")
    job.refresh_from_db()
    assert job.state == "cancelled"


def test_a_failed_job_tells_why(ana: Client, world: World) -> None:
    job = make_job(world.ana, state="failed", error="ValueError: <b>bad</b>")
    page = ana.get(f"/jobs/{job.pk}/").content.decode()
    assert "&lt;b&gt;bad" in page


def test_the_list_costs_at_most_ten_queries(ana: Client, world: World, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(35):
        make_job(world.ana)
    ana.get("/customers/")
    with django_assert_max_num_queries(10):
        ana.get("/jobs/?cursor=rubbish")
