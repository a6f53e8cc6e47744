"""Does a customer's margin grow or shrink: the last months beside as many before, and what chance alone would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from segmentation.maths.arrays import Floats

MONTHS = 6
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Trend:
    """All of shape (n,), in margin per month. `noise` is the change that chance brings with the confidence asked for.

    `direction` is 1 or −1 where the change is larger than the noise, else 0. `share` is the change relative to the margin before,
    NaN where that was not positive.
    """

    recent: Floats
    before: Floats
    change: Floats
    share: Floats
    noise: Floats
    direction: NDArray[np.int8]


def trend(monthly: Floats, months: int = MONTHS, confidence: float = CONFIDENCE) -> Trend:
    """Trend of margins of shape (n, k), oldest month first, k >= 2 × `months`; older months are left out.

    The noise is the half-width of the two-sample t interval with pooled variance and 2 × `months` − 2 degrees of freedom. It takes
    months as independent: a customer with a few lumpy orders has wide noise, and rightly no trend. A season of a year is not taken
    out: with months = 12 both sides hold each month once. ValueError for too few months or values that are not finite.
    """
    if months < 2:
        raise ValueError("a trend needs two months on each side")
    if monthly.ndim != 2 or monthly.shape[1] < 2 * months:
        raise ValueError(f"a trend needs {2 * months} months")
    if not 0 < confidence < 1:
        raise ValueError("confidence lies between 0 and 1")
    late, early = monthly[:, -months:], monthly[:, -2 * months : -months]
    if not np.isfinite(late).all() or not np.isfinite(early).all():
        raise ValueError("a margin is not a finite number")
    recent, before = late.mean(axis=1), early.mean(axis=1)
    variance = (late.var(axis=1, ddof=1) + early.var(axis=1, ddof=1)) / 2
    noise = stdtrit(2 * months - 2, (1 + confidence) / 2) * np.sqrt(variance * 2 / months)
    change = recent - before
    share = np.divide(change, before, out=np.full(len(change), np.nan), where=before > 0)
    rounding = 1e-12 * (np.abs(recent) + np.abs(before))  # equal months must not differ by the last bit of their means
    direction = np.where(np.abs(change) > noise + rounding, np.sign(change), 0).astype(np.int8)
    return Trend(recent, before, change, share, noise, direction)
