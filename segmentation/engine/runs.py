"""A valuation of the company, from begin to end: who may run it, what is done in which order, and who helps.

Stages that go customer by customer are cut into shards, each a row that any worker on any host may take: whoever locks the
row works on it and commits its result with it. So a worker killed in the middle gives its shard back by dying. What needs
all customers at once (fitting, ranking, publishing) is done by the worker that holds the run's job.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import numpy as np
from celery import current_app
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from customers.jobs import Cancelled, Progress
from customers.models import Customer, Job
from segmentation import monthly
from segmentation.engine import aggregating, fitting, predicting, publishing, ranking
from segmentation.engine.extent import VALUED_KINDS
from segmentation.engine.keeping import keep
from segmentation.engine.packing import Columns, pack
from segmentation.models import RuleVersion, RunShard, Stale, ValueRun
from users.models import Event, User

logger = logging.getLogger(__name__)

SHARD_SIZE = 100_000  # customers; about 60 MB of a worker's memory
MOST_HELPERS = 32  # messages sent to other workers at the beginning of a stage
MOST_CHANGED_SHARE = 0.1  # with more customers changed than this, all are valued anew

Stage = ValueRun.Stage
ShardWork = Callable[[ValueRun, RunShard], Columns]
SHARDED: dict[str, tuple[str, ShardWork]] = {  # stage → the stage before it, and what is done with each shard
    Stage.AGGREGATE: ("", aggregating.aggregate_shard),
    Stage.PREDICT: (Stage.AGGREGATE, predicting.predict_shard),
}
WHOLE: dict[str, Callable[[ValueRun], None]] = {Stage.FIT: fitting.fit, Stage.TIER: ranking.rank, Stage.PUBLISH: publishing.publish}


class UnderWay(Exception):
    """Another valuation is under way; there is one at a time."""


class NothingToDo(Exception):
    """No customer's facts have changed since the last run."""


def begin(*, as_of: date, kind: str, by: User | None, job: Job) -> ValueRun:
    """Write the run down with its shards. Raises UnderWay where another one runs, NothingToDo where none is needed."""
    close_dead_runs()
    try:
        with transaction.atomic():
            run = ValueRun.objects.create(as_of=as_of, kind=kind, rules=RuleVersion.in_force(), job=job, requested_by=by)
    except IntegrityError as error:
        raise UnderWay from error
    with transaction.atomic():
        Stale.objects.filter(Q(run_id=None) | ~Q(run_id=run.pk)).update(run_id=run.pk)
        _plan(run)
        if run.kind == ValueRun.Kind.FULL:
            _note_what_no_fact_tells(run)
        elif not run.customers:
            run.delete()
    if run.pk is None:
        raise NothingToDo
    return run


def _note_what_no_fact_tells(run: ValueRun) -> None:
    """Contracts earn and overdue money costs though nobody changes a fact, and new rates change everybody's costs."""
    last_full, last = ValueRun.current(), ValueRun.objects.published().order_by("-pk").first()
    if last_full is None or last is None:
        return  # everybody has a note: nobody has been looked at yet
    if (last_full.rules.minute_rates, last_full.rules.capital_rate) != (run.rules.minute_rates, run.rules.capital_rate):
        due = set(Customer.objects.values_list("pk", flat=True))
    else:  # the rows of a few customers may stand at the day of a later run of changes
        due = {pk for since in {last_full.as_of, last.as_of} for pk in monthly.due(since=since, as_of=run.as_of)}
    Stale.objects.bulk_create([Stale(customer_id=pk, run_id=run.pk) for pk in sorted(due)], batch_size=5000)


def close_dead_runs() -> None:
    """Mark runs as failed whose job has ended without them: their worker died as often as a job may."""
    for run in ValueRun.objects.filter(state=ValueRun.State.RUNNING).select_related("job"):
        if run.job is None or run.job.is_finished:
            _give_up(run, ValueRun.State.FAILED, "The worker died each time this was tried.")


@contextmanager
def _set_based() -> Iterator[None]:
    """The session of large statements: room to sort and hash, and no compiling, which costs them more than it saves."""
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off; SET work_mem = '64MB'")
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("RESET jit; RESET work_mem")


@_set_based()
def complete(run: ValueRun, progress: Progress) -> None:
    """Do what is left of the run. Safe to call again from any point."""
    try:
        for stage in list(Stage)[list(Stage).index(Stage(run.stage)) :]:
            ValueRun.objects.filter(pk=run.pk).update(stage=stage)
            run.stage = stage
            started = time.monotonic()
            _do(run, stage, progress)
            run.seconds[stage] = round(time.monotonic() - started, 2)
            run.save(update_fields=["seconds"])
    except Cancelled:
        _give_up(run, ValueRun.State.CANCELLED, "")
        raise
    except Exception as error:
        _give_up(run, ValueRun.State.FAILED, f"{type(error).__name__}: {error}"[:2000])
        raise


