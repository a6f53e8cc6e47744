"""The arrays of a run's shards in the database.

Bytes go by binary COPY: as a parameter or in a row they would travel as hexadecimal text, in several copies of twice the size.
"""

from __future__ import annotations

import numpy as np
from django.db import connection, transaction

from segmentation.engine.copying import copied_value, write_value
from segmentation.engine.packing import Columns, pack, unpack
from segmentation.models import RunShard, ValueRun


def kept(shard: int, only: tuple[str, ...] = ()) -> Columns:
    """The columns of a shard, by its key; all, or those named. KeyError for a column that it does not have."""
    with connection.cursor() as cursor:
        return unpack(copied_value(cursor, "SELECT arrays FROM segmentation_runshard WHERE id = %s", [shard]), only)


@transaction.atomic
def keep(shard: int, columns: Columns) -> None:
    """Put the columns in the place of those that the shard has."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE packed (arrays bytea STORAGE EXTERNAL) ON COMMIT DROP")
        write_value(cursor, "packed", pack(columns))
        cursor.execute("UPDATE segmentation_runshard SET arrays = packed.arrays FROM packed WHERE id = %s", [shard])
        cursor.execute("DROP TABLE packed")


def gathered(run: ValueRun, names: tuple[str, ...]) -> Columns:
    """Some columns of all shards, one after the other."""
    parts = [kept(shard, names) for shard in shards_of(run)]
    return {name: np.concatenate([part.pop(name) for part in parts]) if parts else np.zeros(0) for name in names}


def shards_of(run: ValueRun) -> list[int]:
    """The keys of a run's shards in the order of their customers."""
    return list(RunShard.objects.filter(run=run, arrays__isnull=False).order_by("number").values_list("pk", flat=True))
