"""How far each customer's value, and the sum of all, may be from the point: Laplace draws and posterior simulation.

Two things are unknown. The parameters: their logarithms are drawn from the normal distribution at the fit (Laplace), with the weak
prior's precision where the fit had none, so that what the data do not tell stays within bounds. The customer: given that he is alive
at T, his rate and his end depend on (x, T) only, so futures are simulated once per cell of like (x, T) and not per customer;
his own chance of being alive then mixes them with "nothing more". Spend scales: given (x, z), the value is (v + xz) times a variable
that knows only the cell, so z needs no cells.

The intervals are predictive: they should hold the orders that will really come in the share of cases that they name. Errors of the
short cuts: cells are at most 3 % wide in α + T and exact in x up to 20 and 5 % wide beyond; quantiles come from `draws` futures
(600: an 80 % interval holds 80 ± 2 %); horizons above 6 periods are simulated in 6 blocks, each with its mean discount;
the parameters' uncertainty enters the chance of being alive by its mean.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from functools import cached_property

import numpy as np

from segmentation.maths.arrays import Floats, Ints, tally, weighted_sum
from segmentation.maths.fitting import PRIOR_SD, Fit
from segmentation.maths.gamma_gamma import GammaGamma
from segmentation.maths.order_models import OrderModel, model_of
from segmentation.maths.purchases import Purchases, discount_factors

METHOD = "Laplace draws of the parameters, posterior simulation of each customer's rate and end"
PARAMETER_DRAWS = 50
_BLOCKS = 6
_CELL_WIDTH = 0.03  # of log(alpha + T)
_EXACT_FREQUENCY, _FREQUENCY_WIDTH = 20, 0.05
_ALIVE_BUDGET = 200_000  # chances of being alive computed for the parameters' uncertainty
_TOTAL_SAMPLE = 2_000  # customers on whom the total's dependence on the parameters is measured
_TOTAL_DRAWS = 4_000
_STEP = 0.02  # of a parameter's logarithm, to see how the sum moves with it
_EACH_BELOW = 2_000  # customers: below, the total is simulated customer by customer


@dataclass(frozen=True)
class Interval:
    """`low` and `high` have shape (levels,) for a total, (levels, n) for customers; `mean` () or (n,), at the fitted parameters."""

    levels: tuple[float, ...]
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class ValueIntervals:
    purchases: Interval  # discounted orders of each customer
    total_purchases: Interval
    value: Interval | None  # discounted spend of each customer; None without a fit of spend
    total_value: Interval | None
    method: str = METHOD


@dataclass(frozen=True)
class _Cells:
    """Customers alike: `at` (n,) places each in a cell, `frequency`, `spend_frequency` and `age` (cells,) are the cells' means."""

    at: Ints
    frequency: Floats
    spend_frequency: Floats
    age: Floats


def draw_parameters(fit: Fit, draws: int, rng: np.random.Generator) -> Floats:
    """Parameters as uncertain as the fit left them, shape (draws, parameters), natural scale. Gamma–Gamma's q stays above 1."""
    covariance = fit.covariance
    if fit.prior is None:
        covariance = np.asarray(np.linalg.inv(np.linalg.inv(covariance) + np.eye(len(covariance)) / PRIOR_SD**2))
    centre = np.array(fit.values)
    floor = np.array([1.0 if fit.model == GammaGamma.name and name == "q" else 0.0 for name in fit.params])
    curvature, axes = np.linalg.eigh((covariance + covariance.T) / 2)
    away = rng.standard_normal((draws, len(centre))) @ (axes * np.sqrt(np.maximum(curvature, 0.0))).T
    return np.asarray(floor + (centre - floor) * np.exp(away), dtype=np.float64)


