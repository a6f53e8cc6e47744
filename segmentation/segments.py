"""Segments (客户细分): whom a rule finds now, changing one, and keeping its members and their history.

Members are refreshed by a job: after each value run, every night, and after a change of a rule.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer, Job
from segmentation.models import Membership, Segment, Tier
from segmentation.rules import Asking, Rule, RuleInvalid, checked, parse
from users.models import Event

if TYPE_CHECKING:
    from users.models import User
    from users.models.event import Changes

logger = logging.getLogger(__name__)

REFRESH_JOB = "refresh-segments"
MOST_COUNTED = 10_000
SAMPLE = 5
PREVIEW_SECONDS = 5
QUERY_CANCELED = "57014"  # PostgreSQL's code


# ── Asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Preview:
    """Whom a rule finds in a reader's reach: how many, counted up to MOST_COUNTED, and a few of them."""

    count: int | None  # None: the question takes longer than a page may wait
    is_more: bool
    sample: list[Customer]

    @property
    def is_too_slow(self) -> bool:
        return self.count is None


def preview(rule: Rule, reader: User) -> Preview:
    """Ask now, among the customers that the reader sees and within PREVIEW_SECONDS."""
    found = Customer.objects.visible_to(reader).filter(rule.q(Asking.now(reader)))
    try:
        with _with_setting("statement_timeout", f"{PREVIEW_SECONDS * 1000:.0f}"):
            ids = list(found.order_by().values_list("pk", flat=True)[: MOST_COUNTED + 1])
            shown = Customer.objects.filter(pk__in=ids[:SAMPLE]).select_related("score")
            sample = list(shown.only("name", "number", "score__tier", "score__clv").by_name())
    except OperationalError as error:
        if getattr(getattr(error.__cause__, "diag", None), "sqlstate", None) != QUERY_CANCELED:
            raise
        return Preview(None, is_more=False, sample=[])
    name_tiers(sample)
    return Preview(min(len(ids), MOST_COUNTED), len(ids) > MOST_COUNTED, sample)


