"""Augmented Dickey-Fuller tests (STATISTICS 3, 4)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.dickey_fuller import Criterion, lag_choice, series_tests
from tandem.statistics.mackinnon import mackinnon_pvalues
from tandem.statistics.pairs import Unfit
from tandem.statistics.rows import RefusedSeries, rows_of
from tandem.statistics.series import Series

REASONS: Final[dict[int, tuple[str, str]]] = {
    Unfit.TOO_FEW_BARS: ("too few bars", "{bars} bars are too few for the regression with the most lags"),
    Unfit.CONSTANT: ("constant series", "the series is the same on all {bars} bars"),
    Unfit.SINGULAR: ("singular regression", "the regression has no single answer over {bars} bars"),
}


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
        refused=RefusedSeries(refused, code[refused], bars[refused], REASONS),
    )
