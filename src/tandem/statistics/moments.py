"""The first four moments of series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.kernel import kernel
from tandem.statistics.rows import Rows, centre, rows_of, scaled
from tandem.statistics.series import Series


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of many series, the deviation over n.

    Attributes:
        count: values in each row, 0 where the row does not vary, shape (n,).
        mean, deviation: in the row's unit, 0 where it does not vary, shape (n,).
        skew, kurtosis: standardised, 0 and 3 where the row does not vary, shape (n,).
    """

    count: NDArray[np.int64]
    mean: Series
    deviation: Series
    skew: Series
    kurtosis: Series

    @property
    def vary(self) -> NDArray[np.bool_]:
        """Whether a row has two values that differ and no gap inside, shape (n,)."""
        return self.count > 0


def moments(values: ArrayLike) -> Moments:
    """Moments of each row between its leading and trailing NaN.

    Args:
        values: shape (n, n_obs).

    Raises:
        ValueError: not two-dimensional.
    """
    count, table = _moments(rows_of(values))
    return Moments(count, *table)


@kernel
def _moments(rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    count, table = np.zeros(rows.shape[0], np.int64), np.zeros((4, rows.shape[0]))
    values = np.empty(rows.shape[1])
    for at in range(rows.shape[0]):
        size, unit = scaled(rows[at], values)
        mean = centre(values, size)
        second, third, fourth = 0.0, 0.0, 0.0
        for value in values[:size]:
            square = value * value
            second += square
            third += square * value
            fourth += square * square
        table[3, at] = 3.0
        if np.sqrt(second) * unit == 0.0:
            continue
        count[at], second = size, second / size
        table[0, at], table[1, at] = mean * unit, np.sqrt(second) * unit
        table[2, at], table[3, at] = third / size / second**1.5, fourth / size / second**2
    return count, table
