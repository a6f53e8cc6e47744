"""Two or more ways to one answer, each in processes of its own, in turns: reference, ours, reference, ours …

Of each the median CPU seconds are told, the highest peak of memory, and whether all answers are the same. `_answer.py` runs
them; references in an environment of their own, in which the product's packages are not.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypedDict

from crm.house.home import ROOT

REQUIREMENTS = ROOT / "requirements-bench.txt"
REFERENCES = ROOT / "var" / "bench" / "venv"
ANSWER = Path(__file__).with_name("_answer.py")
DATA = ROOT / "var" / "bench" / "value"
ONE_THREAD = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")
} | {"POLARS_MAX_THREADS": "1"}  # fmt: skip


@dataclass(frozen=True)
class Contender:
    name: str
    arguments: Sequence[str]  # of `_answer.py`: module, way, folder
    is_reference: bool = True


class Measured(TypedDict):
    """What `_answer.py` prints."""

    cpu: float
    peak_mb: float
    loaded_mb: float
    answer: str
    figures: dict[str, float]


@dataclass
class Result:
    cpu: list[float] = field(default_factory=list)  # seconds, with the database's backend where there is one
    peak_mb: float = 0.0  # of the process, input and libraries included
    loaded_mb: float = 0.0  # of the process before its work
    answers: set[str] = field(default_factory=set)
    figures: list[dict[str, float]] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.cpu)


Judge: TypeAlias = Callable[[dict[str, Result]], tuple[str, str]]


def contest(contenders: Sequence[Contender], rounds: int) -> dict[str, Result]:
    """Run all contenders so many times, in turns."""
    results = {contender.name: Result() for contender in contenders}
    for _ in range(rounds):
        for contender in contenders:
            measured = run_contender(contender)
            result = results[contender.name]
            result.cpu.append(measured["cpu"])
            result.peak_mb = max(result.peak_mb, measured["peak_mb"])
            result.loaded_mb = max(result.loaded_mb, measured["loaded_mb"])
            result.answers.add(measured["answer"])
            result.figures.append(measured["figures"])
    return results


def tell(title: str, results: dict[str, Result], ours: str, wanted: dict[str, float], judge: Judge | None = None) -> bool:
    """Print a table; whether the answers agree, as `judge` sees it, and every wanted multiple of our CPU is reached."""
    print(f"\n{title}")
    mine = results[ours].median
    good = True
    for name, result in results.items():
        multiple = result.median / mine
        is_short = multiple < wanted.get(name, 0.0)
        good &= not is_short
        aim = f"  wanted ≥ {wanted[name]:g} ×{' ✗' if is_short else ''}" if name in wanted else ""
        spread = f"{min(result.cpu):.3f}–{max(result.cpu):.3f}"
        print(f"  {name:<34} {result.median:9.3f} CPU s ({spread})  {multiple:7.2f} ×  peak {result.peak_mb:6.0f} MB", end="")
        print(f" ({result.loaded_mb:.0f} before){aim}")
    complaint, praise = (judge or same_answers)(results)
    print(f"  {complaint.upper()}" if complaint else f"  {praise}", flush=True)
    return good and not complaint


def same_answers(results: dict[str, Result]) -> tuple[str, str]:
    """What is wrong with the answers ("" where nothing is), and what to say of them if nothing is."""
    answers = set().union(*(result.answers for result in results.values()))
    return "" if len(answers) == 1 else f"answers differ: { ({n: r.answers for n, r in results.items()}) }", "all answers are the same"


def reference_python() -> Path:
    """The interpreter of the references' environment, made or brought up to date where it is not as requirements-bench.txt says."""
    python, stamp = REFERENCES / "bin" / "python", REFERENCES / "pareto-stamp"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing the references into var/bench/venv", flush=True)
        uv = shutil.which("uv") or shutil.which("uv", path=str(ROOT / ".venv" / "uv" / "bin"))
        if not uv:
            raise SystemExit("the references are installed with uv: put it on the PATH")
        if not python.exists():
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(REFERENCES)], check=True)
        command = [uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python


def run_contender(contender: Contender, more: Mapping[str, str] | None = None) -> Measured:
    """Once, with `more` in its environment."""
    python = reference_python() if contender.is_reference else Path(sys.executable)
    command = [str(python), str(ANSWER), *contender.arguments]
    environment = os.environ | ONE_THREAD | {"PYTHONPATH": str(ROOT)} | dict(more or {})
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{contender.name} failed")
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured
