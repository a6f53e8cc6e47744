"""How customers move between tiers within a year: counted between two runs, and as chances."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from segmentation.engine.packing import Columns
from segmentation.engine.replay import snapshot_of
from segmentation.maths.arrays import Ints
from segmentation.maths.markov import ABSENT, migration
from segmentation.models import Tier, ValueRun

YEAR = timedelta(days=365)
FROM, TO = timedelta(days=180), timedelta(days=550)  # so far apart two runs may be for their moves to stand for a year's


def note_transitions(run: ValueRun) -> None:
    """Keep with the run how customers have moved since the full run that lies about a year before; nothing where there is none."""
    earlier = ValueRun.objects.published().full().filter(as_of__range=(run.as_of - TO, run.as_of - FROM), shards__isnull=False).distinct()
    before = min(earlier, key=lambda one: (abs(run.as_of - YEAR - one.as_of), -one.pk), default=None)
    run.fits["transitions"] = None if before is None else {"since": before.as_of.isoformat(), "run": before.pk, **_moves(before, run)}
    run.save(update_fields=["fits"])


def _moves(before: ValueRun, after: ValueRun) -> dict[str, Any]:
    start, end = snapshot_of(before), snapshot_of(after)
    customers = np.union1d(start["customer"], end["customer"])
    found = migration(_tiers(start, customers), _tiers(end, customers), [str(tier.value) for tier in Tier])
    return {"states": list(found.states), "counts": found.counts.tolist(), "probabilities": np.round(found.probabilities, 4).tolist()}


def _tiers(snapshot: Columns, customers: Ints) -> Ints:
    """The place of each customer's tier, from 0; ABSENT for who was not there."""
    codes = np.full(len(customers), ABSENT, dtype=np.int64)
    codes[np.searchsorted(customers, snapshot["customer"])] = snapshot["new_tier"].astype(np.int64) - 1
    return codes
