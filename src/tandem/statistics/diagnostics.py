"""What a variance model leaves unexplained, and which of two forecasts is better (STATISTICS 4, 5)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from tandem.statistics.series import Series, series_of

LJUNG_BOX_LAGS: Final = 10
ARCH_LAGS: Final = 5


@dataclass(frozen=True, slots=True)
class LjungBox:
    """Ljung-Box test. Null hypothesis: no autocorrelation up to `lags`."""

    statistic: float
    pvalue: float
    lags: int


@dataclass(frozen=True, slots=True)
class ArchLm:
    """Engle's LM test. Null hypothesis: squared residuals do not depend on the last `lags` ones."""

    statistic: float
    pvalue: float
    lags: int


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


def ljung_box(residuals: ArrayLike, lags: int = LJUNG_BOX_LAGS) -> LjungBox:
    """Ljung-Box test of residuals; equal to `acorr_ljungbox` of statsmodels.

    Args:
        residuals: standardised, shape (n,), n above `lags`.
    """
    values = series_of(residuals, least=lags + 2)
    centred = values - values.mean()
    correlations = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, lags + 1)]) / (centred @ centred)
    count = values.size
    statistic = count * (count + 2) * float(np.sum(correlations**2 / (count - np.arange(1, lags + 1))))
    return LjungBox(statistic, float(chdtrc(lags, statistic)), lags)


def arch_lm(residuals: ArrayLike, lags: int = ARCH_LAGS) -> ArchLm:
    """Engle's test for ARCH effects; equal to `het_arch` of statsmodels (LM statistic).

    Args:
        residuals: standardised, shape (n,), n above twice `lags`.
    """
    squares = series_of(residuals, least=2 * lags + 2) ** 2
    target = squares[lags:]
    columns = [np.ones(target.size)] + [squares[lags - lag : -lag] for lag in range(1, lags + 1)]
    design = np.column_stack(columns)
    left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
    deviation = target - target.mean()
    statistic = float(target.size * (1 - (left @ left) / (deviation @ deviation)))
    return ArchLm(statistic, float(chdtrc(lags, statistic)), lags)


def qlike(proxy: Series, forecast: Series) -> Series:
    """Loss of a variance forecast, `log f + proxy / f`; robust to a noisy proxy (Patton 2011).

    Args:
        proxy: squared innovations, shape (n,).
        forecast: variances forecast for them, positive, shape (n,).
    """
    loss: Series = np.log(forecast) + proxy / forecast
    return loss


def diebold_mariano(loss_first: Series, loss_second: Series) -> DieboldMariano:
    """Whether the second forecast loses less than the first (Diebold and Mariano 1995).

    The variance is Newey and West's with `ceil(n^(1/3))` lags, as in statsmodels.

    Args:
        loss_first, loss_second: losses of both forecasts, shape (n,).
    """
    difference = series_of(loss_first) - series_of(loss_second)
    lags = min(int(np.ceil(np.cbrt(difference.size))), difference.size - 1)
    variance = _long_run_variance(difference, lags) / difference.size
    statistic = float(difference.mean() / np.sqrt(variance)) if variance > 0 else 0.0
    return DieboldMariano(statistic, float(ndtr(statistic)), lags)


def _long_run_variance(values: Series, lags: int) -> float:
    centred = values - values.mean()
    total = float(centred @ centred)
    for lag in range(1, lags + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / values.size
