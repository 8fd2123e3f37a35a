"""Both legs of a pair on the bars they share, and the line through them; loops for the kernels."""

from typing import Final

import numpy as np

from tandem.statistics.kernel import kernel, summing
from tandem.statistics.pairs import Matrix, Unfit
from tandem.statistics.series import Series

# What the line leaves of the first leg's variance, below which statsmodels calls two series collinear.
COLLINEAR: Final = 100 * float(np.sqrt(np.finfo(np.float64).eps))
# Deviations this far below the level of the prices are rounding.
ROUNDING: Final = 16 * float(np.finfo(np.float64).eps)
CONSTANT_LEG, COLLINEAR_LEGS = int(Unfit.CONSTANT), int(Unfit.COLLINEAR)


@kernel
def common_bars(log_prices: Matrix, first: int, second: int, y: Series, x: Series) -> int:
    """Write what both rows have a price for to the fronts of y and x; how many bars that is."""
    bars = 0
    for bar in range(log_prices.shape[1]):
        a, b = log_prices[first, bar], log_prices[second, bar]
        y[bars], x[bars] = a, b
        bars += np.isfinite(a) & np.isfinite(b)
    return bars


@summing
def mean(values: Series, bars: int) -> float:
    """Mean of the first `bars` values."""
    total = 0.0
    for bar in range(bars):
        total += values[bar]
    return total / bars


@summing
def products(u: Series, v: Series, bars: int) -> float:
    """Sum of the products of the first `bars` values."""
    total = 0.0
    for bar in range(bars):
        total += u[bar] * v[bar]
    return total


@kernel
def centre(values: Series, bars: int) -> float:
    """Take the mean from the first `bars` values; the mean."""
    # Against the first value, so that equal values leave zeros and no rounding.
    first = float(values[0])
    for bar in range(bars):
        values[bar] -= first
    offset = mean(values, bars)
    for bar in range(bars):
        values[bar] -= offset
    return first + offset


@kernel
def moves(values: Series, bars: int, level: float) -> bool:
    """Whether centred values that had this mean are more than rounding."""
    return products(values, values, bars) > bars * (ROUNDING * abs(level)) ** 2


@kernel
def residual_of_line(y: Series, x: Series, bars: int, residual: Series) -> float:
    """Slope of centred y on centred x, by least squares; what it leaves goes to `residual`."""
    slope = products(x, y, bars) / products(x, x, bars)
    for bar in range(bars):
        residual[bar] = y[bar] - slope * x[bar]
    return slope


@kernel
def unfit(y: Series, x: Series, residual: Series, bars: int, level_y: float, level_x: float) -> int:
    """The `Unfit` of centred legs and the residual of their line."""
    if not (moves(y, bars, level_y) and moves(x, bars, level_x)):
        return CONSTANT_LEG
    if products(residual, residual, bars) <= COLLINEAR * products(y, y, bars):
        return COLLINEAR_LEGS
    return 0
