"""How closely the legs of many pairs move together (STATISTICS 2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.kernel import kernel
from tandem.statistics.legs import centre, common_bars, moves, products
from tandem.statistics.pairs import Matrix, Pairs, prices_and_pairs
from tandem.statistics.series import Series
from tandem.statistics.threads import in_chunks

LEAST_BARS = 3
CHUNK = 8192


@dataclass(frozen=True, slots=True)
class CorrelationTable:
    """Pearson correlations of pairs on the bars that both legs have.

    0 where a leg does not move, and where the legs share fewer than three bars.

    Attributes:
        prices: of log prices, shape (n_pairs,).
        returns: of log returns between consecutive common bars, shape (n_pairs,).
        bars: common bars, shape (n_pairs,).
    """

    prices: Series
    returns: Series
    bars: NDArray[np.int64]

    def __len__(self) -> int:
        return self.bars.size


def correlations(
    log_prices: ArrayLike, pairs: ArrayLike | None = None, *, threads: int | None = None
) -> CorrelationTable:
    """Correlate the log prices and the log returns of pairs.

    Args:
        log_prices: shape (n_symbols, n_bars), NaN where a symbol has no bar.
        pairs: rows, shape (n_pairs, 2); None is every i < j.
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, or a pair of rows that are not there.
    """
    matrix, asked = prices_and_pairs(log_prices, pairs)
    found, bars = np.zeros((len(asked), 2)), np.zeros(len(asked), np.int64)
    in_chunks(
        len(asked), lambda start, stop: _correlate(matrix, asked, start, stop, found, bars), size=CHUNK, threads=threads
    )
    return CorrelationTable(found[:, 0].copy(), found[:, 1].copy(), bars)


@kernel
def _correlate(
    log_prices: Matrix, pairs: Pairs, start: int, stop: int, found: Matrix, common: NDArray[np.int64]
) -> None:
    y, x = np.empty(log_prices.shape[1]), np.empty(log_prices.shape[1])
    for row in range(start, stop):
        bars = common_bars(log_prices, pairs[row, 0], pairs[row, 1], y, x)
        common[row] = bars
        if bars < LEAST_BARS:
            continue
        level_y, level_x = centre(y, bars), centre(x, bars)
        found[row, 0] = _correlation(y, x, bars, level_y, level_x)
        for bar in range(bars - 1):
            y[bar], x[bar] = y[bar + 1] - y[bar], x[bar + 1] - x[bar]
        centre(y, bars - 1)
        centre(x, bars - 1)
        found[row, 1] = _correlation(y, x, bars - 1, level_y, level_x)


@kernel
def _correlation(y: Series, x: Series, bars: int, level_y: float, level_x: float) -> float:
    if not (moves(y, bars, level_y) and moves(x, bars, level_x)):
        return 0.0
    scale = float(np.sqrt(products(y, y, bars)) * np.sqrt(products(x, x, bars)))
    return min(1.0, max(-1.0, products(y, x, bars) / scale))
