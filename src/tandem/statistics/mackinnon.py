"""MacKinnon's p-values of unit-root and cointegration statistics."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from tandem.statistics.series import Series

# MacKinnon (1994), "Approximate asymptotic distribution functions for unit-root and cointegration tests", Journal of
# Business & Economic Statistics 12, with a constant, for one and for two series: where the law begins and ends, where
# the polynomial of its left tail gives way to that of the rest, and both polynomials, from the constant up.
LEAST: Final = {1: -18.83, 2: -18.86}
MOST: Final = {1: 2.74, 2: 0.92}
TURN: Final = {1: -1.61, 2: -2.62}
LEFT: Final = {1: (2.1659, 1.4412, 0.038269), 2: (2.92, 1.5012, 0.039796)}
REST: Final = {1: (1.7339, 0.93202, -0.12745, -0.010368), 2: (2.1945, 0.64695, -0.29198, -0.042377)}


def mackinnon_pvalues(statistics: ArrayLike, series: int = 1) -> Series:
    """Asymptotic p-values of Dickey-Fuller statistics with a constant, as `statsmodels.tsa.adfvalues.mackinnonp`.

    Args:
        statistics: t-statistics of the level, any shape.
        series: 1 for a unit-root test, 2 for the residual of one series on another.
    """
    level = np.clip(np.asarray(statistics, dtype=np.float64), LEAST[series] - 1, MOST[series] + 1)
    left = np.polynomial.polynomial.polyval(level, LEFT[series])
    rest = np.polynomial.polynomial.polyval(level, REST[series])
    within = ndtr(np.where(level <= TURN[series], left, rest))
    return np.asarray(np.where(level > MOST[series], 1.0, np.where(level < LEAST[series], 0.0, within)))
