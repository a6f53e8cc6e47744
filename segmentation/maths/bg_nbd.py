"""BG/NBD: a customer may be gone after each repeat order. Fader, Hardie & Lee (2005), 'Counting your customers the easy way'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segmentation.maths.beta_geometric import BetaGeometric


@dataclass(frozen=True)
class BgNbd(BetaGeometric):
    name: ClassVar[str] = "bgnbd"
    shift: ClassVar[int] = 0
