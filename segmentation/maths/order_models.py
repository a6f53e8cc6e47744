"""The transaction models by name, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from segmentation.maths.arrays import Floats
from segmentation.maths.bg_nbd import BgNbd
from segmentation.maths.fitting import Fit, Likelihood, Prior
from segmentation.maths.lives import Lives
from segmentation.maths.mbg_nbd import MbgNbd
from segmentation.maths.pareto_nbd import ParetoNbd
from segmentation.maths.purchases import Purchases, Rows


class OrderModel(Protocol):
    """Parameters of a continuous-time model of orders. See BetaGeometric for what each answers."""

    @property
    def name(self) -> str: ...

    def probability_alive(self, purchases: Purchases) -> Floats: ...

    def probability_no_order(self, t: float | Floats, purchases: Purchases) -> Floats: ...

    def time_to_next_order(self, purchases: Purchases, quantile: float = 0.5) -> Floats: ...

    def expected_purchases(self, t: float | Floats, purchases: Purchases) -> Floats: ...

    def discounted_purchases(self, purchases: Purchases, periods: int, rate: float) -> Floats: ...

    def discounted_if_alive(self, frequency: Floats, age: Floats, periods: int, rate: float) -> Floats: ...

    def expected_from_start(self, t: float | Floats) -> Floats: ...

    def simulate(self, rng: np.random.Generator, age: Floats, unit_days: float = 7.0) -> Purchases: ...

    def lives(self, rng: np.random.Generator, frequency: Floats, age: Floats) -> Lives: ...


MODELS: dict[str, type[BgNbd] | type[MbgNbd] | type[ParetoNbd]] = {"mbgnbd": MbgNbd, "bgnbd": BgNbd, "pareto_nbd": ParetoNbd}
DEFAULT = "mbgnbd"


def model_of(fit: Fit) -> OrderModel:
    """The model that a fit found. KeyError for a model that is not in MODELS."""
    return MODELS[fit.model](*fit.values)


def fit_orders(model: str, purchases: Purchases, prior: Prior | None = None) -> Fit:
    return MODELS[model].fit(purchases, prior=prior)


def fit_by_size(model: str, purchases: Purchases) -> Fit:
    """As the product does it: plain maximum likelihood from 1,000 customers on, with the default prior below."""
    return MODELS[model].fit(purchases, prior=MODELS[model].default_prior(purchases))


def likelihood_of(model: str) -> Callable[[Rows, float, Floats | None], Likelihood]:
    return MODELS[model].likelihood