def value_intervals(
    purchases: Purchases,
    order_fit: Fit,
    spend: Floats | None = None,
    spend_fit: Fit | None = None,
    *,
    periods: int,
    rate: float,
    levels: tuple[float, ...] = (0.8, 0.95),
    draws: int = 600,
    seed: int = 0,
) -> ValueIntervals:
    """Intervals of what each customer will order, and bring, in the next `periods` at a discount of `rate` per period.

    `spend` (n,) is the mean spend or margin of the repeat orders, as Gamma–Gamma takes it: 0 where there is none. The same seed
    gives the same numbers. A million customers take some 10 CPU seconds.
    """
    rng = np.random.default_rng(seed)
    spends = None if spend is None or spend_fit is None else np.asarray(spend, dtype=np.float64)
    book = _Book(purchases, spends, periods, rate, levels, _cells(purchases, spends, order_fit.params["alpha"]), model_of(order_fit))
    simulation = _simulate(book, order_fit, spend_fit if spends is not None else None, draws, rng)
    alive = book.model.probability_alive(purchases)
    alive_mean, expected = _mean_alive(book, simulation), alive * book.if_alive
    orders = _Quantity(simulation.orders, np.ones(len(purchases)), expected, alive)
    value = None
    if spends is not None and spend_fit is not None and simulation.value is not None:
        gamma = GammaGamma(*spend_fit.values)
        told = np.where(spends > 0, purchases.frequency, 0.0)
        expected_spend = gamma.expected_spend(purchases.frequency, spends)
        value = _Quantity(simulation.value, gamma.v + told * spends, expected * expected_spend, alive)
    totals = _totals(book, [orders] if value is None else [orders, value], simulation, rng)
    return ValueIntervals(
        _each(orders, book, alive_mean),
        totals[0],
        None if value is None else _each(value, book, alive_mean),
        None if value is None else totals[1],
    )


@dataclass(frozen=True)
class _Book:
    """What was asked, of whom."""

    purchases: Purchases
    spend: Floats | None
    periods: int
    rate: float
    levels: tuple[float, ...]
    cells: _Cells
    model: OrderModel

    def __len__(self) -> int:
        return len(self.purchases)

    @cached_property
    def if_alive(self) -> Floats:
        return self.model.discounted_if_alive(self.purchases.frequency, self.purchases.age, self.periods, self.rate)


@dataclass(frozen=True)
class _Simulation:
    """Futures of customers alive at T: shape (cells, parameter draws, futures per draw), float32; `value` per unit of v + xz."""

    orders: Floats
    value: Floats | None
    models: list[OrderModel]
    spends: list[GammaGamma]


@dataclass(frozen=True)
class _Quantity:
    """Something to give intervals of: futures per cell; the factor on them, the point and P(alive) of each customer (n,)."""

    futures: Floats
    factor: Floats
    expected: Floats
    alive: Floats


def _cells(purchases: Purchases, spend: Floats | None, alpha: float) -> _Cells:
    x = purchases.frequency
    beyond = _EXACT_FREQUENCY + np.floor(np.log(np.maximum(x, 1) / _EXACT_FREQUENCY) / _FREQUENCY_WIDTH)
    by_frequency = np.where(x <= _EXACT_FREQUENCY, x, np.maximum(beyond, _EXACT_FREQUENCY) + 1).astype(np.int64)
    by_age = np.floor(np.log1p(purchases.age / alpha) / _CELL_WIDTH).astype(np.int64)
    told = x if spend is None else np.where(spend > 0, x, 0.0)
    key = (by_frequency * (int(by_age.max(initial=0)) + 1) + by_age) * 2 + (told > 0)
    unique, at, size = np.unique(key, return_inverse=True, return_counts=True)
    means = (tally(at, values, len(unique)) / size for values in (x, told, purchases.age))
    return _Cells(at, *means)


