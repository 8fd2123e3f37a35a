"""Sharpe ratios with what one may believe of them (STATISTICS 5, 7)."""

from dataclasses import dataclass
from math import e, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from tandem.statistics.series import Series, series_of

EULER_GAMMA: Final = 0.5772156649015329
SESSIONS_PER_YEAR: Final = 252


@dataclass(frozen=True, slots=True)
class SharpeRatio:
    """Mean over deviation of returns, annualised.

    Attributes:
        ratio: annualised; 0 where returns do not vary.
        standard_error: of `ratio`, adjusted for skew and kurtosis (Mertens 2002).
        periods: returns per year that were assumed.
        count: number of returns.
    """

    ratio: float
    standard_error: float
    periods: float
    count: int


def sharpe_ratio(returns: ArrayLike, periods: float = SESSIONS_PER_YEAR) -> SharpeRatio:
    """Annualised Sharpe ratio with its standard error.

    Args:
        returns: per period, excess of nothing, shape (n,), n at least 2.
        periods: returns per year; 252 for daily P&L.
    """
    values = series_of(returns)
    ratio = _ratio(values)
    error = sqrt(_variance_factor(values, ratio) / (values.size - 1))
    return SharpeRatio(ratio * sqrt(periods), error * sqrt(periods), periods, values.size)


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark (Bailey and Lopez de Prado 2012).

    Adjusted for skew and kurtosis. Returns that do not vary tell nothing: 0.5.

    Args:
        returns: per period, shape (n,), n at least 2.
        benchmark: Sharpe ratio per period, not annualised.
    """
    values = series_of(returns)
    if values.std() == 0:
        return 0.5
    ratio = _ratio(values)
    return float(ndtr((ratio - benchmark) * sqrt(values.size - 1) / sqrt(_variance_factor(values, ratio))))


def deflated_sharpe(returns: ArrayLike, trials: int, trial_variance: float) -> float:
    """Probability that the true Sharpe ratio beats the best that luck gives (Bailey and Lopez de Prado 2014).

    Args:
        returns: of the chosen strategy per period, shape (n,).
        trials: number of strategies tried, at least 1, the losing ones included.
        trial_variance: variance over the trials of their Sharpe ratios per period.
    """
    return probabilistic_sharpe(returns, expected_best_sharpe(trials, trial_variance))


def expected_best_sharpe(trials: int, trial_variance: float) -> float:
    """Expected best Sharpe ratio per period of `trials` strategies without skill.

    Raises:
        ValueError: no trial, or a negative variance.
    """
    if trials < 1 or trial_variance < 0:
        raise ValueError(f"need a trial and a variance, got {trials} and {trial_variance}")
    if trials == 1:
        return 0.0
    first, second = ndtri(1 - 1 / trials), ndtri(1 - 1 / (trials * e))
    return float(sqrt(trial_variance) * ((1 - EULER_GAMMA) * first + EULER_GAMMA * second))


def _ratio(values: Series) -> float:
    deviation = float(values.std(ddof=1))
    return float(values.mean()) / deviation if deviation > 0 else 0.0


def _variance_factor(values: Series, ratio: float) -> float:
    deviation = values.std()
    if deviation == 0:
        return 1.0
    standard = (values - values.mean()) / deviation
    skew, kurtosis = float(np.mean(standard**3)), float(np.mean(standard**4))
    return max(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2, np.finfo(float).eps)
