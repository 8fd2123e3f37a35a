"""Which symbols are screened, and the pairs that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tandem.config import Settings
from tandem.store import Panel

Positions = NDArray[np.int32]

ACROSS: Final = "cross_sector"
# What tables of sectors write where they do not know one: nothing that its symbols share.
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Universe:
    """Symbols of the active sectors and every pair to consider.

    Attributes:
        symbols: of the panel, sorted.
        sectors: of each symbol as the settings spell it; empty for a symbol outside the active ones.
        first, second: legs a and b of each pair as positions in `symbols`, by name, shape (n_pairs,).
    """

    symbols: tuple[str, ...]
    sectors: tuple[str, ...]
    first: Positions
    second: Positions

    def holds(self, symbol: str) -> bool:
        """Whether a symbol is of an active sector."""
        return bool(self.sectors[self.symbols.index(symbol)])

    def sector(self, first: int, second: int) -> str:
        """Sector of a pair: that of both legs, or ACROSS."""
        one, other = self.sectors[first], self.sectors[second]
        return one if one == other else ACROSS


def universe_of(panel: Panel, settings: Settings, sectors: Mapping[str, str]) -> Universe:
    """Every pair within each active sector, or of all their symbols where `screen.across_sectors` is on."""
    active = {sector.casefold(): sector for sector in settings.sectors.active if sector.casefold() != UNKNOWN}
    named = tuple(active.get(sectors.get(symbol, "").casefold(), "") for symbol in panel.symbols)
    members = np.array(named)
    groups = [members != ""] if settings.screen.across_sectors else [members == name for name in active.values()]
    groups = groups or [members != ""]
    first, second = (np.concatenate(legs) for legs in zip(*map(_pairs, groups), strict=True))
    order = np.lexsort((second, first))
    return Universe(panel.symbols, named, first[order], second[order])


def _pairs(members: NDArray[np.bool_]) -> tuple[Positions, Positions]:
    positions = np.flatnonzero(members).astype(np.int32)
    first, second = np.triu_indices(positions.size, 1)
    return positions[first], positions[second]
