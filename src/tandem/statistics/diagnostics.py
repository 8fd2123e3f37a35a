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
from tandem.statistics.rows import Rows, rows_of, values_of
from tandem.statistics.series import Series, series_of

LJUNG_BOX_LAGS: Final = 10
ARCH_LAGS: Final = 5
# A lag that the ones before it explain to this share of its variation is rounding noise and explains nothing.
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
def _product(centred: Series, lag: int) -> float:
    total = 0.0
    for at in range(lag, centred.size):
        total += centred[at] * centred[at - lag]
    return total


@kernel
def _ljung_boxes(rows: Rows, lags: int) -> tuple[Series, Flags]:
    statistic, tested = np.zeros(rows.shape[0]), np.zeros(rows.shape[0], np.bool_)
    for at in range(rows.shape[0]):
        values, _ = values_of(rows[at])
        if values.size < lags + 2:
            continue
        centred = values - values.mean()
        variation, total = _product(centred, 0), 0.0
        for lag in range(1, lags + 1):
            total += (_product(centred, lag) / variation) ** 2 / (values.size - lag)
        statistic[at], tested[at] = values.size * (values.size + 2) * total, True
    return statistic, tested


@kernel
def _arch_lms(rows: Rows, lags: int) -> tuple[Series, Flags]:
    statistic, tested = np.zeros(rows.shape[0]), np.zeros(rows.shape[0], np.bool_)
    for at in range(rows.shape[0]):
        values, _ = values_of(rows[at])
        if values.size < 2 * lags + 2:
            continue
        target, _ = values_of(values[lags:] ** 2)
        if target.size == 0:
            continue
        columns = np.empty((lags + 1, target.size))
        for lag in range(1, lags + 1):
            columns[lag - 1] = values[lags - lag : values.size - lag] ** 2
        columns[lags] = target
        statistic[at], tested[at] = target.size * _explained(columns), True
    return statistic, tested


@kernel
def _explained(columns: Rows) -> float:
    """R squared of the last column on the others and a constant, by modified Gram-Schmidt."""
    last = columns.shape[0] - 1
    variation = np.empty(last + 1)
    for one in range(last + 1):
        columns[one] -= columns[one].mean()
        variation[one] = _product(columns[one], 0)
    for one in range(last):
        left = _product(columns[one], 0)
        if left <= COLLINEAR * variation[one]:
            continue
        for other in range(one + 1, last + 1):
            along = 0.0
            for at in range(columns.shape[1]):
                along += columns[one, at] * columns[other, at]
            columns[other] -= along / left * columns[one]
    share: float = max(1 - _product(columns[last], 0) / variation[last], 0.0)
    return share


@kernel
def _diebold_marianos(differences: Rows) -> tuple[Series, Counts, Flags]:
    count = differences.shape[0]
    statistic, lags, tested = np.zeros(count), np.zeros(count, np.int64), np.zeros(count, np.bool_)
    for at in range(count):
        values, _ = values_of(differences[at])
        if values.size < 2:
            continue
        lags[at] = min(int(np.ceil(np.cbrt(values.size))), values.size - 1)
        centred = values - values.mean()
        total = _product(centred, 0)
        for lag in range(1, lags[at] + 1):
            total += 2 * (1 - lag / (lags[at] + 1)) * _product(centred, lag)
        if total > 0:
            statistic[at], tested[at] = values.size * values.mean() / np.sqrt(total), True
    return statistic, lags, tested