@contextmanager
def _with_setting(name: str, value: str) -> Iterator[None]:
    """One of the database's settings for the statements of this block, which are one transaction; then as it was before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s), set_config(%s, %s, true)", [name, name, value])
        before = cursor.fetchone()[0]
        yield
        cursor.execute("SELECT set_config(%s, %s, true)", [name, before])


NO_SCORE: dict[str, None] = {"clv": None, "churn_risk": None}  # what a list shows of a customer that was never valued: nothing


def name_tiers(customers: Iterable[Any]) -> None:
    """Give each customer `worth`, its score or an empty one, and `tier_slug`; `score` must have been fetched with them."""
    for customer in customers:
        score = getattr(customer, "score", None)
        customer.worth = score or NO_SCORE
        customer.tier_slug = Tier(score.tier).slug if score else ""


# ── Changing ────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def add_segment(*, by: User, rule: Any, **values: Any) -> Segment:
    """A new segment of this person, its members worked out soon after. RuleInvalid where the rule cannot be used."""
    segment: Segment = Segment.add(by=by, owner=by, rule=checked(rule, by=by).tree, **values)
    refresh_soon([segment], by=by)
    return segment


@transaction.atomic
def change_segment(*, by: User, segment: Segment, expected_version: int | None = None, **values: Any) -> Changes:
    """Change it; another rule means other members, which are worked out soon after.

    ValidationError where somebody else than the owner shares it or takes it back; RuleInvalid where the rule cannot be used.
    """
    if values.get("is_shared", segment.is_shared) != segment.is_shared and segment.owner_id != by.pk:
        raise ValidationError({"is_shared": _("Only the owner shares a segment, or takes it back.")})
    if "rule" in values:
        rule = checked(values["rule"], by=by)
        _refuse_a_circle(segment, rule)
        values["rule"] = rule.tree
    changes = segment.change(by=by, expected_version=expected_version, **values)
    if "rule" in changes:
        Segment.objects.filter(pk=segment.pk).update(refreshed_at=None)
        segment.refreshed_at = None
        refresh_soon([segment], by=by)
    return changes


def _refuse_a_circle(segment: Segment, rule: Rule) -> None:
    """A segment that asks about itself, also by way of others, would have members that come and go with each refresh."""
    asked, todo = set[int](), rule.segment_ids()
    rules = dict(Segment.objects.kept().values_list("pk", "rule"))
    while todo:
        if segment.pk in todo:
            raise ValidationError({"rule": _("This segment would ask about itself.")})
        asked |= todo
        todo = {pk for one in todo for pk in segments_asked(rules.get(one))} - asked


def segments_asked(tree: Any) -> set[int]:
    """The segments that a kept rule asks about; none for a rule that can no longer be read."""
    try:
        return parse(tree).segment_ids()
    except RuleInvalid:
        return set()


# ── Members ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Refreshed:
    segment_id: int
    members: int
    entered: int
    left: int


# Everybody who fits, against those who stand: two set-based writes and no row through Python. The differences are taken of
# materialised sets: a look into the table for each row would walk over the rows that the same statement has just written.
_REFRESH = """
WITH fits (customer_id) AS MATERIALIZED (%(fits)s),
standing AS MATERIALIZED (SELECT customer_id FROM segmentation_membership WHERE segment_id = %%s AND left_at IS NULL),
gone AS (
    UPDATE segmentation_membership SET left_at = now()
    WHERE segment_id = %%s AND left_at IS NULL AND customer_id IN (SELECT customer_id FROM standing EXCEPT SELECT customer_id FROM fits)
    RETURNING 1
),
come AS (
    INSERT INTO segmentation_membership (segment_id, customer_id, entered_at)
    SELECT %%s, fresh.customer_id, now() FROM (SELECT customer_id FROM fits EXCEPT SELECT customer_id FROM standing) fresh
    RETURNING 1
)
SELECT (SELECT count(*) FROM fits), (SELECT count(*) FROM come), (SELECT count(*) FROM gone)
"""


def refresh_soon(segments: list[Segment] | None = None, *, by: User | None) -> None:
    """Have a job refresh these segments, or all of them, for which one job that waits is enough."""
    if segments is not None:
        title = _("Members of %(segments)s") % {"segments": ", ".join(segment.name for segment in segments)}
        Job.start(REFRESH_JOB, by=by, title=title, segment_ids=[segment.pk for segment in segments])
    elif Segment.objects.kept().exists() and not _waits():
        Job.start(REFRESH_JOB, by=by, title=_("Members of all segments"))


def _waits() -> bool:
    return Job.objects.filter(kind=REFRESH_JOB, state=Job.State.QUEUED, arguments={}).exists()


def refresh_memberships(segment_ids: Iterable[int] | None = None) -> list[Refreshed]:
    """Work out who is in the segments (all kept ones unless named), company-wide, and write who entered and who left.

    Each segment is a transaction of its own, those that others ask about first; running it twice changes nothing. A segment whose
    rule can no longer be read keeps its members and is logged.
    """
    return [done for pk in refresh_order(segment_ids) if (done := refresh_membership(pk)) is not None]


def refresh_order(segment_ids: Iterable[int] | None = None) -> list[int]:
    """The kept segments to refresh, each after those that its rule asks about."""
    kept = Segment.objects.kept() if segment_ids is None else Segment.objects.kept().filter(pk__in=list(segment_ids))
    asked = {pk: segments_asked(rule) for pk, rule in kept.order_by("pk").values_list("pk", "rule")}
    try:
        return [pk for pk in TopologicalSorter(asked).static_order() if pk in asked]
    except CycleError:  # two changes at the same moment may close a circle: each is then one refresh behind the other
        logger.warning("segments ask about each other in a circle: %s", sorted(asked))
        return list(asked)


@transaction.atomic
def refresh_membership(segment_id: int) -> Refreshed | None:
    """One segment; None where it is gone, archived, or its rule can no longer be read. 'me' is the segment's owner."""
    segment = Segment.objects.kept().select_for_update(of=("self",)).select_related("owner__team").filter(pk=segment_id).first()
    if segment is None:
        return None
    try:
        condition = parse(segment.rule).q(Asking.now(segment.owner))
    except RuleInvalid as invalid:
        logger.warning("segment %s keeps its members: its rule cannot be read: %s", segment.pk, invalid)
        return None
    fits, params = Customer.objects.kept().filter(condition).order_by().values("pk").query.sql_with_params()
    # Of how many stand and how many go the planner knows little: a nested loop over two such sets can take hours, a hash never does.
    with _with_setting("enable_nestloop", "off"), connection.cursor() as cursor:
        cursor.execute(_REFRESH % {"fits": fits}, [*params, segment.pk, segment.pk, segment.pk])
        members, entered, left = cursor.fetchone()
    Segment.objects.filter(pk=segment.pk).update(members=members, refreshed_at=timezone.now())
    if entered or left:
        changes = {"members": [segment.members, members], "entered": [0, entered], "left": [0, left]}
        Event.record("refreshed", noun=Membership.NOUN, by=None, object_id=segment.pk, label=segment.name, changes=changes)
    return Refreshed(segment.pk, members, entered, left)
