"""How many pairs each gate left, and how many luck would give (STATISTICS 3)."""

import numpy as np
from numpy.typing import NDArray

from tandem.screening.eligible.universe import Universe
from tandem.screening.gates import STEPS
from tandem.screening.market import Market
from tandem.screening.screen import Funnel, Step
from tandem.screening.table import PairTable
from tandem.statistics import SimulatedNull, expected_by_chance, simulated_null

# As many pairs of walks as pairs were tested, but neither too few to count nor more than the figure needs.
LEAST_DRAWS, MOST_DRAWS = 400, 5000


def funnel_of(table: PairTable, universe: Universe, market: Market, seed: int) -> Funnel:
    """The counts of a finished table.

    Args:
        table: every pair considered.
        universe: where they come from.
        market: the formation window.
        seed: of the simulated null.
    """
    family, level = table.tested, table.settings.max_pvalue
    tested = int(family.sum())
    return Funnel(
        steps=(Step("pairs", len(table)), *map(Step, STEPS, table.left())),
        tested=tested,
        passing=int(np.sum(table.pvalue[family] < level)),
        expected_by_chance=expected_by_chance(tested, level),
        simulated_null=_null(table, market, seed),
        symbols=sum(map(bool, universe.sectors)),
        symbols_refused=len(table.symbols_refused),
    )


def _null(table: PairTable, market: Market, seed: int) -> SimulatedNull:
    family = np.flatnonzero(table.tested)
    volatilities = _volatilities(market)
    return simulated_null(
        table.bars[family],
        volatilities[table.first[family]],
        volatilities[table.second[family]],
        table.settings.max_pvalue,
        draws=min(max(family.size, LEAST_DRAWS), MOST_DRAWS),
        seed=seed,
        method=table.settings.cointegration,
        threads=market.screen.threads,
    )


def _volatilities(market: Market) -> NDArray[np.float64]:
    returns = (np.diff(log[np.isfinite(log)]) for log in market.log_prices)
    return np.array([own.std() if own.size else 0.0 for own in returns])
