"""What people do with the value engine: keyword-only, `by=` the person acting, one transaction each.

Nothing here values anybody: that is the engine's work, in jobs. A tier that a person approves or sets shows at once, and the
next run goes on from there.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from customers.models import Customer, Job
from segmentation.boundaries import distances
from segmentation.models import RuleVersion, Scenario, Score, TierDecision, TierOverride, ValueRun
from users.models import Event, User

RUN_JOB, SCENARIO_JOB, PREVIEW_JOB = "value-run", "scenario", "rules-preview"
START_LOCK = 0x76616C75  # two people who press the button at once start one run


class Superseded(Exception):
    """What the person decides on is no longer so: somebody else, or a run, was first."""


class RunUnderWay(Exception):
    """A valuation is waiting or running; there is one at a time."""


class NothingValued(Exception):
    """There is no published run yet to think on from."""


# ── Runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def start_run(*, by: User | None, as_of: date | None = None, extent: ValueRun.Kind = ValueRun.Kind.FULL) -> Job:
    """Have customers valued by a worker, all unless said otherwise, as of a day (today by default). Raises RunUnderWay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [START_LOCK])
    if is_under_way():
        raise RunUnderWay
    title = _("Valuation of all customers") if extent == ValueRun.Kind.FULL else _("Valuation of changed customers")
    job = Job.start(RUN_JOB, by=by, title=title, as_of=as_of.isoformat() if as_of else None, extent=extent.value)
    Event.record(Event.Action.CREATED, noun=ValueRun.NOUN, by=by, label=job.title, changes={"job": [None, job.pk]})
    return job


def is_under_way() -> bool:
    waiting = Job.objects.unfinished().filter(kind=RUN_JOB)
    return waiting.exists() or ValueRun.objects.filter(state=ValueRun.State.RUNNING).exists()


# ── Tiers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def approve_move(*, customer: Customer, by: User, proposed_tier: int, reason: str = "") -> TierDecision:
    """Let a proposed move happen that waits for a person. Raises Superseded where that is no longer what is proposed."""
    score = _proposal(customer, proposed_tier)
    decision = _decide(score, TierDecision.Kind.APPROVED, by=by, tier=proposed_tier, proposed_tier=proposed_tier, reason=reason)
    _move(score, proposed_tier, by=by)
    return decision


@transaction.atomic
def refuse_move(*, customer: Customer, by: User, proposed_tier: int, reason: str = "") -> TierDecision:
    """Keep the customer where it is, against a proposal that waits for a person. Raises Superseded as `approve_move`."""
    score = _proposal(customer, proposed_tier)
    decision = _decide(score, TierDecision.Kind.REFUSED, by=by, tier=score.tier, proposed_tier=proposed_tier, reason=reason)
    _move(score, score.tier, by=by)
    return decision


@transaction.atomic
def override_tier(*, customer: Customer, by: User, tier: int, reason: str, owner: User, ends_on: date) -> TierOverride:
    """Put a customer into a tier until a day, whatever the rules say; an override that stands already is ended.

    ValidationError names the field that a rule of `TierOverride` refuses.
    """
    Customer.objects.select_for_update(no_key=True, of=("self",)).get(pk=customer.pk)  # one override at a time, also of two people
    for standing in TierOverride.objects.filter(customer=customer, ended_at=None):
        standing.end(by=by)
    override = TierOverride.add(by=by, customer=customer, tier=tier, reason=reason, owner=owner, ends_on=ends_on)
    score = Score.objects.select_for_update(of=("self",)).select_related("run__rules").filter(customer=customer).first()
    if score is not None:  # else the first run that sees the customer writes it down
        _decide(score, TierDecision.Kind.OVERRIDDEN, by=by, tier=tier, reason=reason)
        score.is_overridden = True
        _move(score, tier, by=by)
    return override


@transaction.atomic
def end_override(*, override: TierOverride, by: User) -> None:
    """End it before its day; the next run puts the customer where the rules say. Raises Superseded where it has ended."""
    locked = TierOverride.objects.select_for_update().get(pk=override.pk)
    if locked.ended_at is not None:
        raise Superseded
    locked.end(by=by)


