"""bin/manage clv_fit FILE.csv: fit the transaction models to a file, and say what each customer is worth. Touches no database."""

from __future__ import annotations

import csv
import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from customers.imports.problems import BadFile
from segmentation.maths.arrays import Floats
from segmentation.maths.fitting import Choice, Fit, choose
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import MODELS, model_of
from segmentation.maths.purchases import UNITS, period_rate
from segmentation.order_files import Customers, read_log, read_summary, refuse_what_no_model_can_use

ALL_MODELS = ("bgnbd", "mbgnbd", "pareto_nbd", GammaGamma.name)
COLUMNS = ("id", "frequency", "recency", "T", "monetary_value", "p_alive", "expected_purchases", "expected_spend", "clv")
CANNOT_USE = 2  # exit status


class Command(BaseCommand):
    help = (
        "Fit BG/NBD, MBG/NBD, Pareto/NBD and Gamma-Gamma to a transaction log or, with --summary, to a table of frequency, recency, T "
        "and monetary_value. Exits with 2 where the file cannot be used, and names the row."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE.csv")
        parser.add_argument("--id-column", help="Column of the customer.")
        parser.add_argument("--date-column", help="Column of the day, year first.")
        parser.add_argument("--amount-column", help="Column of the amount, or better of the margin.")
        parser.add_argument("--time-unit", choices=UNITS, default="W", help="Day, week or month (30.4375 days) as the unit of time.")
        parser.add_argument("--observation-end", type=date.fromisoformat, metavar="DATE", help="Default: the last day of the file.")
        parser.add_argument("--models", help=f"Comma-separated, of {', '.join(ALL_MODELS)}. Default: all that the file allows.")
        parser.add_argument("--horizon", type=int, default=12, help="Periods ahead, in the unit of time. Default: 12.")
        parser.add_argument("--discount-rate", type=float, default=0.1, help="Per year; converted to the unit of time. Default: 0.1.")
        parser.add_argument("--summary", action="store_true", help="The file has a row per customer.")
        parser.add_argument("--allow-returns", action="store_true", help="Leave days out whose amounts end below zero, and count them.")
        parser.add_argument(
            "--prior", choices=("none", "auto"), default="none", help="auto: weak prior below 1,000 customers, pooled below 100."
        )
        parser.add_argument("--per-customer", type=Path, metavar="OUT.csv", help="Write a row for each customer.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            names = _wanted_models(options)
            customers = _read(options)
            fits = _fit(customers, names, with_prior=options["prior"] == "auto")
            choice = choose([fits[name] for name in MODELS if name in fits]) if any(name in fits for name in MODELS) else None
            if options["per_customer"]:
                _write_customers(options, customers, fits, choice)
        except BadFile as error:
            self._refuse(str(error), as_json=options["json"])
        else:
            self._answer(customers, fits, choice, as_json=options["json"])

    def _answer(self, customers: Customers, fits: dict[str, Fit], choice: Choice | None, *, as_json: bool) -> None:
        if as_json:
            answer = {
                "customers": len(customers.ids),
                "repeat_transactions": int(customers.purchases.repeats),
                "observation_end": customers.end.isoformat() if customers.end else None,
                "left_out": asdict(customers.left_out),
                "models": {name: _as_json(fit) for name, fit in fits.items()},
                "chosen": {"model": choice.fit.model, "reason": choice.reason} if choice else None,
            }
            self.stdout.write(json.dumps(answer, allow_nan=False))
            return
        self.stdout.write(f"{len(customers.ids):,} customers, {int(customers.purchases.repeats):,} repeat transactions")
        for name, count in asdict(customers.left_out).items():
            if count:
                self.stdout.write(f"  {name.replace('_', ' ')}: {count:,}")
        for fit in fits.values():
            values = "  ".join(f"{name} {value:.6g} ± {fit.standard_errors[name]:.3g}" for name, value in fit.params.items())
            self.stdout.write(f"{fit.model:<12}{values}  log-likelihood {fit.log_likelihood:.4f}  {fit.status}")
            for note in fit.notes:
                self.stdout.write(f"  {note}")
        if choice:
            self.stdout.write(choice.reason)

    def _refuse(self, message: str, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"errors": {"file": [message]}}, ensure_ascii=False))
        self.stderr.write(message)
        sys.exit(CANNOT_USE)


