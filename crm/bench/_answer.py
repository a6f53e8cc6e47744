"""The process of a contender: `python crm/bench/_answer.py MODULE WAY FOLDER` measures one way of a module beside this file.

The module has WAYS, by name: a function that is given `load`, prepares, and returns the work to be measured. Needs numpy alone and
nothing of the product, so that the references' environment can run it; it is run as a file, since to import our package is to
import Celery.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def answer(work: Callable[[], Sequence[NDArray[Any]]], backend: int | None = None) -> None:
    """Do the work and print what it took as JSON; the arrays of the answer must be the same for all contenders, type and order too.

    `backend` is the process of PostgreSQL that works for us: its CPU counts as ours.
    """
    loaded, before = _peak_mb(), _cpu(backend)
    arrays = work()
    cpu = _cpu(backend) - before
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    print(json.dumps({"cpu": cpu, "peak_mb": _peak_mb(), "loaded_mb": loaded, "answer": digest.hexdigest()[:16]}))


def main(module_name: str, way: str, folder: str) -> None:
    def load(which: str) -> dict[str, NDArray[Any]]:
        """Lines of a kind: customer, day and amount."""
        return {name: np.load(Path(folder) / f"{which}_{name}.npy") for name in ("customer", "day", "amount")}

    module = importlib.import_module(module_name)
    answer(module.WAYS[way](load), getattr(module, "BACKEND", None))


def _cpu(backend: int | None) -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + (_seconds_on_cpu(backend) if backend else 0.0)


def _seconds_on_cpu(process: int) -> float:
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def _peak_mb() -> float:
    """VmHWM and not getrusage's figure, which starts with that of the process that started us."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
