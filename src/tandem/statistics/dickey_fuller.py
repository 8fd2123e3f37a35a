"""Augmented Dickey-Fuller regressions of many series, compiled (STATISTICS 3).

The regressions of all lag orders are nested: with the columns in the order changes lagged 1, 2, ..., level, one
elimination of one Gram matrix passes through the residual sum of squares of each of them. The Gram matrix needs one
sum per lag: its other entries are those of the row above, moved by one bar, give or take the bars at the ends.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from tandem.statistics.kernel import kernel
from tandem.statistics.lanes import LANES, load, splat, store
from tandem.statistics.legs import COLLINEAR, centre, common_bars, mean, moves, products, unfit
from tandem.statistics.pairs import Matrix, Pairs, Unfit
from tandem.statistics.series import Series

FIT, TOO_FEW_BARS = int(Unfit.FIT), int(Unfit.TOO_FEW_BARS)
CONSTANT, SINGULAR = int(Unfit.CONSTANT), int(Unfit.SINGULAR)
FIXED, AIC, BIC = 0, 1, 2
SCHWERT: Final = -1
# Degrees of freedom left to the regression with the most lags: with one, a walk of 21 bars had a statistic of -2,600.
FREE: Final = 4
# What a column adds to those before it, as a share, when it adds rounding errors only.
DEPENDENT: Final = 1e-11

Criterion = Literal["aic", "bic"] | None
Desk = tuple[Series, Matrix, Matrix]
Integers = NDArray[np.int64]


def lag_choice(autolag: Criterion, maxlag: int | None) -> tuple[int, int]:
    """How the kernels want the choice of lags.

    Raises:
        ValueError: another criterion, or lags that are not a whole number from 0 on.
    """
    criteria = {None: FIXED, "aic": AIC, "bic": BIC}
    if autolag not in criteria:
        raise ValueError(f"autolag is 'aic', 'bic' or None, got {autolag!r}")
    if maxlag is None:
        return criteria[autolag], SCHWERT
    if not isinstance(maxlag, int | np.integer) or maxlag < 0:
        raise ValueError(f"maxlag is a whole number, at least 0, got {maxlag}")
    return criteria[autolag], int(maxlag)


@kernel
def pair_tests(
    log_prices: Matrix,
    pairs: Pairs,
    both: bool,
    criterion: int,
    maxlag: int,
    values: Matrix,
    lags: NDArray[np.int64],
    bars: Integers,
    code: Integers,
) -> None:
    """Engle-Granger tests of pairs.

    Args:
        log_prices: shape (symbols, bars); a value that is not finite is no bar.
        pairs: shape (n, 2).
        both: whether the second leg is also regressed on the first.
        criterion: FIXED, AIC or BIC.
        maxlag: most lags, the lags themselves where FIXED; or SCHWERT.
        values: written; statistic, slope, intercept of the first leg on the second, then of the other order, (n, 6).
        lags: written; of each order, (n, 2).
        bars: written; common ones, (n,).
        code: written; an `Unfit`, (n,).
    """
    length = log_prices.shape[1]
    y, x, level, change = np.empty(length), np.empty(length), np.empty(length), np.empty(length)
    desk = _desk(length, maxlag)
    for row in range(pairs.shape[0]):
        bars[row] = common_bars(log_prices, pairs[row, 0], pairs[row, 1], y, x)
        code[row] = _test_pair(y, x, bars[row], both, criterion, maxlag, level, change, desk, values[row], lags[row])


@kernel
def series_tests(
    series: Matrix,
    constant: bool,
    criterion: int,
    maxlag: int,
    statistic: Series,
    lags: Integers,
    bars: Integers,
    code: Integers,
) -> None:
    """Augmented Dickey-Fuller tests of series.

    Args:
        series: shape (n, observations); a value that is not finite is no observation.
        constant: whether the regression has one.
        criterion: FIXED, AIC or BIC.
        maxlag: most lags, the lags themselves where FIXED; or SCHWERT.
        statistic, lags, bars, code: written, (n,); as those of `pair_tests`.
    """
    length = series.shape[1]
    level, spare, change = np.empty(length), np.empty(length), np.empty(length)
    desk = _desk(length, maxlag)
    for row in range(series.shape[0]):
        bars[row] = common_bars(series, row, row, level, spare)
        code[row], statistic[row], lags[row] = _test_one(
            level, spare, bars[row], constant, criterion, maxlag, change, desk
        )


@kernel
def _test_pair(
    y: Series,
    x: Series,
    bars: int,
    both: bool,
    criterion: int,
    maxlag: int,
    level: Series,
    change: Series,
    desk: Desk,
    values: Series,
    lags: Integers,
) -> int:
    most = _most_lags(bars, maxlag, 1)
    if most < 0:
        return TOO_FEW_BARS
    mean_y, mean_x = centre(y, bars), centre(x, bars)
    square_y, square_x, product = products(y, y, bars), products(x, x, bars), products(y, x, bars)
    if not np.isfinite(square_y + square_x + product):
        return SINGULAR
    forward, backward = product / square_x, product / square_y
    _residual(y, x, forward, bars, level, change)
    misfit = unfit(y, x, level, bars, mean_y, mean_x)
    if misfit:
        return misfit
    values[0], lags[0] = _test_level(level, change, bars, most, False, criterion, desk)
    values[1], values[2] = forward, mean_y - forward * mean_x
    if both:
        _residual(x, y, backward, bars, level, change)
        values[3], lags[1] = _test_level(level, change, bars, most, False, criterion, desk)
        values[4], values[5] = backward, mean_x - backward * mean_y
    return FIT if np.isfinite(values.sum()) else SINGULAR


@kernel
def _test_one(
    level: Series, spare: Series, bars: int, constant: bool, criterion: int, maxlag: int, change: Series, desk: Desk
) -> tuple[int, float, int]:
    most = _most_lags(bars, maxlag, 2 if constant else 1)
    if most < 0:
        return TOO_FEW_BARS, 0.0, 0
    about = centre(spare, bars)
    if not np.isfinite(products(spare, spare, bars)):
        return SINGULAR, 0.0, 0
    if not moves(spare, bars, about):
        return CONSTANT, 0.0, 0
    if constant:
        level = spare
    _changes(level, bars, change)
    statistic, lags = _test_level(level, change, bars, most, constant, criterion, desk)
    return (FIT if np.isfinite(statistic) else SINGULAR), statistic, lags


@kernel
def _test_level(
    level: Series, change: Series, bars: int, most: int, constant: bool, criterion: int, desk: Desk
) -> tuple[float, int]:
    # The t-statistic of the level and its lags; NaN where the regression has no single answer.
    moments, gram, work = desk
    left, rank, lags = work[1], work[2], most
    _moments(level, change, bars, lags, moments)
    if criterion != FIXED:
        if not _regress(level, change, bars, lags, constant, desk):
            return np.nan, 0
        rows = bars - 1 - most
        lags = _best(left, rank, most, 2.0 if criterion == AIC else np.log(rows), rows)
        _lengthen(level, change, most, lags, moments)
    if not _regress(level, change, bars, lags, constant, desk):
        return np.nan, 0
    free = bars - 1 - lags - rank[lags] - (1 if constant else 0)
    return gram[lags, lags + 1] / np.sqrt(gram[lags, lags] * left[lags] / free), lags


@kernel
def _regress(level: Series, change: Series, bars: int, lags: int, constant: bool, desk: Desk) -> bool:
    moments, gram, work = desk
    _fill(level, change, bars, lags, moments, gram)
    if constant:
        _centre(level, bars, lags, work[0], gram)
    return _eliminate(gram, lags, work[0], work[1], work[2])


@kernel
def _moments(level: Series, change: Series, bars: int, lags: int, moments: Series) -> None:
    rows, target = bars - 1 - lags, change[lags:]
    moments[0] = products(level[lags:], level[lags:], rows)
    moments[1] = products(level[lags:], target, rows)
    for lag in range(lags + 1):
        moments[2 + lag] = products(target, change[lags - lag :], rows)


@kernel
def _lengthen(level: Series, change: Series, lags: int, fewer: int, moments: Series) -> None:
    # The sums over the bars that `fewer` lags leave, from those over the bars that `lags` leave.
    for bar in range(fewer, lags):
        moments[0] += level[bar] * level[bar]
        moments[1] += level[bar] * change[bar]
        for lag in range(fewer + 1):
            moments[2 + lag] += change[bar] * change[bar - lag]


@kernel
def _fill(level: Series, change: Series, bars: int, lags: int, moments: Series, gram: Matrix) -> None:
    # Columns: changes lagged 1..lags, the level, the change. Upper triangle.
    end = bars - 1
    beside_level = moments[1]
    for row in range(lags):
        first, last = change[lags - row - 1], change[end - row - 1]
        for column in range(row, lags):
            above = gram[row - 1, column - 1] if row else moments[2 + column]
            gram[row, column] = above + first * change[lags - column - 1] - last * change[end - column - 1]
        beside_level += gram[0, row] + level[lags - 1] * first - level[end - 1] * last
        gram[row, lags] = beside_level
        gram[row, lags + 1] = moments[3 + row]
    gram[lags, lags] = moments[0]
    gram[lags, lags + 1] = moments[1]
    gram[lags + 1, lags + 1] = moments[2]


@kernel
def _centre(level: Series, bars: int, lags: int, sums: Series, gram: Matrix) -> None:
    # What a constant leaves of each column. The sum of changes is the way from the first level to the last.
    end = bars - 1
    for lag in range(1, lags + 1):
        sums[lag - 1] = level[end - lag] - level[lags - lag]
    sums[lags] = mean(level[lags:end], end - lags) * (end - lags)
    sums[lags + 1] = level[end] - level[lags]
    for row in range(lags + 2):
        for column in range(row, lags + 2):
            gram[row, column] -= sums[row] * sums[column] / (end - lags)


@kernel
def _eliminate(gram: Matrix, lags: int, whole: Series, left: Series, rank: Series) -> bool:
    # left[k], rank[k]: residual sum of squares and independent columns of the model with k lags and the level.
    change, independent = lags + 1, 1
    # A register at a time: rows of twenty columns are too short for loops that a compiler widens by itself.
    blocks = gram.shape[1] // LANES
    registers = gram.reshape((gram.shape[0] * blocks, LANES))
    for column in range(lags + 2):
        whole[column] = gram[column, column]
    for lag in range(lags + 1):
        left[lag] = gram[change, change] - gram[lags, change] * gram[lags, change] / gram[lags, lags]
        rank[lag] = independent
        if lag < lags and gram[lag, lag] > DEPENDENT * whole[lag]:
            independent += 1
            inverse = 1.0 / gram[lag, lag]
            for row in range(lag + 1, lags + 2):
                share = splat(gram[lag, row] * inverse)
                for block in range(row // LANES, blocks):
                    rest = load(registers, row * blocks + block) - share * load(registers, lag * blocks + block)
                    store(registers, row * blocks + block, rest)
    return bool(gram[lags, lags] > COLLINEAR * whole[lags] and left[lags] > COLLINEAR * whole[change])


@kernel
def _best(left: Series, rank: Series, lags: int, penalty: float, rows: int) -> int:
    best, least = 0, np.inf
    for lag in range(lags + 1):
        value = rows * np.log(left[lag]) + penalty * rank[lag]
        if value < least:
            best, least = lag, value
    return best


@kernel
def _residual(y: Series, x: Series, slope: float, bars: int, level: Series, change: Series) -> None:
    for bar in range(bars):
        level[bar] = y[bar] - slope * x[bar]
    _changes(level, bars, change)


@kernel
def _changes(level: Series, bars: int, change: Series) -> None:
    for bar in range(bars - 1):
        change[bar] = level[bar + 1] - level[bar]


@kernel
def _schwert(bars: int) -> int:
    return int(np.ceil(12.0 * (bars / 100.0) ** 0.25))


@kernel
def _most_lags(bars: int, maxlag: int, fixed: int) -> int:
    # -1 where they would leave too few degrees of freedom.
    most = min(_schwert(bars), bars // 2 - fixed) if maxlag < 0 else maxlag
    return most if bars - 1 - most - (fixed + most) >= FREE else -1


@kernel
def _desk(bars: int, maxlag: int) -> Desk:
    most = max(maxlag, _schwert(bars))
    # Whole registers of columns; what is left of the diagonal and right of the last column is nobody's.
    columns = LANES * ((most + 2 + LANES - 1) // LANES)
    return np.empty(most + 3), np.zeros((most + 2, columns)), np.empty((3, most + 2))
