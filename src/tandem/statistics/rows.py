"""Series as the rows of a matrix, each with its own first and last value."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.statistics.kernel import kernel

Rows = NDArray[np.float64]


def rows_of(values: ArrayLike) -> Rows:
    """The values as a C-contiguous float64 matrix, shape (n, n_obs).

    Raises:
        ValueError: not two-dimensional.
    """
    matrix = np.ascontiguousarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"rows of a matrix are needed, got shape {matrix.shape}")
    return matrix


@kernel
def values_of(row: Rows) -> tuple[Rows, float]:
    """What a row holds between leading and trailing NaN, over its largest magnitude; and that magnitude.

    Empty where nothing is left, where a value in between is missing or infinite, and where all are alike: no
    test says anything of such a row. The magnitude keeps squares of the values within float64.
    """
    first, past = 0, row.size
    while first < past and np.isnan(row[first]):
        first += 1
    while past > first and np.isnan(row[past - 1]):
        past -= 1
    largest, alike = 0.0, True
    for at in range(first, past):
        if not np.isfinite(row[at]):
            return row[:0], 0.0
        largest = max(largest, abs(row[at]))
        alike = alike and row[at] == row[first]
    if alike:
        return row[:0], 0.0
    return row[first:past] / largest, largest