def _simulate(book: _Book, order_fit: Fit, spend_fit: Fit | None, draws: int, rng: np.random.Generator) -> _Simulation:
    cells = book.cells
    times = min(PARAMETER_DRAWS, max(draws, 1))
    futures = -(-draws // times)
    starts, ends, factors = _blocks(book.periods, book.rate)
    models = [model_of(replace_params(order_fit, row)) for row in draw_parameters(order_fit, times, rng)]
    spends = [] if spend_fit is None else [GammaGamma(*row) for row in draw_parameters(spend_fit, times, rng)]
    shape = (len(cells.age), times, futures)
    orders = np.empty(shape, dtype=np.float32)
    value = np.empty(shape, dtype=np.float32) if spend_fit is not None else None
    x, told, age = (np.repeat(column[:, None], futures, axis=1) for column in (cells.frequency, cells.spend_frequency, cells.age))
    for k, model in enumerate(models):
        count, discounted = model.lives(rng, x, age).future(rng, starts, ends, factors)
        orders[:, k] = discounted
        if value is not None and spend_fit is not None:
            gamma, centre = spends[k], GammaGamma(*spend_fit.values)
            typical = told * centre.mean_spend
            unit = (gamma.v + typical) / (centre.v + typical) / rng.gamma(gamma.q + gamma.p * told)
            value[:, k] = unit * rng.gamma(gamma.p * count) * discounted / np.maximum(count, 1.0)
    return _Simulation(orders, value, models, spends)  # type: ignore[arg-type]  # float32 halves the memory; read as floats


def _blocks(periods: int, rate: float) -> tuple[Floats, Floats, Floats]:
    """Starts, ends and mean discount of at most six runs of periods."""
    factors = discount_factors(periods, rate)
    edges = np.unique(np.linspace(0, periods, min(periods, _BLOCKS) + 1).round().astype(np.int64))
    means = np.add.reduceat(factors, edges[:-1]) / np.diff(edges)
    return edges[:-1].astype(np.float64), edges[1:].astype(np.float64), means


def replace_params(fit: Fit, values: Floats) -> Fit:
    """The fit with other parameters, in their order."""
    return replace(fit, params=dict(zip(fit.params, map(float, values), strict=True)))


def _mean_alive(book: _Book, simulation: _Simulation) -> Floats:
    """P(alive), averaged over as many parameter draws as are worth it: with many customers the parameters are hardly uncertain."""
    times = min(len(simulation.models), _ALIVE_BUDGET // max(len(book), 1))
    if times < 2:
        return book.model.probability_alive(book.purchases)
    total = np.zeros(len(book))
    for model in simulation.models[:times]:
        total += model.probability_alive(book.purchases)
    return total / times


def _each(quantity: _Quantity, book: _Book, alive: Floats) -> Interval:
    """Quantiles of "nothing with 1 - P(alive), else the cell's futures" for each customer."""
    ranked = np.sort(quantity.futures.reshape(len(quantity.futures), -1), axis=1)
    size = ranked.shape[1]

    def quantile(level: float) -> Floats:
        among_alive = 1 - (1 - level) / np.maximum(alive, 1e-300)
        place = np.clip(np.ceil(among_alive * size) - 1, 0, size - 1).astype(np.int64)
        return np.where(among_alive > 0, ranked[book.cells.at, place] * quantity.factor, 0.0)

    low = np.array([quantile((1 - level) / 2) for level in book.levels])
    high = np.array([quantile((1 + level) / 2) for level in book.levels])
    return Interval(book.levels, quantity.expected, low, high)


def _totals(book: _Book, quantities: list[_Quantity], simulation: _Simulation, rng: np.random.Generator) -> list[Interval]:
    """The sums over customers: the parameters move all of them together, the rest averages out."""
    if len(book) < _EACH_BELOW:
        drawn = _totals_by_customer(book, quantities, simulation, rng)
    else:
        drawn = _totals_by_moments(book, quantities, simulation, rng)
    found = []
    for quantity, totals in zip(quantities, drawn, strict=True):
        low, high = (np.asarray(np.quantile(totals, [(1 + side * level) / 2 for level in book.levels])) for side in (-1, 1))
        found.append(Interval(book.levels, np.asarray(quantity.expected.sum()), low, high))
    return found


def _totals_by_customer(book: _Book, quantities: list[_Quantity], simulation: _Simulation, rng: np.random.Generator) -> list[Floats]:
    """One future of every customer, many times."""
    repeats = _TOTAL_DRAWS // len(simulation.models)
    futures = quantities[0].futures.shape[2]
    totals = np.empty((len(quantities), len(simulation.models), repeats))
    for k, model in enumerate(simulation.models):
        is_alive = rng.random((repeats, len(book))) < model.probability_alive(book.purchases)
        future = rng.integers(futures, size=is_alive.shape)
        for i, quantity in enumerate(quantities):
            totals[i, k] = np.where(is_alive, quantity.futures[book.cells.at, k, future] * quantity.factor, 0.0).sum(axis=1)
    return list(totals.reshape(len(quantities), -1))


def _totals_by_moments(book: _Book, quantities: list[_Quantity], simulation: _Simulation, rng: np.random.Generator) -> list[Floats]:
    """Normal given the parameters. How the mean moves with them is measured on an even sample of customers, as a ratio."""
    sample = np.argsort(quantities[0].expected, kind="stable")[:: max(1, len(book) // _TOTAL_SAMPLE)]
    some = book.purchases[sample]
    away = np.array([np.log(astuple(model)) for model in simulation.models]) - np.log(astuple(book.model))  # type: ignore[call-overload]
    orders = quantities[0].expected[sample]
    means = np.array([orders.sum() * _moved(book, some, orders, away)])
    if len(quantities) > 1 and book.spend is not None:
        spends = [gamma.expected_spend(some.frequency, book.spend[sample]) for gamma in simulation.spends]
        by_spend = np.array([weighted_sum(orders, spend) for spend in spends])
        means = np.vstack([means, by_spend * _moved(book, some, quantities[1].expected[sample], away)])
    chosen, noise = rng.integers(means.shape[1], size=_TOTAL_DRAWS), rng.standard_normal(_TOTAL_DRAWS)
    drawn = []
    for quantity, mean in zip(quantities, means, strict=True):
        moved = mean * (float(quantity.expected.sum()) / max(float(quantity.expected[sample].sum()), 1e-300))
        flat = quantity.futures.reshape(len(quantity.futures), -1)
        first = flat.mean(axis=1, dtype=np.float64)[book.cells.at]
        second = (np.einsum("ij,ij->i", flat, flat, dtype=np.float64) / flat.shape[1])[book.cells.at]
        variance = weighted_sum(quantity.factor**2 * quantity.alive, second - quantity.alive * first**2)
        drawn.append(np.asarray(moved[chosen] + np.sqrt(variance) * noise, dtype=np.float64))
    return drawn


def _moved(book: _Book, some: Purchases, weights: Floats, away: Floats) -> Floats:
    """By which factor the sum of `weights` changes with the parameters' logarithms `away` from the fit, shape (draws,).

    The logarithm of the sum is taken as linear in them: of some thousand customers the parameters are known well enough.
    """
    centre, slope = np.log(astuple(book.model)), np.zeros(away.shape[1])  # type: ignore[call-overload]
    expected = np.maximum(book.model.discounted_purchases(some, book.periods, book.rate), 1e-300)
    for place in range(len(slope)):
        sums = []
        for side in (-1, 1):
            shifted = centre.copy()
            shifted[place] += side * _STEP
            model = type(book.model)(*np.exp(shifted))
            sums.append(weighted_sum(weights, model.discounted_purchases(some, book.periods, book.rate) / expected))
        slope[place] = (np.log(sums[1]) - np.log(sums[0])) / (2 * _STEP)
    return np.asarray(np.exp(away @ slope), dtype=np.float64)