def _wanted_models(options: dict[str, Any]) -> tuple[str, ...] | None:
    """The models asked for; None where it is left to us."""
    if options["horizon"] < 1:
        raise BadFile("--horizon must be at least 1.")
    if options["discount_rate"] <= -1:
        raise BadFile("--discount-rate must be above -1.")
    if not options["models"]:
        return None
    names = tuple(name.strip() for name in options["models"].split(","))
    if unknown := [name for name in names if name not in ALL_MODELS]:
        raise BadFile(f"Unknown model {', '.join(unknown)}; there are {', '.join(ALL_MODELS)}.")
    return names


def _read(options: dict[str, Any]) -> Customers:
    unit_days = UNITS[options["time_unit"]]
    if options["summary"]:
        customers = read_summary(options["path"], id_column=options["id_column"], unit_days=unit_days)
    elif not options["id_column"] or not options["date_column"]:
        raise BadFile("A transaction log needs --id-column and --date-column; a table of customers needs --summary.")
    else:
        customers = read_log(
            options["path"],
            id_column=options["id_column"],
            date_column=options["date_column"],
            amount_column=options["amount_column"],
            unit_days=unit_days,
            end=options["observation_end"],
            today=timezone.localdate(),
            allow_returns=options["allow_returns"],
        )
    refuse_what_no_model_can_use(customers)
    return customers


def _fit(customers: Customers, names: tuple[str, ...] | None, *, with_prior: bool) -> dict[str, Fit]:
    spend, purchases = customers.spend, customers.purchases
    is_spend_wanted = GammaGamma.name in names if names else spend is not None
    if is_spend_wanted and spend is None:
        raise BadFile("gamma_gamma needs --amount-column, or with --summary a column monetary_value.")
    fits = {}
    for name in ALL_MODELS:
        if name in MODELS and (names is None or name in names):
            prior = MODELS[name].default_prior(purchases) if with_prior else None
            fits[name] = MODELS[name].fit(purchases, prior=prior)
    if is_spend_wanted and spend is not None:
        if not ((purchases.frequency > 0) & (spend > 0)).any():
            raise BadFile("No customer has a repeat order with positive spend, which gamma_gamma needs; choose --models without it.")
        prior = GammaGamma.default_prior(purchases.frequency, spend) if with_prior else None
        fits[GammaGamma.name] = GammaGamma.fit(purchases.frequency, spend, prior=prior)
    return fits


def _as_json(fit: Fit) -> dict[str, Any]:
    """JSON knows no infinity: a standard error that the data do not tell is null."""
    return {
        "params": fit.params,
        "log_likelihood": fit.log_likelihood,
        "converged": fit.converged,
        "status": fit.status,
        "se": {name: error if isfinite(error) else None for name, error in fit.standard_errors.items()},
        "customers": fit.customers,
        "iterations": fit.iterations,
        "seconds": round(fit.seconds, 4),
        "prior": fit.prior.name if fit.prior else None,
        "indicative": fit.is_indicative,
        "notes": list(fit.notes),
    }


def _write_customers(options: dict[str, Any], customers: Customers, fits: dict[str, Fit], choice: Choice | None) -> None:
    """The chosen model's figures. `clv` is spend per order × discounted orders of the horizon: no payment up to T is in it."""
    if choice is None:
        raise BadFile("--per-customer needs a model of orders beside gamma_gamma.")
    purchases, model = customers.purchases, model_of(choice.fit)
    rate = period_rate(options["discount_rate"], purchases.unit_days)
    columns: list[Floats | None] = [purchases.frequency, purchases.recency, purchases.age, customers.spend]
    columns += [model.probability_alive(purchases), model.expected_purchases(float(options["horizon"]), purchases)]
    if customers.spend is not None and GammaGamma.name in fits:
        spend = GammaGamma(*fits[GammaGamma.name].values).expected_spend(purchases.frequency, customers.spend)
        columns += [spend, spend * model.discounted_purchases(purchases, options["horizon"], rate)]
    else:
        columns += [None, None]
    with options["per_customer"].open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(zip(customers.ids, *(_cells(column, len(customers.ids)) for column in columns), strict=True))


def _cells(column: Floats | None, size: int) -> Iterator[Any]:
    """Numbers with up to ten digits; nothing where there is no such figure."""
    return iter([""] * size if column is None else [f"{value:.10g}" for value in column.tolist()])
