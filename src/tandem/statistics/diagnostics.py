"""What a variance model leaves unexplained, and which of two forecasts is better (STATISTICS 4, 5).

Each test takes many series at once, one per row of a matrix; a row may begin and end with NaN. A row's result
depends on that row alone. A row that no test can answer (too short, all values alike, a gap inside) is not
`tested`: it gets the result that says nothing, never NaN.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr

from tandem.statistics.kernel import kernel
from tandem.statistics.moments import moments
from tandem.statistics.rows import Rows, centre, product, rows_of, scaled
from tandem.statistics.series import Series, series_of

LJUNG_BOX_LAGS: Final = 10
ARCH_LAGS: Final = 5
# Share of a column's variation that rounding leaves where other columns explain it.
COLLINEAR: Final = 1e-24

Flags = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LjungBox:
    """Ljung-Box test. Null hypothesis: no autocorrelation up to `lags`."""

    statistic: float
    pvalue: float
    lags: int


@dataclass(frozen=True, slots=True)
class LjungBoxes:
    """Ljung-Box tests of many series. Null hypothesis: no autocorrelation up to `lags`.

    Attributes:
        statistic, pvalue: shape (n,); 0 and 1 where the series could not be tested.
        tested: shape (n,).
    """

    statistic: Series
    pvalue: Series
    tested: Flags
    lags: int


@dataclass(frozen=True, slots=True)
class ArchLm:
    """Engle's LM test. Null hypothesis: squared residuals do not depend on the last `lags` ones."""

    statistic: float
    pvalue: float
    lags: int


@dataclass(frozen=True, slots=True)
class ArchLms:
    """Engle's LM tests of many series. Null hypothesis: squares do not depend on the last `lags` ones.

    Attributes:
        statistic, pvalue: shape (n,); 0 and 1 where the series could not be tested.
        tested: shape (n,).
    """

    statistic: Series
    pvalue: Series
    tested: Flags
    lags: int


@dataclass(frozen=True, slots=True)
class JarqueBeras:
    """Jarque-Bera tests of many series. Null hypothesis: the values are normal.

    Attributes:
        statistic, pvalue: shape (n,); 0 and 1 where the series could not be tested.
        skew, kurtosis: third and fourth standardised moment, 0 and 3 where not tested, shape (n,).
        tested: shape (n,).
    """

    statistic: Series
    pvalue: Series
    skew: Series
    kurtosis: Series
    tested: Flags


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """Diebold-Mariano test. Null hypothesis: both forecasts lose the same on average.

    Attributes:
        statistic: positive where the second forecast is better; asymptotically standard normal.
        probability: normal CDF of the statistic: 1 where the second forecast is surely better.
        lags: of the Bartlett kernel in the variance.
    """

    statistic: float
    probability: float
    lags: int


@dataclass(frozen=True, slots=True)
class DieboldMarianos:
    """Diebold-Mariano tests of many pairs of forecasts. Null hypothesis: both lose the same on average.

    Attributes:
        statistic: positive where the second forecast is better, shape (n,).
        probability: normal CDF of the statistic, shape (n,).
        lags: of the Bartlett kernel in the variance, shape (n,).
        tested: shape (n,); elsewhere the statistic is 0 and the probability 0.5.
    """

    statistic: Series
    probability: Series
    lags: Counts
    tested: Flags


def ljung_boxes(residuals: ArrayLike, lags: int = LJUNG_BOX_LAGS) -> LjungBoxes:
    """Ljung-Box test of each row; equal to `acorr_ljungbox` of statsmodels.

    Args:
        residuals: standardised, shape (n, n_obs); a row needs `lags + 2` values.

    Raises:
        ValueError: not two-dimensional, or no lag.
    """
    statistic, tested = _ljung_boxes(rows_of(residuals), _some(lags))
    return LjungBoxes(statistic, chdtrc(lags, statistic), tested, lags)


