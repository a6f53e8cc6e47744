"""bin/manage retention_fit FILE.csv: contract models fitted on a survivors table, and what they project."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from segmentation.management.survivor_table import BadTable, read_survivors
from segmentation.maths import bdw, sbg
from segmentation.maths.renewal_choice import Choice, choose
from segmentation.maths.renewal_forecast import MODELS, retention_rates, survival
from segmentation.maths.renewals import RenewalFit, renewals_from_survivors

CANNOT_READ = 2  # exit status
LONGEST_HORIZON = 10_000
FIT = {"sbg": sbg.fit, "bdw": bdw.fit}


def _models(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in MODELS]:
        raise ArgumentTypeError(f"no model {', '.join(unknown)}; there are {', '.join(MODELS)}")
    if not names:
        raise ArgumentTypeError("no model named")
    return list(dict.fromkeys(names))


def _horizon(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_HORIZON:
        raise ArgumentTypeError(f"a whole number from 1 to {LONGEST_HORIZON}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Fit contract models on one cohort: a CSV file with the columns period and survivors, period 0 being the size of the cohort. "
        "Exits with 2 where the file cannot be used, and names the row (the header is row 1)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE.csv")
        parser.add_argument("--models", type=_models, default=list(MODELS), help="sbg, bdw, or both separated by a comma.")
        parser.add_argument(
            "--horizon", type=_horizon, default=12, help="Project survival to this period, counted from the cohort's start."
        )
        parser.add_argument(
            "--method",
            choices=("ml", "map", "auto"),
            default="ml",
            help="ml: maximum likelihood; map: with the weak prior; auto: by the size of the cohort, as the value engine does.",
        )
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            survivors = read_survivors(options["path"])
        except BadTable as error:
            self._refuse(str(error), as_json=options["json"])
        renewals = renewals_from_survivors(survivors)
        fits = {name: FIT[name](renewals, method=options["method"]) for name in options["models"]}
        choice = choose(renewals, method=options["method"]) if len(fits) == len(MODELS) else None
        if options["json"]:
            answer = _answer(survivors, fits, choice, options["horizon"])
            self.stdout.write(json.dumps(answer, ensure_ascii=False, allow_nan=False))
        else:
            self._print(survivors, fits, choice, options["horizon"])

    def _print(self, survivors: list[float], fits: dict[str, RenewalFit], choice: Choice | None, horizon: int) -> None:
        self.stdout.write(f"{survivors[0]:g} contracts, {len(survivors) - 1} renewals")
        for name, fit in fits.items():
            params = ", ".join(f"{key} {value:.5g}" for key, value in fit.params.items())
            self.stdout.write(f"{name}: {params}; log-likelihood {fit.log_likelihood:.4f} ({fit.method}, {fit.status})")
            for note in fit.notes:
                self.stdout.write(f"  {note}")
            for period, share in enumerate(survival(fit, horizon).tolist()):
                self.stdout.write(f"  {period:>5}  {100 * share:8.3f} %")
        if choice:
            self.stdout.write(f"use {choice.chosen.model}: {choice.in_words}")

    def _refuse(self, message: str, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"errors": {"file": [message]}}, ensure_ascii=False))
        else:
            self.stderr.write(message)
        sys.exit(CANNOT_READ)


def _answer(survivors: list[float], fits: dict[str, RenewalFit], choice: Choice | None, horizon: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "customers": int(survivors[0]) if survivors[0].is_integer() else survivors[0],
        "periods": len(survivors) - 1,
        "horizon": horizon,
        "models": {name: _model(fit, horizon) for name, fit in fits.items()},
    }
    if choice:
        answer["chosen"] = choice.chosen.model
        answer["reason"] = choice.in_words
        answer["likelihood_ratio"] = {"statistic": choice.statistic, "p_value": choice.p_value}
    return answer


def _model(fit: RenewalFit, horizon: int) -> dict[str, Any]:
    return {
        "params": fit.params,
        "log_likelihood": fit.log_likelihood,
        "converged": fit.converged,
        "se": fit.se,
        "seconds": round(fit.seconds, 6),
        "method": fit.method,
        "status": fit.status,
        "is_indicative": fit.is_indicative,
        "notes": list(fit.notes),
        "survival": survival(fit, horizon).tolist(),  # index = period, 0 … horizon
        "retention_rates": retention_rates(fit, horizon).tolist(),  # of the periods 1 … horizon
    }
