"""How many pairs each gate left, and how many luck would give (STATISTICS 3)."""

import numpy as np

from tandem.screening.eligible.universe import Universe
from tandem.screening.gates import STEPS
from tandem.screening.market import Market
from tandem.screening.screen import Funnel, Step
from tandem.screening.table import PairTable
from tandem.statistics import (
    SimulatedMarkets,
    SimulatedNull,
    expected_by_chance,
    simulated_markets,
    simulated_null,
    volatilities,
)

# A hundred for each pair tested: the error of the count is then a tenth of what luck does to one market at most.
DRAWS_PER_PAIR, LEAST_DRAWS, MOST_DRAWS = 100, 2000, 20_000
# Legs that return the same are one source; a market of such walks has nothing to test.
MOST_CORRELATION = 0.95


def funnel_of(table: PairTable, universe: Universe, market: Market, seed: int) -> Funnel:
    """The counts of a finished table.

    Args:
        table: every pair considered.
        universe: where they come from.
        market: the formation window.
        seed: of the simulated null.
    """
    family, level = table.tested, table.settings.max_pvalue
    tested, passing = int(family.sum()), int(np.sum(table.pvalue[family] < level))
    markets = _markets(table, market, seed)
    return Funnel(
        steps=(Step("pairs", len(table)), *map(Step, STEPS, table.left())),
        tested=tested,
        passing=passing,
        expected_by_chance=expected_by_chance(tested, level),
        simulated_null=_null(table, market, seed),
        symbols=sum(map(bool, universe.sectors)),
        symbols_refused=len(table.symbols_refused),
        level=level,
        simulated_markets=markets,
        selected_by_luck=_selected_by_luck(table, markets.mean, passing),
    )


def _null(table: PairTable, market: Market, seed: int) -> SimulatedNull:
    family, deviations = np.flatnonzero(table.tested), volatilities(market.log_prices)
    return simulated_null(
        table.bars[family],
        deviations[table.first[family]],
        deviations[table.second[family]],
        table.settings.max_pvalue,
        draws=min(max(DRAWS_PER_PAIR * family.size, LEAST_DRAWS), MOST_DRAWS),
        seed=seed,
        method=table.settings.cointegration,
        threads=market.screen.threads,
    )


def _markets(table: PairTable, market: Market, seed: int) -> SimulatedMarkets:
    family = np.flatnonzero(table.tested)
    typical = float(np.median(table.correlation_returns[family])) if family.size else 0.0
    return simulated_markets(
        market.log_prices,
        table.legs(family),
        table.settings.max_pvalue,
        correlation=min(max(typical, 0.0), MOST_CORRELATION),
        seed=seed,
        method=table.settings.cointegration,
        threads=market.screen.threads,
    )


def _selected_by_luck(table: PairTable, by_luck: float, passing: int) -> float:
    selected = table.selected
    if not selected.size:
        return 0.0
    # Up to any rank a q-value bounds the share of luck; beyond it, the share that it has in all that passed.
    q, best = np.sort(table.q_bh[selected]), np.arange(selected.size + 1)
    rest = min(by_luck / passing, 1.0) * (selected.size - best)
    return float(np.min(np.append(0.0, q) * best + rest))
