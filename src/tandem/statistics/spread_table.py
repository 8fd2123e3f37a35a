"""What the spreads of many pairs look like (STATISTICS 1)."""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.johansen import relation
from tandem.statistics.kalman import DELTA, follow
from tandem.statistics.kernel import kernel
from tandem.statistics.legs import centre, common_bars, mean, products, residual_of_line, unfit
from tandem.statistics.pairs import Matrix, Pairs, RefusedPairs, Unfit, prices_and_pairs
from tandem.statistics.series import Series
from tandem.statistics.threads import in_chunks

HedgeBy = Literal["ols", "tls", "johansen", "kalman"]

LEAST_BARS: Final = 30
HURST_LAGS: Final = 20
VARIANCE_RATIO_BARS: Final = 10
CHUNK: Final = 1024
KALMAN: Final = get_args(HedgeBy).index("kalman")
TOO_FEW_BARS, SINGULAR, NO_HEDGE = int(Unfit.TOO_FEW_BARS), int(Unfit.SINGULAR), int(Unfit.NO_HEDGE)


@dataclass(frozen=True, slots=True)
class SpreadTable:
    """Measures of the spread `log a - intercept - hedge_ratio * log b` of pairs, on the bars that both have.

    Attributes:
        row: position of each measured pair among those asked, shape (n,).
        first, second: rows of the price matrix, a and b.
        bars: common bars.
        hedge_ratio, intercept: by the method that was asked for.
        ols, tls, johansen: hedge ratios by least squares of a on b, by total least squares, and from the
            first eigenvector of Johansen's test. `tls` is infinite where the legs are uncorrelated and the
            first moves more.
        mean, deviation: of the spread; sample standard deviation (n - 1). Only Kalman's spread has a mean
            other than 0: its last intercept is not that of the window.
        phi: slope of the spread on its own last value, least squares with a constant.
        half_life: `-ln 2 / ln(phi)` bars; infinite where phi is not between 0 and 1.
        hurst: slope of the log standard deviation of `s[t + lag] - s[t]` on log lag, lags 2 to 20 (the
            generalised Hurst exponent with q = 2: Di Matteo, Aste and Dacorogna 2003). 0.5 is a walk, 0 a
            spread that does not wander; 0 where a lag shows no differences at all.
        crossing_rate: share of bars at which the spread crosses its mean.
        variance_ratio: of changes over 10 bars to ten times that over one, overlapping, without bias (Lo
            and MacKinlay 1988, 2.6). 1 is a walk, below it the spread comes back; 1 where every change is
            the same.
        refused: the pairs that could not be measured.
    """

    row: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    bars: NDArray[np.int64]
    hedge_ratio: Series
    intercept: Series
    ols: Series
    tls: Series
    johansen: Series
    mean: Series
    deviation: Series
    phi: Series
    half_life: Series
    hurst: Series
    crossing_rate: Series
    variance_ratio: Series
    refused: RefusedPairs

    def __len__(self) -> int:
        return self.row.size


def measure_spreads(
    log_prices: ArrayLike, pairs: ArrayLike | None = None, *, hedge: HedgeBy = "ols", threads: int | None = None
) -> SpreadTable:
    """Hedge pairs and measure their spreads.

    Args:
        log_prices: shape (n_symbols, n_bars), NaN where a symbol has no bar.
        pairs: rows, shape (n_pairs, 2); None is every i < j.
        hedge: whose hedge ratio makes the spread; "kalman" is the last of `kalman_hedge` at its own delta.
        threads: None is every core.

    Raises:
        ValueError: prices or pairs of another shape, a pair of rows that are not there, or no such hedge.
    """
    matrix, asked = prices_and_pairs(log_prices, pairs)
    if hedge not in get_args(HedgeBy):
        raise ValueError(f"a hedge is one of {', '.join(get_args(HedgeBy))}, got {hedge}")
    method = get_args(HedgeBy).index(hedge)
    found = np.zeros((len(asked), len(COLUMNS)))
    bars, code = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.int64)
    in_chunks(
        len(asked),
        lambda start, stop: _measure(matrix, asked, method, start, stop, found, bars, code),
        size=CHUNK,
        threads=threads,
    )
    row = np.flatnonzero(code == Unfit.FIT)
    return SpreadTable(
        row=row,
        first=asked[row, 0],
        second=asked[row, 1],
        bars=bars[row],
        **{name: found[row, column] for column, name in enumerate(COLUMNS)},
        refused=RefusedPairs.of(asked, code, bars),
    )


COLUMNS: Final = (
    "hedge_ratio",
    "intercept",
    "ols",
    "tls",
    "johansen",
    "mean",
    "deviation",
    "phi",
    "half_life",
    "hurst",
    "crossing_rate",
    "variance_ratio",
)


