"""What a point of retention, of margin, of serving cost or of the discount rate is worth, at once and without fitting anything again.

Plain Python without numpy, so that a web process can compute it. The customers come as cells, one for each customer or one for
customers of like tier and retention (`value_components.cells`): with those a company of any size is some hundred cells.

The approximation. A cell's future margin is taken to run like a stream of constant yearly retention r: a payment at the end of each
year i of the horizon H with chance r^i, so that its present value is proportional to

    A(r, d) = Σ_{i=1..H} (r / (1 + d))^i          (timing "already paid this period"; H may be a fraction)

With V = order + contract value, M = expected margin per year if the customer stays and S = serving cost per year (in M already), a change
to r', d', margin × m and serving cost × s gives

    V' = V · A(r', d') / A(r, d) + A(r', d') · ((m − 1) · (M + S) − (s − 1) · S)
    retention cost' = retention cost · A(r', d') / A(r, d)
    referral value' = referral value · m

It is exact where V is M · A(r, d), that is, where retention is really constant and payments are yearly. Where V comes from models whose
retention rises with age, the level of V is kept and only its change follows the formula. What raising retention costs is not in it: say
so beside the result. Referrals depend on others' retention and stay but for the margin. Nobody new is won.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

LOWEST_STREAM = 1e-9  # A of who is as good as lost: no ratio can be formed


class Cell(NamedTuple):
    """Customers of one tier and one retention rate; amounts are sums over them, present values over the horizon where not per year."""

    tier: str
    customers: float
    retention: float  # per year, 0 … 1
    order_value: float
    contract_value: float
    referral_value: float
    retention_cost: float  # >= 0
    margin_per_year: float
    serving_cost_per_year: float  # >= 0, subtracted in margin_per_year and the values already


@dataclass(frozen=True)
class Basis:
    """What the values in the cells were computed with."""

    horizon_years: float
    discount: float  # per year


@dataclass(frozen=True)
class Changes:
    """`retention_points` by tier: 0.02 is two points more per year; the rate stays within 0 … 1. A factor of 1 changes nothing."""

    retention_points: Mapping[str, float] = field(default_factory=dict)
    margin_factor: float = 1.0
    serving_cost_factor: float = 1.0
    discount: float | None = None  # the new rate per year


class Equity(NamedTuple):
    now: float
    then: float

    @property
    def change(self) -> float:
        return self.then - self.now


@dataclass(frozen=True)
class Outcome:
    """Customer equity before and after, in all and by tier (in the order in which the tiers first appear)."""

    total: Equity
    by_tier: dict[str, Equity]


def what_if(cells: Iterable[Cell], basis: Basis, changes: Changes) -> Outcome:
    """Customer equity now and under the changes. ValueError for rates and factors that make no sense."""
    _check(basis, changes)
    now: dict[str, float] = {}
    then: dict[str, float] = {}
    for cell in cells:
        now[cell.tier] = now.get(cell.tier, 0.0) + equity_of(cell)
        then[cell.tier] = then.get(cell.tier, 0.0) + equity_of(_changed(cell, basis, changes))
    tiers = {tier: Equity(now[tier], then[tier]) for tier in now}
    return Outcome(Equity(sum(now.values()), sum(then.values())), tiers)


def equity_of(cell: Cell) -> float:
    """Contract, order and referral value less retention cost."""
    return cell.order_value + cell.contract_value + cell.referral_value - cell.retention_cost


def stream(retention: float, discount: float, years: float) -> float:
    """A(r, d): present value of 1 at the end of each of `years` years with chance r^i."""
    each = retention / (1 + discount)
    if abs(1 - each) < 1e-9:
        return years
    return each * (1 - float(each**years)) / (1 - each)


def elasticities(cells: Sequence[Cell], basis: Basis) -> dict[str, float]:
    """Per cent by which equity moves for 1 % more of: retention, margin, discount_rate, serving_cost. Empty where equity is not above 0.

    Gupta, Lehmann & Stuart (2004) found about 5 for retention and 1 for margin over an endless horizon; a finite one gives less.
    """
    start = what_if(cells, basis, Changes()).total.now
    if start <= 0:
        return {}
    # Each cell has a rate of its own, so 1 % of it is set cell by cell; the points of `Changes` are for a tier.
    more = [_changed_to(cell, basis, min(cell.retention * 1.01, 1.0), Changes()) for cell in cells]
    results = {
        "retention": sum(map(equity_of, more)),
        "margin": what_if(cells, basis, Changes(margin_factor=1.01)).total.then,
        "discount_rate": what_if(cells, basis, Changes(discount=basis.discount * 1.01)).total.then,
        "serving_cost": what_if(cells, basis, Changes(serving_cost_factor=1.01)).total.then,
    }
    return {name: 100 * (value / start - 1) for name, value in results.items()}


def change_interval(outcome: Outcome, draws: Mapping[str, Sequence[float]], level: float = 0.8) -> tuple[float, float]:
    """Interval of the change in equity, from draws of each tier's present equity (equally many for each, in one order).

    A tier's draw moves in the proportion in which its equity moves (or by the same amount where that is not above 0): the
    uncertainty of today's value is carried on, that of the approximation is not.
    """
    count = min((len(values) for values in draws.values()), default=0)
    if not count or not 0 < level < 1:
        raise ValueError("draws of each tier and a level between 0 and 1 are needed")
    if missing := [tier for tier in outcome.by_tier if tier not in draws]:
        raise ValueError(f"no draws of {', '.join(missing)}")
    changes = sorted(sum(_moved(equity, draws[tier][k]) for tier, equity in outcome.by_tier.items()) for k in range(count))
    return _quantile(changes, (1 - level) / 2), _quantile(changes, (1 + level) / 2)


def _moved(equity: Equity, drawn: float) -> float:
    return drawn * (equity.then / equity.now - 1) if equity.now > 0 else equity.change


def _quantile(ordered: Sequence[float], q: float) -> float:
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _check(basis: Basis, changes: Changes) -> None:
    rates = (basis.discount, basis.discount if changes.discount is None else changes.discount)
    if basis.horizon_years <= 0 or any(not rate > -1 for rate in rates):
        raise ValueError("the horizon is above 0 years and a discount rate above -1")
    if changes.margin_factor < 0 or changes.serving_cost_factor < 0:
        raise ValueError("factors are not negative")
    if any(not -1 <= points <= 1 for points in changes.retention_points.values()):
        raise ValueError("points of retention lie between -1 and 1 (0.02 is two points)")


def _changed(cell: Cell, basis: Basis, changes: Changes) -> Cell:
    points = changes.retention_points.get(cell.tier, 0.0)
    return _changed_to(cell, basis, min(max(cell.retention + points, 0.0), 1.0), changes)


def _changed_to(cell: Cell, basis: Basis, retention: float, changes: Changes) -> Cell:
    discount = basis.discount if changes.discount is None else changes.discount
    before = stream(cell.retention, basis.discount, basis.horizon_years)
    after = stream(retention, discount, basis.horizon_years)
    gross = cell.margin_per_year + cell.serving_cost_per_year
    yearly = (changes.margin_factor - 1) * gross - (changes.serving_cost_factor - 1) * cell.serving_cost_per_year
    value = cell.order_value + cell.contract_value
    if before < LOWEST_STREAM:
        # As good as lost: its stream starts from nothing, at its margin per year.
        ratio, extra = 1.0, after * (cell.margin_per_year + yearly) if after >= LOWEST_STREAM else 0.0
    else:
        ratio, extra = after / before, after * yearly
    share = cell.order_value / value if value else 0.0
    return _with_values(cell, ratio, extra, share, retention, changes.margin_factor)


def _with_values(cell: Cell, ratio: float, extra: float, share: float, retention: float, margin_factor: float) -> Cell:
    """The cell with its streams times `ratio`, and `extra` margin of which `share` comes from orders."""
    return cell._replace(
        retention=retention,
        order_value=cell.order_value * ratio + extra * share,
        contract_value=cell.contract_value * ratio + extra * (1 - share),
        referral_value=cell.referral_value * margin_factor,
        retention_cost=cell.retention_cost * ratio,
    )