def _proposal(customer: Customer, proposed_tier: int) -> Score:
    """The customer's score, locked, if it still waits for approval of just this move."""
    locked = Score.objects.select_for_update(of=("self",)).select_related("run__rules").filter(customer=customer).first()
    if locked is None or locked.proposal != Score.Proposal.APPROVAL or locked.proposed_tier != proposed_tier:
        raise Superseded
    return locked


def _decide(score: Score, kind: str, *, by: User, tier: int, proposed_tier: int | None = None, reason: str = "") -> TierDecision:
    """Write the ledger's row: a person decides on what the last run found, so its figures are that run's."""
    latest = TierDecision.objects.filter(customer=score.customer_id, run=score.run_id).newest_first().first()
    up, down = distances(score.value, tier, score.run.boundaries)
    return TierDecision.objects.create(
        customer_id=score.customer_id,
        run_id=score.run_id,
        rules=score.run.rules,
        as_of=timezone.localdate(),
        by=by,
        kind=kind,
        from_tier=score.tier,
        tier=tier,
        proposed_tier=proposed_tier,
        value=score.value,
        distance_up=up,
        distance_down=down,
        inputs=latest.inputs if latest else _inputs_of(score),
        drivers=score.drivers,
        reason=reason.strip()[:300],
    )


def _inputs_of(score: Score) -> dict[str, Any]:
    """What went in, as the engine writes it."""
    figures = {
        "clv": score.clv,
        "orders": score.clv_orders,
        "contracts": score.clv_contracts,
        "referrals": score.clv_referrals,
        "retention_cost": score.clv_retention_cost,
        "margin_12m": score.margin_12m,
        "revenue_12m": score.revenue_12m,
        "trust": score.trust,
    }
    return {name: float(value) for name, value in figures.items()} | {"boundaries": score.run.boundaries}


def _move(score: Score, tier: int, *, by: User) -> None:
    """Put the score into the tier, with no proposal left, and record what that changes."""
    before = {"tier": score.tier, "proposal": score.proposal, "proposed_tier": score.proposed_tier}
    if score.tier != tier:
        score.tier, score.tier_since = tier, timezone.localdate()
    score.proposed_tier, score.proposed_since, score.proposal = None, None, ""
    score.distance_up, score.distance_down = distances(Decimal(score.value), tier, score.run.boundaries)
    score.save(update_fields=[*before, "tier_since", "is_overridden", "proposed_since", "distance_up", "distance_down"])
    changes = {name: [old, new] for name, old in before.items() if (new := getattr(score, name)) != old}
    Event.record(
        Event.Action.CHANGED, noun=Score.NOUN, by=by, object_id=score.pk, label=str(score), customer_id=score.customer_id, changes=changes
    )


# ── Rules and what-if ─────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def save_rules(*, by: User, expected_version: int | None, values: dict[str, Any]) -> RuleVersion:
    """Write the draft, which begins as a copy of the version in force. Raises StaleVersion and ValidationError."""
    draft = RuleVersion.draft(by=by)
    draft.change(by=by, expected_version=expected_version, **values)
    return draft


@transaction.atomic
def preview_rules(*, by: User, draft: RuleVersion) -> Job:
    """Have a worker find out who would move under the draft; the answer is the job's result."""
    return Job.start(PREVIEW_JOB, by=by, title=_("Preview of rules %(version)s") % {"version": draft}, rules=draft.pk)


@transaction.atomic
def publish_rules(*, by: User, draft: RuleVersion, expected_version: int | None = None) -> Job | None:
    """Put the draft in force and start the run that tiers follow by; None where a run is under way, which still has the old rules."""
    draft.publish(by=by, expected_version=expected_version)
    try:
        return start_run(by=by)
    except RunUnderWay:
        return None


@transaction.atomic
def save_scenario(*, by: User, name: str, changes: dict[str, Any]) -> Scenario:
    """Keep a what-if and have a worker compute it on the present run. Raises NothingValued before the first run."""
    run = ValueRun.current()
    if run is None:
        raise NothingValued
    scenario: Scenario = Scenario.objects.create(name=name, run=run, by=by, changes=changes)
    scenario.job = Job.start(SCENARIO_JOB, by=by, title=_("What if: %(name)s") % {"name": name}, scenario=scenario.pk)
    scenario.save(update_fields=["job"])
    Event.record(Event.Action.CREATED, noun=Scenario.NOUN, by=by, object_id=scenario.pk, label=name, changes={"changes": [None, changes]})
    return scenario
