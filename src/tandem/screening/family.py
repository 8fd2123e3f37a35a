"""The family of tests: correlation and cointegration of every eligible pair (STATISTICS 2, 3)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tandem.screening.engines.engine import Engine
from tandem.screening.gates import ELIGIBILITY, FAMILY_GATES, SELECTED
from tandem.screening.market import Market
from tandem.screening.table import PairTable
from tandem.statistics import (
    CointegrationTable,
    Unfit,
    benjamini_hochberg,
    benjamini_yekutieli,
    correlations,
    screen_cointegration,
)

Pairs = NDArray[np.int64]
Rows = NDArray[np.intp]
Column = NDArray[np.float64]
Method = Literal["engle_granger", "johansen"]
Progress = Callable[[str, int, int], None]

# Fixed, so that no result depends on who works on a block: a second of work and a few megabytes of results.
BLOCK: Final = 16_384

ENDS: Final = np.full(len(Unfit), ELIGIBILITY.index("data quality"), np.int8)
ENDS[Unfit.FIT] = SELECTED
ENDS[Unfit.COLLINEAR] = ELIGIBILITY.index("same source")


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one block of pairs, as the columns of `PairTable`."""

    bars: NDArray[np.int32]
    correlation_prices: Column
    correlation_returns: Column
    statistic: Column
    pvalue: Column
    lags: NDArray[np.int16]
    unfit: NDArray[np.int8]


def screen_family(table: PairTable, market: Market, engine: Engine, tell: Progress) -> PairTable:
    """Test every eligible pair, give the family its q-values, and close the gates that look at tests alone."""
    rows = np.flatnonzero(table.gate == SELECTED)
    starts = range(0, rows.size, BLOCK)
    blocks = [table.legs(rows[start : start + BLOCK]) for start in starts]
    for start, found in zip(starts, engine.map(measure, market, blocks), strict=True):
        at = rows[start : start + BLOCK]
        table.write(at, found)
        table.gate[at] = ENDS[found.unfit]
        tell("cointegration", start + at.size, rows.size)
    _add_q_values(table)
    return _closed(table)


def measure(market: Market, pairs: Pairs) -> Measured:
    """Correlations of a block of pairs, and the cointegration test of those with enough common bars.

    Args:
        market: the formation window.
        pairs: rows of the panel, shape (n, 2).
    """
    found = correlations(market.log_prices, pairs, threads=1)
    measured = Measured(
        bars=found.bars.astype(np.int32),
        correlation_prices=found.prices,
        correlation_returns=found.returns,
        statistic=np.full(len(pairs), np.nan),
        pvalue=np.full(len(pairs), np.nan),
        lags=np.zeros(len(pairs), np.int16),
        unfit=np.zeros(len(pairs), np.int8),
    )
    enough = found.bars >= market.screen.min_bars
    measured.unfit[~enough] = Unfit.TOO_FEW_BARS
    _test(market, pairs, np.flatnonzero(enough), measured)
    return measured


def _test(market: Market, pairs: Pairs, rows: Rows, measured: Measured) -> None:
    method = market.screen.cointegration
    methods: tuple[Method, ...] = ("engle_granger", "johansen") if method == "both" else (method,)
    for name in methods:
        table = screen_cointegration(market.log_prices, pairs[rows], method=name, threads=1)
        measured.unfit[rows[table.refused.row]] = table.refused.code
        _keep_weaker(measured, rows[table.row], table)


def _keep_weaker(measured: Measured, rows: Rows, table: CointegrationTable) -> None:
    weaker = ~(table.pvalue <= measured.pvalue[rows])
    measured.statistic[rows[weaker]] = table.statistic[weaker]
    measured.pvalue[rows[weaker]] = table.pvalue[weaker]
    measured.lags[rows[weaker]] = table.lags[weaker]


def _add_q_values(table: PairTable) -> None:
    family = table.tested
    table.q_bh[family] = benjamini_hochberg(table.pvalue[family])
    table.q_by[family] = benjamini_yekutieli(table.pvalue[family])


def _closed(table: PairTable) -> PairTable:
    gate = table.gate.copy()
    for position, one in enumerate(FAMILY_GATES, start=len(ELIGIBILITY)):
        gate[(gate == SELECTED) & ~one.passes(table, table.settings)] = position
    return replace(table, gate=gate)