def ljung_box(residuals: ArrayLike, lags: int = LJUNG_BOX_LAGS) -> LjungBox:
    """Ljung-Box test of one series; equal to `acorr_ljungbox` of statsmodels.

    Args:
        residuals: standardised, shape (n,), n above `lags`; where all are alike the p-value is 1.
    """
    one = ljung_boxes(series_of(residuals, least=lags + 2)[np.newaxis], lags)
    return LjungBox(float(one.statistic[0]), float(one.pvalue[0]), lags)


def arch_lms(residuals: ArrayLike, lags: int = ARCH_LAGS) -> ArchLms:
    """Engle's test for ARCH effects in each row; equal to `het_arch` of statsmodels (LM statistic).

    Args:
        residuals: standardised, shape (n, n_obs); a row needs `2 * lags + 2` values whose squares differ.

    Raises:
        ValueError: not two-dimensional, or no lag.
    """
    statistic, tested = _arch_lms(rows_of(residuals), _some(lags))
    return ArchLms(statistic, chdtrc(lags, statistic), tested, lags)


def arch_lm(residuals: ArrayLike, lags: int = ARCH_LAGS) -> ArchLm:
    """Engle's test for ARCH effects in one series; equal to `het_arch` of statsmodels (LM statistic).

    Args:
        residuals: standardised, shape (n,), n above twice `lags`; where all squares are alike the p-value is 1.
    """
    one = arch_lms(series_of(residuals, least=2 * lags + 2)[np.newaxis], lags)
    return ArchLm(float(one.statistic[0]), float(one.pvalue[0]), lags)


def jarque_beras(values: ArrayLike) -> JarqueBeras:
    """Jarque-Bera test of each row; equal to `jarque_bera` of statsmodels.

    Args:
        values: shape (n, n_obs); a row needs two values that differ.

    Raises:
        ValueError: not two-dimensional.
    """
    found = moments(values)
    statistic = found.count / 6 * (found.skew**2 + (found.kurtosis - 3) ** 2 / 4)
    return JarqueBeras(statistic, chdtrc(2, statistic), found.skew, found.kurtosis, found.vary)


def qlike(proxy: Series, forecast: Series) -> Series:
    """Loss of a variance forecast, `log f + proxy / f`; robust to a noisy proxy (Patton 2011).

    Args:
        proxy: squared innovations, any shape.
        forecast: variances forecast for them, positive, of the same shape.
    """
    loss: Series = np.log(forecast) + proxy / forecast
    return loss


def diebold_marianos(loss_first: ArrayLike, loss_second: ArrayLike) -> DieboldMarianos:
    """Whether the second forecast loses less than the first, row by row (Diebold and Mariano 1995).

    The variance is Newey and West's with `ceil(n^(1/3))` lags, as in statsmodels.

    Args:
        loss_first, loss_second: losses of both forecasts, shape (n, n_obs), NaN where either has none; a row
            needs two losses whose difference is not always the same.

    Raises:
        ValueError: not two-dimensional, or of different shapes.
    """
    first, second = rows_of(loss_first), rows_of(loss_second)
    if first.shape != second.shape:
        raise ValueError(f"losses of both forecasts are needed, got shapes {first.shape} and {second.shape}")
    with np.errstate(invalid="ignore", over="ignore"):
        difference = first - second
    statistic, lags, tested = _diebold_marianos(difference)
    return DieboldMarianos(statistic, ndtr(statistic), lags, tested)


def diebold_mariano(loss_first: Series, loss_second: Series) -> DieboldMariano:
    """Whether the second forecast loses less than the first (Diebold and Mariano 1995).

    The variance is Newey and West's with `ceil(n^(1/3))` lags, as in statsmodels.

    Args:
        loss_first, loss_second: losses of both forecasts, shape (n,).
    """
    one = diebold_marianos(series_of(loss_first)[np.newaxis], series_of(loss_second)[np.newaxis])
    return DieboldMariano(float(one.statistic[0]), float(one.probability[0]), int(one.lags[0]))


