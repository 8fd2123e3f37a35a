"""A hedge that is let drift: the Kalman filter of a line whose slope and intercept are random walks."""

from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from tandem.market import Refusal
from tandem.statistics.kernel import kernel
from tandem.statistics.legs import ROUNDING, centre, moves, residual_of_line, unfit
from tandem.statistics.pairs import REASONS, Matrix, Unfit
from tandem.statistics.series import Series, series_of
from tandem.statistics.spread import Hedge

LEAST_BARS: Final = 10
DELTA: Final = 1e-4
# Below the least of these the line does not move within any window; above the most it follows every price.
LEAST_DELTA, MOST_DELTA = 1e-10, 1.0


@dataclass(frozen=True, slots=True)
class HedgePath:
    """A dynamic hedge ratio and intercept; what stands at a bar knows that bar and those before it.

    The model: `y_t = level_t + hedge_ratio_t * (x_t - x_0) + noise`, level and hedge ratio random walks whose steps
    have `delta` times the noise's variance (Durbin and Koopman 2012, 6.2), started from no knowledge (5.2).

    Attributes:
        hedge_ratio, intercept: after each bar, shape (n,); the intercept is that of the line at x = 0.
        innovation: `y_t` less what the bars before expected of it; 0 where they expected nothing yet.
        variance: of each innovation, by the bars before it; infinite for the first few bars.
        delta: variance of a coefficient's step over that of the noise.
        noise: standard deviation of the noise, over the whole series.
        loglikelihood: diffuse, with the noise concentrated out.
    """

    hedge_ratio: Series
    intercept: Series
    innovation: Series
    variance: Series
    delta: float
    noise: float
    loglikelihood: float

    @property
    def last(self) -> Hedge:
        """The hedge after the last bar."""
        return Hedge(float(self.hedge_ratio[-1]), float(self.intercept[-1]))


def kalman_hedge(y: Series, x: Series, *, delta: float | None = DELTA) -> HedgePath | Refusal:
    """Follow the hedge of y by x through time.

    Scaling y, and adding a constant to y or x, change nothing but the units.

    Args:
        y, x: log prices, shape (n,), n at least 10, aligned and finite.
        delta: variance of a coefficient's step over that of the noise, positive; None chooses it by maximum
            likelihood, between 1e-10 and 1. Only then does a bar's hedge depend on later bars.

    Raises:
        ValueError: legs of different lengths, too short or not finite, or a delta that is not positive.
    """
    y, x = series_of(y, least=LEAST_BARS), series_of(x, least=LEAST_BARS)
    if y.size != x.size:
        raise ValueError(f"legs have as many bars as each other, got {y.size} and {x.size}")
    if delta is not None and not 0 < delta < np.inf:
        raise ValueError(f"delta is positive, got {delta}")
    why_not = _unfit(y, x)
    if why_not:
        return _refusal(why_not, y.size)
    path = _path(y, x, _likeliest(y, x) if delta is None else delta)
    return path if _holds(path) else _refusal(Unfit.SINGULAR, y.size)


def _refusal(why_not: Unfit, bars: int) -> Refusal:
    reason, why = REASONS[why_not]
    return Refusal(reason, why.format(bars=bars), "statistics")


def _holds(path: HedgePath) -> bool:
    # Prices of 1e155 and more have squares beyond float64.
    filtered = np.array([path.hedge_ratio, path.intercept, path.innovation])
    whole = bool(np.isfinite(filtered).all()) and not bool(np.isnan(path.variance).any())
    return whole and all(map(isfinite, (path.variance[-1], path.noise, path.loglikelihood)))


def _unfit(y: Series, x: Series) -> Unfit:
    y, x, residual = y.copy(), x.copy(), np.empty(y.size)
    level_y, level_x = centre(y, y.size), centre(x, x.size)
    if not (moves(y, y.size, level_y) and moves(x, x.size, level_x)):
        return Unfit.CONSTANT
    residual_of_line(y, x, y.size, residual)
    return Unfit(unfit(y, x, residual, y.size, level_y, level_x))


def _path(y: Series, x: Series, delta: float) -> HedgePath:
    path = np.empty((y.size, 4))
    logs, squares, expected = follow(y, x, delta, path)
    hedge_ratio, intercept, innovation, variance = path.T.copy()
    return HedgePath(
        hedge_ratio,
        intercept,
        innovation,
        variance,
        delta=delta,
        noise=float(np.sqrt(squares / expected)),
        loglikelihood=_loglikelihood(y.size, logs, squares, expected),
    )


def _loglikelihood(bars: int, logs: float, squares: float, expected: int) -> float:
    return float(-(bars * np.log(2 * np.pi) + expected * (np.log(squares / expected) + 1) + logs) / 2)


def _likeliest(y: Series, x: Series) -> float:
    from scipy.optimize import minimize_scalar

    path = np.empty((y.size, 4))

    def loss(log_delta: float) -> float:
        return -_loglikelihood(y.size, *follow(y, x, 10.0**log_delta, path))

    # A grid first: the likelihood of a drifting line often has two maxima.
    grid = np.linspace(np.log10(LEAST_DELTA), np.log10(MOST_DELTA), 41)
    best = int(np.argmin([loss(point) for point in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    return float(10.0 ** minimize_scalar(loss, bounds=bounds, method="bounded").x)


@kernel
def follow(y: Series, x: Series, delta: float, path: Matrix) -> tuple[float, float, int]:
    """Filter into `path`, the columns of HedgePath.

    Variances are in units of the noise's; p, q, r are the covariances of (slope, level), of which
    `_unknown` is the diffuse part. The answer is the sum of log variances, that of squared standardised
    innovations, and how many of them were expected.
    """
    slope, level, logs, squares, expected = 0.0, 0.0, 0.0, 0.0, 0
    p, q, r = 0.0, 0.0, 0.0
    p_unknown, q_unknown, r_unknown = 1.0, 0.0, 1.0
    for bar in range(y.size):
        at = x[bar] - x[0]
        if abs(at) <= ROUNDING * abs(x[0]):
            at = 0.0
        surprise = y[bar] - at * slope - level
        to_slope, to_level = p * at + q, q * at + r
        blank_slope, blank_level = p_unknown * at + q_unknown, q_unknown * at + r_unknown
        variance, vague = at * to_slope + to_level + 1, at * blank_slope + blank_level
        if vague > 0:
            slope, level = slope + blank_slope * surprise / vague, level + blank_level * surprise / vague
            ratio = variance / vague
            p += (blank_slope * ratio - 2 * to_slope) * blank_slope / vague
            q += (blank_slope * blank_level * ratio - to_slope * blank_level - blank_slope * to_level) / vague
            r += (blank_level * ratio - 2 * to_level) * blank_level / vague
            p_unknown -= blank_slope * blank_slope / vague
            q_unknown -= blank_slope * blank_level / vague
            r_unknown -= blank_level * blank_level / vague
            logs += np.log(vague)
            path[bar, 2], path[bar, 3] = 0.0, np.inf
        else:
            path[bar, 2], path[bar, 3] = surprise, variance * squares / expected if squares > 0 else np.inf
            slope, level = slope + to_slope * surprise / variance, level + to_level * surprise / variance
            p -= to_slope * to_slope / variance
            q -= to_slope * to_level / variance
            r -= to_level * to_level / variance
            logs, squares, expected = logs + np.log(variance), squares + surprise**2 / variance, expected + 1
        path[bar, 0], path[bar, 1] = slope, level - slope * x[0]
        p, r = p + delta, r + delta
    return logs, squares, expected
