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


def answer(work: Callable[[], Sequence[NDArray[Any]] | dict[str, float]], backend: int | None = None) -> None:
    """Do the work and print what it took as JSON.

    Arrays of an answer must be the same for all contenders, type and order too, and are told by a digest; figures are told as they
    are, for those who compare them within a tolerance. `backend` is the process of PostgreSQL that works for us: its CPU counts as ours.
    """
    loaded, before = _peak_mb(), _cpu(backend)
    found = work()
    cpu = _cpu(backend) - before
    figures = found if isinstance(found, dict) else {}
    digest = hashlib.sha256()
    for array in () if isinstance(found, dict) else found:
        digest.update(np.ascontiguousarray(array).tobytes())
    told = {"cpu": cpu, "peak_mb": _peak_mb(), "loaded_mb": loaded, "answer": digest.hexdigest()[:16], "figures": figures}
    print(json.dumps(told))


def main(module_name: str, way: str, folder: str) -> None:
    def load(which: str) -> dict[str, NDArray[Any]]:
        """Arrays of a kind by name, as they lie in the folder."""
        return {path.stem.removeprefix(f"{which}_"): np.load(path) for path in sorted(Path(folder).glob(f"{which}_*.npy"))}

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
