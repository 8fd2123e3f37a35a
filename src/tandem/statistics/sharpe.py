"""Sharpe ratios with what one may believe of them (STATISTICS 5, 7)."""

from dataclasses import dataclass
from math import e, inf, sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from tandem.statistics.moments import Moments, moments
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

    def deflated(self, trials: int, trial_variance: float) -> float:
        """See `deflated_sharpe`, of returns that are not at hand any more."""
        luck = expected_best_sharpe(trials, trial_variance) * sqrt(self.periods)
        return float(ndtr((self.ratio - luck) / self.standard_error))


def sharpe_ratio(returns: ArrayLike, periods: float = SESSIONS_PER_YEAR) -> SharpeRatio:
    """Annualised Sharpe ratio with its standard error.

    Args:
        returns: per period, excess of nothing, shape (n,), n at least 2.
        periods: returns per year; 252 for daily P&L.
    """
    values = series_of(returns)
    found = moments(values[np.newaxis])
    if not found.vary[0]:
        return SharpeRatio(0.0, sqrt(periods / (values.size - 1)), periods, values.size)
    ratio, error = float(_ratios(found)[0]), float(_errors(found)[0])
    return SharpeRatio(ratio * sqrt(periods), error * sqrt(periods), periods, values.size)


def probabilistic_sharpes(returns: ArrayLike, benchmark: ArrayLike = 0.0) -> Series:
    """Probability that each true Sharpe ratio exceeds a benchmark (Bailey and Lopez de Prado 2012).

    Adjusted for skew and kurtosis. A row that tells nothing gets 0.5: returns that do not vary, fewer than
    two, or a gap inside.

    Args:
        returns: per period, one series per row, leading and trailing NaN left out, shape (n, n_obs).
        benchmark: Sharpe ratio per period, not annualised; one, or shape (n,).

    Raises:
        ValueError: returns are not two-dimensional.
    """
    found = moments(returns)
    excess = np.where(found.vary, _ratios(found) - np.asarray(benchmark, dtype=np.float64), 0.0)
    probability: Series = ndtr(excess / np.where(found.vary, _errors(found), 1.0))
    return probability


def probabilistic_sharpe(returns: ArrayLike, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds a benchmark (Bailey and Lopez de Prado 2012).

    Adjusted for skew and kurtosis. Returns that do not vary tell nothing: 0.5.

    Args:
        returns: per period, shape (n,), n at least 2.
        benchmark: Sharpe ratio per period, not annualised.
    """
    return float(probabilistic_sharpes(series_of(returns)[np.newaxis], benchmark)[0])


def deflated_sharpes(returns: ArrayLike, trials: int, trial_variance: float) -> Series:
    """Probability that each true Sharpe ratio beats the best that luck gives (Bailey and Lopez de Prado 2014).

    Args:
        returns: per period, one strategy per row, as for `probabilistic_sharpes`, shape (n, n_obs).
        trials: number of strategies tried, at least 1, the losing ones included.
        trial_variance: variance over the trials of their Sharpe ratios per period.

    Raises:
        ValueError: returns are not two-dimensional, no trial, or a negative variance.
    """
    return probabilistic_sharpes(returns, expected_best_sharpe(trials, trial_variance))


def deflated_sharpe(returns: ArrayLike, trials: int, trial_variance: float) -> float:
    """Probability that the true Sharpe ratio beats the best that luck gives (Bailey and Lopez de Prado 2014).

    Args:
        returns: of the chosen strategy per period, shape (n,).
        trials: number of strategies tried, at least 1, the losing ones included.
        trial_variance: variance over the trials of their Sharpe ratios per period.
    """
    return probabilistic_sharpe(returns, expected_best_sharpe(trials, trial_variance))


def track_record_length(
    ratio: float, benchmark: float = 0.0, *, skew: float = 0.0, kurtosis: float = 3.0, confidence: float = 0.95
) -> float:
    """Periods that it takes to believe that a Sharpe ratio beats a benchmark (Bailey and Lopez de Prado 2012).

    The minimum track record length: a record of this ratio and shape is as long where its probabilistic Sharpe ratio
    reaches `confidence`. Infinite where the ratio is not above the benchmark, and 1 for a confidence below a half.

    Args:
        ratio, benchmark: per period, not annualised.
        skew, kurtosis: of the returns, 0 and 3 where they are normal.
        confidence: between 0 and 1.

    Raises:
        ValueError: a confidence that is none.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence between 0 and 1 is needed, got {confidence}")
    if ratio <= benchmark:
        return inf
    factor = 1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2
    return float(1 + max(factor, np.finfo(float).eps) * (max(ndtri(confidence), 0.0) / (ratio - benchmark)) ** 2)


def min_track_record(returns: ArrayLike, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """`track_record_length` of returns like these; infinite where they do not vary.

    Args:
        returns: per period, shape (n,), n at least 2.
        benchmark: Sharpe ratio per period, not annualised.
        confidence: between 0 and 1.
    """
    found = moments(series_of(returns)[np.newaxis])
    if not found.vary[0]:
        return inf
    shape = {"skew": float(found.skew[0]), "kurtosis": float(found.kurtosis[0])}
    return track_record_length(float(_ratios(found)[0]), benchmark, confidence=confidence, **shape)


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


def _ratios(found: Moments) -> Series:
    deviation = found.deviation * np.sqrt(found.count / np.maximum(found.count - 1, 1))
    return found.mean / np.where(found.vary & (deviation > 0), deviation, 1.0)  # 0 where squares underflow


def _errors(found: Moments) -> Series:
    ratios = _ratios(found)
    factor = 1 - found.skew * ratios + (found.kurtosis - 1) / 4 * ratios**2
    error: Series = np.sqrt(np.maximum(factor, np.finfo(float).eps) / np.maximum(found.count - 1, 1))
    return error
