"""MBG/NBD: as BG/NBD, but a customer may be gone right after the first order too. Batislam, Denizel & Filiztekin (2007).

The default for orders: one-time buyers get a probability of being alive below 1, which BG/NBD cannot give them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segmentation.maths.beta_geometric import BetaGeometric


@dataclass(frozen=True)
class MbgNbd(BetaGeometric):
    name: ClassVar[str] = "mbgnbd"
    shift: ClassVar[int] = 1