@_set_based()
def help_with(run_id: int) -> None:
    """Work on shards of a run's present stage until none is free: what any other worker can do for it."""
    run = ValueRun.objects.select_related("rules").filter(pk=run_id, state=ValueRun.State.RUNNING).first()
    if run is not None and run.stage in SHARDED:
        while _work_on_one(run, run.stage):
            pass


def _plan(run: ValueRun) -> None:
    """Cut the customers into shards."""
    if run.kind == ValueRun.Kind.CHANGED:
        changed = list(Stale.objects.filter(run_id=run.pk).order_by("customer_id").values_list("customer_id", flat=True).distinct())
        current = ValueRun.current()
        if current is None or current.rules_id != run.rules_id or len(changed) > max(1000, MOST_CHANGED_SHARE * current.customers):
            run.kind = ValueRun.Kind.FULL
        else:
            chunks = [changed[at : at + SHARD_SIZE] for at in range(0, len(changed), SHARD_SIZE)]
            _write_shards(run, [(chunk[0], chunk[-1], chunk) for chunk in chunks])
            run.customers = len(changed)
    if run.kind == ValueRun.Kind.FULL:
        ranges = _ranges()
        _write_shards(run, [(first, last, None) for first, last, _count in ranges])
        run.customers = sum(count for _first, _last, count in ranges)
    run.save(update_fields=["kind", "customers"])


def _write_shards(run: ValueRun, parts: list[tuple[int, int, list[int] | None]]) -> None:
    RunShard.objects.bulk_create(
        [
            RunShard(
                run=run,
                number=number,
                first_customer=first,
                last_customer=last,
                arrays=None if ids is None else pack({"only": np.array(ids, dtype=np.int64)}),
            )
            for number, (first, last, ids) in enumerate(parts)
        ]
    )


def _ranges() -> list[tuple[int, int, int]]:
    """(first id, last id, number) of each shard's customers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(id), max(id), count(*) FROM ("
            f" SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s AS shard FROM {Customer._meta.db_table}"
            " WHERE deleted_at IS NULL AND merged_into_id IS NULL AND kind = ANY(%s)"
            ") AS numbered GROUP BY shard ORDER BY shard",
            [SHARD_SIZE, list(VALUED_KINDS)],
        )
        ranges: list[tuple[int, int, int]] = cursor.fetchall()
        return ranges


def _do(run: ValueRun, stage: str, progress: Progress) -> None:
    label = str(Stage(stage).label)
    if stage in WHOLE:
        progress.tick(0, total=1, stage=label)
        WHOLE[stage](run)
        progress.tick(1)
        return
    shards = RunShard.objects.filter(run=run)
    total, waiting = shards.count(), shards.filter(done=SHARDED[stage][0]).count()
    progress.tick(total - waiting, total=total, stage=label)
    for _ in range(min(waiting - 1, MOST_HELPERS)):
        current_app.send_task("segmentation.tasks.help_with_run", args=[run.pk], expires=3600)
    while waiting:
        if not _work_on_one(run, stage):
            time.sleep(0.2)  # the others still have some
        waiting = shards.filter(done=SHARDED[stage][0]).count()
        progress.tick(total - waiting)


def _work_on_one(run: ValueRun, stage: str) -> bool:
    """Take a free shard and work on it; False where there is none."""
    before, work = SHARDED[stage]
    with transaction.atomic():
        free = RunShard.objects.select_for_update(skip_locked=True).filter(run=run, done=before)
        shard = free.defer("arrays").order_by("number").first()
        if shard is None:
            return False
        keep(shard.pk, work(run, shard))
        shard.done = stage
        shard.save(update_fields=["done"])
    return True


def _give_up(run: ValueRun, state: str, error: str) -> None:
    """End a run that publishes nothing: what others read stands as it stood, and the notes of changed facts are free again."""
    with transaction.atomic():
        ended = ValueRun.objects.filter(pk=run.pk, state=ValueRun.State.RUNNING).update(state=state, error=error)
        if ended:
            RunShard.objects.filter(run=run).delete()
            Stale.objects.filter(run_id=run.pk).update(run_id=None)
            Event.record(
                Event.Action.CHANGED,
                noun=ValueRun.NOUN,
                by=run.requested_by,
                object_id=run.pk,
                label=str(run),
                changes={"state": [ValueRun.State.RUNNING.value, state]},
            )
    logger.warning("value run %s: %s %s", run.pk, state, error)
    run.refresh_from_db()