def _some(lags: int) -> int:
    if lags < 1:
        raise ValueError(f"at least one lag is needed, got {lags}")
    return lags


@kernel
def _ljung_boxes(rows: Rows, lags: int) -> tuple[Series, Flags]:
    statistic, tested = np.zeros(rows.shape[0]), np.zeros(rows.shape[0], np.bool_)
    values = np.empty(rows.shape[1])
    for at in range(rows.shape[0]):
        count, _ = scaled(rows[at], values)
        if count < lags + 2:
            continue
        centre(values, count)
        variation, total = product(values, values, 0, count), 0.0
        for lag in range(1, lags + 1):
            total += (product(values, values, lag, count) / variation) ** 2 / (count - lag)
        statistic[at], tested[at] = count * (count + 2) * total, True
    return statistic, tested


@kernel
def _arch_lms(rows: Rows, lags: int) -> tuple[Series, Flags]:
    statistic, tested = np.zeros(rows.shape[0]), np.zeros(rows.shape[0], np.bool_)
    values, columns = np.empty(rows.shape[1]), np.empty((lags + 1, rows.shape[1]))
    for at in range(rows.shape[0]):
        count, _ = scaled(rows[at], values)
        if count < 2 * lags + 2 or not _lagged_squares(values, count, columns):
            continue
        statistic[at], tested[at] = (count - lags) * _explained(columns, count - lags), True
    return statistic, tested


@kernel
def _lagged_squares(values: Series, count: int, columns: Rows) -> bool:
    """Squares at lags 1, 2, ... and, last, at lag 0, centred; False where those at lag 0 are alike."""
    last = columns.shape[0] - 1
    for column in range(last + 1):
        lag = (column + 1) % (last + 1)
        for at in range(last, count):
            columns[column, at - last] = values[at - lag] ** 2
    alike = True
    for at in range(1, count - last):
        alike = alike and columns[last, at] == columns[last, 0]
    for column in range(last + 1):
        centre(columns[column], count - last)
    return not alike and product(columns[last], columns[last], 0, count - last) > 0


@kernel
def _explained(columns: Rows, count: int) -> float:
    """R squared of the last column on the others, all centred, by modified Gram-Schmidt."""
    last = columns.shape[0] - 1
    variation = product(columns[last], columns[last], 0, count)
    for one in range(last):
        before = product(columns[one], columns[one], 0, count)
        for other in range(one):
            _project(columns[one], columns[other], count)
        # What the columns before explain leaves rounding noise, which explains nothing.
        if product(columns[one], columns[one], 0, count) <= COLLINEAR * before:
            for at in range(count):
                columns[one, at] = 0.0
        _project(columns[last], columns[one], count)
    return max(1 - product(columns[last], columns[last], 0, count) / variation, 0.0)


@kernel
def _project(values: Series, onto: Series, count: int) -> None:
    """Take from values what is along another column."""
    length = product(onto, onto, 0, count)
    if length > 0:
        along = product(values, onto, 0, count) / length
        for at in range(count):
            values[at] -= along * onto[at]


@kernel
def _diebold_marianos(differences: Rows) -> tuple[Series, Counts, Flags]:
    rows = differences.shape[0]
    statistic, lags, tested = np.zeros(rows), np.zeros(rows, np.int64), np.zeros(rows, np.bool_)
    values = np.empty(differences.shape[1])
    for at in range(rows):
        count, _ = scaled(differences[at], values)
        if count < 2:
            continue
        lags[at] = min(int(np.ceil(np.cbrt(count))), count - 1)
        mean = centre(values, count)
        total = product(values, values, 0, count)
        for lag in range(1, lags[at] + 1):
            total += 2 * (1 - lag / (lags[at] + 1)) * product(values, values, lag, count)
        if total > 0:
            statistic[at], tested[at] = count * mean / np.sqrt(total), True
    return statistic, lags, tested