@kernel
def _measure(
    log_prices: Matrix,
    pairs: Pairs,
    method: int,
    start: int,
    stop: int,
    found: Matrix,
    common: NDArray[np.int64],
    code: NDArray[np.int64],
) -> None:
    most = log_prices.shape[1]
    y, x, spread, path = np.empty(most), np.empty(most), np.empty(most), np.empty((most, 4))
    for row in range(start, stop):
        bars = common_bars(log_prices, pairs[row, 0], pairs[row, 1], y, x)
        common[row], code[row] = bars, TOO_FEW_BARS
        if bars < LEAST_BARS:
            continue
        level_y, level_x = centre(y, bars), centre(x, bars)
        ols = residual_of_line(y, x, bars, spread)
        code[row] = unfit(y, x, spread, bars, level_y, level_x)
        if code[row]:
            continue
        regular, _, _, tilt = relation(spread, x, bars)
        if not regular:
            code[row] = SINGULAR
            continue
        level = 0.0
        found[row, 2], found[row, 3], found[row, 4] = ols, _total_slope(y, x, bars), ols - tilt
        if method == KALMAN:
            follow(y[:bars], x[:bars], DELTA, path)
            slope, level = path[bars - 1, 0], path[bars - 1, 1]
        else:
            slope = found[row, 2 + method]
        if not np.isfinite(slope):
            code[row] = NO_HEDGE
            continue
        for bar in range(bars):
            spread[bar] = y[bar] - slope * x[bar]
        found[row, 0], found[row, 1] = slope, level_y + level - slope * level_x
        _describe(spread, bars, found[row, 5:])
        found[row, 5] -= level


@kernel
def _total_slope(y: Series, x: Series, bars: int) -> float:
    own, shared = products(y, y, bars) - products(x, x, bars), products(y, x, bars)
    if shared == 0 and own >= 0:
        return np.inf
    reach = float(np.hypot(own, 2 * shared))
    return (own + reach) / (2 * shared) if own > 0 else 2 * shared / (reach - own)


@kernel
def _describe(spread: Series, bars: int, found: Series) -> None:
    found[0] = mean(spread, bars)
    found[1] = np.sqrt(products(spread, spread, bars) / (bars - 1))
    found[2] = phi = _autoregression(spread, bars)
    found[3] = -np.log(2.0) / np.log(phi) if 0 < phi < 1 else np.inf
    found[4] = _hurst(spread, bars)
    found[5] = _crossings(spread, bars) / (bars - 1)
    found[6] = _variance_ratio(spread, bars)


# No @summing here: differences of three terms that may be taken in any order come out differently in the copies that
# compiled callers make of these functions.
@kernel
def _autoregression(spread: Series, bars: int) -> float:
    last, now = mean(spread, bars - 1), mean(spread[1:], bars - 1)
    shared = own = 0.0
    for bar in range(1, bars):
        own += (spread[bar - 1] - last) ** 2
        shared += (spread[bar - 1] - last) * (spread[bar] - now)
    return shared / own if own > 0 else 0.0


@kernel
def _squared_changes(spread: Series, bars: int, lag: int, expected: float) -> float:
    total = 0.0
    for bar in range(lag, bars):
        total += (spread[bar] - spread[bar - lag] - expected) ** 2
    return total


@kernel
def _hurst(spread: Series, bars: int) -> float:
    across = down = along = upward = 0.0
    for lag in range(2, HURST_LAGS + 1):
        count = bars - lag
        expected = mean(spread[lag:], count) - mean(spread, count)
        variance = _squared_changes(spread, bars, lag, expected) / count
        if variance <= 0:
            return 0.0
        far, wide = np.log(lag), np.log(variance) / 2
        across, down, along, upward = across + far, down + wide, along + far * far, upward + far * wide
    lags = HURST_LAGS - 1
    return (lags * upward - across * down) / (lags * along - across * across)


@kernel
def _crossings(spread: Series, bars: int) -> int:
    level, crossings, side = mean(spread, bars), 0, 0.0
    for bar in range(bars):
        here = np.sign(spread[bar] - level)
        crossings += here * side < 0
        side = here if here != 0 else side
    return crossings


@kernel
def _variance_ratio(spread: Series, bars: int) -> float:
    changes, apart = bars - 1, VARIANCE_RATIO_BARS
    drift = (spread[bars - 1] - spread[0]) / changes
    once = _squared_changes(spread, bars, 1, drift) / (changes - 1)
    weight = apart * (changes - apart + 1) * (1 - apart / changes)
    return _squared_changes(spread, bars, apart, apart * drift) / weight / once if once > 0 else 1.0
