"""Augmented Dickey-Fuller tests (STATISTICS 3, 4)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.market import Refusal
from tandem.statistics.dickey_fuller import Criterion, lag_choice, series_tests
from tandem.statistics.mackinnon import mackinnon_pvalues
from tandem.statistics.pairs import Unfit
from tandem.statistics.rows import rows_of
from tandem.statistics.series import Series, series_of

REASONS: Final = {
    Unfit.TOO_FEW_BARS: ("too few bars", "{bars} bars are too few for the regression with the most lags"),
    Unfit.CONSTANT: ("constant series", "the series is the same on all {bars} bars"),
    Unfit.SINGULAR: ("singular regression", "the regression has no single answer over {bars} bars"),
}


@dataclass(frozen=True, slots=True)
class UnitRoot:
    """Augmented Dickey-Fuller test of one series, constant in, lags by AIC.

    Null hypothesis: the series has a unit root (it does not revert).
    """

    statistic: float
    pvalue: float
    lags: int


@dataclass(frozen=True, slots=True)
class RefusedSeries:
    """Series without an answer, in the order in which they were given.

    Attributes:
        row: of the matrix, shape (n,).
        code: an `Unfit`.
        bars: values that the series has.
    """

    row: NDArray[np.int64]
    code: NDArray[np.int64]
    bars: NDArray[np.int64]

    def __len__(self) -> int:
        return self.row.size

    def refusal(self, index: int) -> Refusal:
        """What to tell a person about one of them."""
        reason, why = REASONS[Unfit(int(self.code[index]))]
        return Refusal(reason, why.format(bars=int(self.bars[index])), "statistics")


@dataclass(frozen=True, slots=True)
class UnitRootTable:
    """Augmented Dickey-Fuller tests of series, one row each; those that could not be tested are in `refused`.

    Null hypothesis: the series has a unit root (it does not revert). Arrays have shape (n,).

    Attributes:
        row: position of each tested series in the matrix.
        bars: values that it has.
        statistic: t-statistic of the level.
        pvalue: MacKinnon's asymptotic one, for a regression with a constant.
        lags: lagged differences.
        refused: series without an answer, and why.
    """

    row: NDArray[np.int64]
    bars: NDArray[np.int64]
    statistic: Series
    pvalue: Series
    lags: NDArray[np.int64]
    refused: RefusedSeries

    def __len__(self) -> int:
        return self.row.size


def screen_unit_roots(
    series: ArrayLike, *, constant: bool = True, autolag: Criterion = "aic", maxlag: int | None = None
) -> UnitRootTable:
    """Test series for a unit root; equal to `statsmodels.tsa.stattools.adfuller`, the statistic to 1e-9.

    A series is refused with fewer values than leave the regression with the most lags four degrees of freedom (25 by
    Schwert's rule, 24 without a constant), when it is constant, and when the regression is collinear or fits to within
    rounding.

    Args:
        series: shape (n_series, n_obs); a value that is not finite is left out.
        constant: whether the regression has a constant; its p-value is for one that does.
        autolag: information criterion that chooses among 0..maxlag lags; None takes maxlag.
        maxlag: None is Schwert's rule.

    Raises:
        ValueError: series are not a matrix, or an unknown choice.
    """
    matrix, (criterion, most) = rows_of(series), lag_choice(autolag, maxlag)
    statistic = np.zeros(len(matrix))
    lags, bars, code = np.zeros((3, len(matrix)), np.int64)
    series_tests(matrix, constant, criterion, most, statistic, lags, bars, code)
    row, refused = np.flatnonzero(code == 0), np.flatnonzero(code)
    return UnitRootTable(
        row=row,
        bars=bars[row],
        statistic=statistic[row],
        pvalue=mackinnon_pvalues(statistic[row], series=1),
        lags=lags[row],
        refused=RefusedSeries(refused, code[refused], bars[refused]),
    )


def adf(series: Series) -> UnitRoot:
    """Test a spread for a unit root; equal to `statsmodels.tsa.stattools.adfuller` to 1e-9.

    Args:
        series: shape (n,), n at least 10, finite and not constant.
    """
    statistic, lags = unit_root(series_of(series, least=10), constant=True)
    return UnitRoot(statistic, mackinnon_pvalue(statistic, series=1), lags)


def unit_root(series: Series, *, constant: bool) -> tuple[float, int]:
    """Statistic and lags of the augmented Dickey-Fuller regression.

    AIC chooses among 0..maxlag lagged differences on the common sample, Schwert's maxlag; the
    regression is then run again on all observations that the chosen lag leaves.
    """
    if series.max() == series.min():
        raise ValueError("a constant series has no unit root to test")
    least_rows = series.size // 2 - int(constant) - 1
    most = min(least_rows, int(np.ceil(12.0 * (series.size / 100.0) ** 0.25)))
    lags = _lags_by_aic(series, most, constant=constant)
    return _level_t(series, lags, constant=constant), lags


def mackinnon_pvalue(statistic: float, *, series: int) -> float:
    """MacKinnon's (1994) asymptotic p-value with a constant, for a system of `series` series."""
    from statsmodels.tsa.adfvalues import mackinnonp

    return float(mackinnonp(statistic, regression="c", N=series))


def _lags_by_aic(series: Series, most: int, *, constant: bool) -> int:
    fixed = 1 + int(constant)
    change, columns = _regression(series, most, constant=constant)
    # The last column of R holds the projections of `change`: what is left below row k is the
    # residual sum of squares of the model with the first k columns, for every k at once.
    tail = _triangle(columns, change)[:, -1]
    residual = np.cumsum((tail**2)[::-1])[::-1][fixed : fixed + most + 1]
    aic = change.size * np.log(residual) + 2.0 * (fixed + np.arange(most + 1))
    return int(np.argmin(aic))


def _level_t(series: Series, lags: int, *, constant: bool) -> float:
    change, columns = _regression(series, lags, constant=constant)
    level_last = np.roll(columns, -1, axis=1)
    triangle = _triangle(level_last, change)
    width = level_last.shape[1]
    deviation = abs(triangle[width, width]) / np.sqrt(change.size - width)
    return float(np.sign(triangle[width - 1, width - 1]) * triangle[width - 1, width] / deviation)


def _triangle(columns: Series, target: Series) -> Series:
    return np.asarray(np.linalg.qr(np.column_stack([columns, target]), mode="r"), dtype=np.float64)


def _regression(series: Series, lags: int, *, constant: bool) -> tuple[Series, Series]:
    change = np.diff(series)
    rows = change.size - lags
    columns = [series[lags:-1]]
    if constant:
        columns.append(np.ones(rows))
    columns += [change[lags - lag : change.size - lag] for lag in range(1, lags + 1)]
    return change[lags:], np.column_stack(columns)
