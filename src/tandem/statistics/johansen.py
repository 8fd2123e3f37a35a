"""Johansen's tests of many pairs at once, in closed form for two series (STATISTICS 3)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc

from tandem.statistics.kernel import kernel
from tandem.statistics.legs import centre, common_bars, products, residual_of_line, unfit
from tandem.statistics.pairs import Matrix, Pairs, RefusedPairs, Unfit, prices_and_pairs
from tandem.statistics.series import Series
from tandem.statistics.threads import in_chunks

# A gamma law through the 90% and 99% points of the trace statistic that statsmodels tabulates for two
# series and det_order 0 (MacKinnon, Haug, Michelis 1999): it gives a p-value between and beyond them.
TRACE_SHAPE: Final = 4.33173915
TRACE_SCALE: Final = 1.8860212
LEAST_BARS: Final = 12
CHUNK: Final = 4096
# What is left of a variance, as a share, after the columns before it; below this it is rounding.
LEFT: Final = 1e-12
TOO_FEW_BARS, SINGULAR = int(Unfit.TOO_FEW_BARS), int(Unfit.SINGULAR)


@dataclass(frozen=True, slots=True)
class JohansenTable:
    """Johansen's tests of pairs, constant in, one lagged difference (`coint_johansen`, det_order 0).

    Null hypothesis: no cointegrating relation. The tabulated points assume that prices drift: measured on
    independent walks of 400 bars, 5% have p < 0.05 with a drift of one deviation per bar, 11% without.

    Attributes:
        row: position of each tested pair among those asked, shape (n,).
        first, second: rows of the price matrix.
        bars: common bars.
        trace: trace statistic for rank 0.
        max_eigen: maximum eigenvalue statistic for rank 0.
        trace_rank_1: trace statistic for rank at most 1; above 3.84 both series look stationary.
        pvalue: of the trace, from a gamma law through the tabulated 90% and 99% points.
        hedge_ratio, intercept: of the first leg on the second, from the first eigenvector; the spread
            then has mean zero.
        refused: the pairs that could not be tested.
    """

    row: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    bars: NDArray[np.int64]
    trace: Series
    max_eigen: Series
    trace_rank_1: Series
    pvalue: Series
    hedge_ratio: Series
    intercept: Series
    refused: RefusedPairs

    def __len__(self) -> int:
        return self.row.size


def screen_johansen(
    log_prices: ArrayLike, pairs: ArrayLike | None = None, *, threads: int | None = None
) -> JohansenTable:
    """Johansen's trace and maximum eigenvalue tests of pairs.

    Equal to `statsmodels.tsa.vector_ar.vecm.coint_johansen(legs, 0, 1)` to 1e-9 in the statistics.

    Args:
        log_prices: shape (n_symbols, n_bars), NaN where a symbol has no bar.
        pairs: rows, shape (n_pairs, 2); None is every i < j.
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, or a pair of rows that are not there.
    """
    matrix, asked = prices_and_pairs(log_prices, pairs)
    found = np.zeros((4, len(asked)))
    bars, code = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
    in_chunks(
        len(asked),
        lambda start, stop: _screen(matrix, asked, start, stop, found, bars, code),
        size=CHUNK,
        threads=threads,
    )
    row = np.flatnonzero(code == Unfit.FIT)
    max_eigen, trace_rank_1, hedge_ratio, intercept = found[:, row]
    trace = max_eigen + trace_rank_1
    return JohansenTable(
        row=row,
        first=asked[row, 0],
        second=asked[row, 1],
        bars=bars[row],
        trace=trace,
        max_eigen=max_eigen,
        trace_rank_1=trace_rank_1,
        pvalue=gammaincc(TRACE_SHAPE, trace / TRACE_SCALE),
        hedge_ratio=hedge_ratio,
        intercept=intercept,
        refused=RefusedPairs.of(asked, code, bars),
    )


@kernel
def _screen(
    log_prices: Matrix,
    pairs: Pairs,
    start: int,
    stop: int,
    found: Matrix,
    common: NDArray[np.int64],
    code: NDArray[np.int64],
) -> None:
    most = log_prices.shape[1]
    y, x, residual = np.empty(most), np.empty(most), np.empty(most)
    for row in range(start, stop):
        bars = common_bars(log_prices, pairs[row, 0], pairs[row, 1], y, x)
        common[row], code[row] = bars, TOO_FEW_BARS
        if bars < LEAST_BARS:
            continue
        level_y, level_x = centre(y, bars), centre(x, bars)
        slope = residual_of_line(y, x, bars, residual)
        code[row] = unfit(y, x, residual, bars, level_y, level_x)
        if code[row]:
            continue
        regular, large, small, tilt = relation(residual, x, bars)
        if not regular:
            code[row] = SINGULAR
            continue
        found[0, row], found[1, row] = (bars - 2) * np.log1p(large), (bars - 2) * np.log1p(small)
        found[2, row] = slope - tilt
        found[3, row] = level_y - (slope - tilt) * level_x


@kernel
def relation(u: Series, v: Series, bars: int) -> tuple[bool, float, float, float]:
    """Johansen's eigenvalues of two series, as lambda / (1 - lambda), and w in the relation `u + w v`.

    The first answer says whether changes and levels are more than multiples of one another. The moments of
    (last changes, changes, last levels) are factorised once, L L': with A and B the blocks of L that belong
    to (levels, changes) and (levels, levels), lambda / (1 - lambda) are the squared singular values of
    inv(B) A, and the eigenvectors are inv(B') times its left singular vectors (Johansen 1995, 6.1).
    """
    moments = _moments(u, v, bars - 2)
    if not _factorise(moments):
        return False, 0.0, 0.0, 0.0
    return _eigen(moments)


@kernel
def _eigen(factor: Matrix) -> tuple[bool, float, float, float]:
    b00, b10, b11 = factor[4, 4], factor[5, 4], factor[5, 5]
    k00, k01 = factor[4, 2] / b00, factor[4, 3] / b00
    k10, k11 = (factor[5, 2] - b10 * k00) / b11, (factor[5, 3] - b10 * k01) / b11
    p, q, r = k00 * k00 + k01 * k01, k00 * k10 + k01 * k11, k10 * k10 + k11 * k11
    gap = np.hypot(p - r, 2 * q)
    large = (p + r + gap) / 2
    small = (k00 * k11 - k01 * k10) ** 2 / large if large > 0 else 0.0
    # The larger of two equal forms of the eigenvector, so that nothing cancels.
    first, second = ((p - r + gap) / 2, q) if p >= r else (q, (r - p + gap) / 2)
    if first == 0 and second == 0:
        first = 1.0
    w_second = second / b11
    w_first = (first - b10 * w_second) / b00
    return w_first != 0, large, small, w_second / w_first


@kernel
def _moments(u: Series, v: Series, rows: int) -> Matrix:
    columns, moments = np.empty((6, rows)), np.empty((6, 6))
    for row in range(rows):
        columns[0, row], columns[1, row] = u[row + 1] - u[row], v[row + 1] - v[row]
        columns[2, row], columns[3, row] = u[row + 2] - u[row + 1], v[row + 2] - v[row + 1]
        columns[4, row], columns[5, row] = u[row + 1], v[row + 1]
    for column in range(6):
        centre(columns[column], rows)
        for other in range(column + 1):
            moments[column, other] = products(columns[column], columns[other], rows)
    return moments


@kernel
def _factorise(moments: Matrix) -> bool:
    size = moments.shape[0]
    for column in range(size):
        for row in range(column, size):
            left = moments[row, column]
            for earlier in range(column):
                left -= moments[row, earlier] * moments[column, earlier]
            if row > column:
                moments[row, column] = left / moments[column, column]
            elif left > LEFT * moments[column, column]:
                moments[column, column] = np.sqrt(left)
            else:
                return False
    return True
