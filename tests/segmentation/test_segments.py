"""Who is in a segment: entering, leaving, and whose 'me' counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers import jobs
from customers.models import CustomField, Job
from customers.models.customer import CustomerQuerySet
from segmentation import jobs as _jobs  # noqa: F401  (registers the refresh as a job)
from segmentation import segments, tasks
from segmentation.models import Membership, Segment
from segmentation.rules import parse
from tests.factories import make_customer, make_segment
from tests.people import World
from users.models import Event


def in_segments(*ids: int) -> dict[str, Any]:
    return {"field": "segment", "is": "any_of", "value": list(ids)}


def standing(segment: Segment) -> set[str]:
    return set(Membership.objects.standing().filter(segment=segment).values_list("customer__legal_name", flat=True))


def test_who_fits_enters_and_who_no_longer_fits_leaves(world: World) -> None:
    acme, bolt = (make_customer(name, team=world.north, status="active") for name in ("Acme", "Bolt"))
    segment = make_segment(by=world.ana)
    assert [(done.members, done.entered, done.left) for done in segments.refresh_memberships()] == [(2, 2, 0)]
    acme.change(by=world.ana, status="lost")
    make_customer("Core", team=world.south, status="active")
    assert [(done.members, done.entered, done.left) for done in segments.refresh_memberships()] == [(2, 1, 1)]
    assert standing(segment) == {"Bolt", "Core"}
    assert Membership.objects.get(customer=acme).left_at is not None
    acme.change(by=world.ana, status="active")
    segments.refresh_memberships()
    assert [bool(one.left_at) for one in Membership.objects.filter(customer=acme).order_by("pk")] == [True, False]
    assert Membership.objects.filter(customer=bolt).count() == 1


def test_refreshing_twice_changes_nothing_and_tells_nothing(world: World) -> None:
    make_customer("Acme", team=world.north, status="active")
    segment = make_segment(by=world.ana)
    for _ in range(2):
        segments.refresh_memberships([segment.pk])
    event = Event.objects.get(noun="membership")
    assert (event.object_id, event.changes) == (segment.pk, {"members": [None, 1], "entered": [0, 1], "left": [0, 0]})
    assert Membership.objects.count() == 1


def test_a_deleted_customer_leaves(world: World) -> None:
    acme = make_customer("Acme", team=world.north, status="active")
    segment = make_segment(by=world.ana)
    segments.refresh_memberships()
    acme.discard(by=world.ada)
    segments.refresh_memberships()
    assert standing(segment) == set()


def test_members_are_company_wide_and_me_is_the_owner(world: World) -> None:
    make_customer("Anas", team=world.north, owner=world.ana)
    make_customer("Eves", team=world.south, owner=world.eve)
    mine = make_segment(by=world.ana, rule={"field": "owner", "is": "any_of", "value": ["me"]})
    owned = make_segment(by=world.ana, rule={"field": "owner", "is": "filled"})
    segments.refresh_memberships()
    assert (standing(mine), standing(owned)) == ({"Anas"}, {"Anas", "Eves"})


def test_a_segment_comes_after_those_that_it_asks_about(world: World) -> None:
    make_customer("Acme", team=world.north, status="active")
    base = make_segment(by=world.ana)
    above = make_segment(by=world.ana, rule=in_segments(base.pk))
    top = make_segment(by=world.ana, rule={"all": [in_segments(above.pk)]})
    assert segments.refresh_order([top.pk, above.pk, base.pk]) == [base.pk, above.pk, top.pk]
    segments.refresh_memberships()
    assert standing(top) == {"Acme"}


def test_a_segment_cannot_ask_about_itself(world: World) -> None:
    base = make_segment(by=world.ana)
    above = make_segment(by=world.ana, rule=in_segments(base.pk))
    for asked in (base.pk, above.pk):
        with pytest.raises(ValidationError, match="itself"):
            segments.change_segment(by=world.ana, segment=base, rule={"not": in_segments(asked)})


def test_an_archived_segment_has_nobody_and_rests(world: World) -> None:
    make_customer("Acme", team=world.north, status="active")
    base = make_segment(by=world.ana)
    above = make_segment(by=world.ana, rule=in_segments(base.pk))
    segments.refresh_memberships()
    base.discard(by=world.ana)
    assert [done.segment_id for done in segments.refresh_memberships()] == [above.pk]
    assert (standing(base), standing(above)) == ({"Acme"}, set())


def test_a_rule_that_can_no_longer_be_read_keeps_its_members(world: World) -> None:
    field = CustomField.add(by=None, key="floor", label="Floor", kind="number")
    make_customer("Acme", team=world.north, custom={"floor": 7})
    segment = make_segment(by=world.ana, rule={"field": "custom.floor", "is": "gt", "value": 1})
    segments.refresh_memberships()
    field.delete()
    assert segments.refresh_memberships() == []
    assert standing(segment) == {"Acme"}


def test_another_rule_makes_the_members_due_and_another_name_does_not(world: World) -> None:
    segment = make_segment(by=world.ana)
    segments.refresh_memberships()
    Job.objects.all().delete()
    segment.refresh_from_db()
    segments.change_segment(by=world.ana, segment=segment, name="Other")
    assert segment.refreshed_at is not None
    assert not Job.objects.exists()
    segments.change_segment(by=world.ana, segment=segment, rule={"field": "owner", "is": "filled"})
    assert Segment.objects.get().is_due
    assert Job.objects.get().arguments == {"segment_ids": [segment.pk]}


def test_the_job_refreshes_and_says_what_it_did(world: World) -> None:
    make_customer("Acme", team=world.north, status="active")
    make_segment(by=world.ana)
    job = Job.objects.get()
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result) == ("done", {"segments": 1, "entered": 1, "left": 0})


def test_one_nightly_job_that_waits_is_enough(world: World) -> None:
    tasks.refresh_segments()
    assert not Job.objects.exists()  # no segment, nothing to do
    make_segment(by=world.ana)
    for _ in range(2):
        tasks.refresh_segments()
    assert Job.objects.filter(arguments={}).count() == 1


def test_a_refresh_is_a_handful_of_statements_however_many_members(world: World) -> None:
    for _ in range(10):
        make_customer(team=world.north, status="active")
    segment = make_segment(by=world.ana)
    with CaptureQueriesContext(connection) as done:
        segments.refresh_memberships([segment.pk])
    assert len([one for one in done.captured_queries if "SAVEPOINT" not in one["sql"]]) <= 7


def test_a_question_that_takes_too_long_is_answered_as_such(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    make_customer(team=world.north)
    monkeypatch.setattr(segments, "PREVIEW_SECONDS", 0.05)
    monkeypatch.setattr(CustomerQuerySet, "visible_to", lambda seen, _user: seen.extra(where=["pg_sleep(1) IS NOT NULL"]))
    found = segments.preview(parse({"field": "owner", "is": "empty"}), world.ana)
    assert (found.is_too_slow, found.count, found.sample) == (True, None, [])


def test_the_limit_on_a_preview_ends_with_it(world: World) -> None:
    def limit() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            return cursor.fetchone()[0]

    before = limit()
    segments.preview(parse({"field": "owner", "is": "empty"}), world.ana)
    assert limit() == before != f"{segments.PREVIEW_SECONDS}s"


def test_a_count_goes_no_further_than_the_page_can_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_COUNTED", 3)
    for _ in range(4):
        make_customer(team=world.north)
    found = segments.preview(parse({"field": "owner", "is": "empty"}), world.ana)
    assert (found.count, found.is_more, len(found.sample)) == (3, True, 4)
