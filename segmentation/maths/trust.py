"""How far a customer's data can be trusted: is it complete, is it fresh, do several sources agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.maths.arrays import Floats


@dataclass(frozen=True)
class TrustRules:
    """Weights are relative to their sum. The defaults are judgement."""

    completeness_weight: float = 0.4
    freshness_weight: float = 0.4
    sources_weight: float = 0.2
    half_life_days: float = 365.0  # of freshness: data one year old counts half

    def __post_init__(self) -> None:
        weights = (self.completeness_weight, self.freshness_weight, self.sources_weight)
        if min(weights) < 0 or sum(weights) <= 0:
            raise ValueError("weights are not negative, and one of them is not zero")
        if self.half_life_days <= 0:
            raise ValueError("a half-life is longer than no time")


@dataclass(frozen=True)
class Trust:
    """From 0 to 1, shape (n,): the score and the three parts that it is the weighted mean of."""

    score: Floats
    completeness: Floats
    freshness: Floats
    sources: Floats


def trust(
    filled: NDArray[np.integer],
    wanted: NDArray[np.integer] | int,
    age_days: Floats,
    agreeing_sources: NDArray[np.integer],
    rules: TrustRules | None = None,
) -> Trust:
    """Trust of each customer. Arrays have shape (n,).

    `filled` of the `wanted` fields have a value: their share is the completeness (1 where nothing is wanted). `age_days` since the
    youngest fact or check: freshness halves with each half-life; NaN, never, is 0; the future is now. Sources that agree on the
    customer: none 0, one 1/2, two 3/4, three 7/8. ValueError where more is filled than wanted, or a count is negative.
    """
    rules = rules or TrustRules()
    if (filled < 0).any() or (filled > wanted).any() or (agreeing_sources < 0).any():
        raise ValueError("counts are not negative, and no more fields can be filled than are wanted")
    completeness = np.divide(filled, wanted, out=np.ones(len(filled)), where=np.asarray(wanted) > 0)
    freshness = np.where(np.isnan(age_days), 0.0, 0.5 ** (np.maximum(np.nan_to_num(age_days), 0.0) / rules.half_life_days))
    sources = 1.0 - 0.5 ** agreeing_sources.astype(np.float64)
    weights = np.array([rules.completeness_weight, rules.freshness_weight, rules.sources_weight])
    weights /= weights.sum()
    score = weights[0] * completeness + weights[1] * freshness + weights[2] * sources
    return Trust(np.clip(score, 0.0, 1.0), completeness, freshness, sources)
