"""The table of a morning's pairs before anything was tested: eligible, or refused for what its symbols are."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tandem.screening.eligible.origin import one_origin, sources_of
from tandem.screening.eligible.quality import SymbolRefused, refused_symbols
from tandem.screening.eligible.universe import Universe
from tandem.screening.examination.examined import Examined
from tandem.screening.gates import ELIGIBILITY, SELECTED
from tandem.screening.market import Market
from tandem.screening.table import MEASURED, PairTable


def eligible(universe: Universe, market: Market, same_source: Mapping[str, str]) -> PairTable:
    """Every pair of a universe; those with a symbol that no pair may use, or of one origin, are refused.

    Args:
        universe: symbols and pairs.
        market: the formation window.
        same_source: what a symbol's bars really are, where they are another's.
    """
    refused = tuple(one for one in refused_symbols(market.panel, market.screen) if universe.holds(one.symbol))
    sources = sources_of(universe.symbols, same_source)
    ends = _ends(universe, refused)
    gate = np.minimum(ends[universe.first], ends[universe.second])
    gate[one_origin(sources, universe.first, universe.second) & (gate > 1)] = ELIGIBILITY.index("same source")
    count = gate.size
    return PairTable(
        symbols=universe.symbols,
        sources=sources,
        symbols_refused=refused,
        settings=market.screen,
        first=universe.first,
        second=universe.second,
        gate=gate,
        bars=np.zeros(count, np.int32),
        lags=np.zeros(count, np.int16),
        unfit=np.zeros(count, np.int8),
        **{name: np.full(count, np.nan) for name in MEASURED},
        examined=Examined.unmeasured(np.empty(0, np.int64)),
    )


def _ends(universe: Universe, refused: tuple[SymbolRefused, ...]) -> NDArray[np.int8]:
    reasons = {one.symbol: ELIGIBILITY.index(one.refusal.reason) for one in refused}
    return np.array([reasons.get(symbol, SELECTED) for symbol in universe.symbols], np.int8)
