"""Series as the rows of a matrix, each with its own first and last value."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.market import Refusal
from tandem.statistics.kernel import kernel, summing
from tandem.statistics.series import Series

Rows = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RefusedSeries:
    """Series without an answer, in the order in which they were given.

    Attributes:
        row: position of each among the series given, shape (n,).
        code: of its reason, shape (n,).
        bars: values that it has, shape (n,).
        words: the reason of every code, and what to say of it.
    """

    row: NDArray[np.int64]
    code: NDArray[np.int64]
    bars: NDArray[np.int64]
    words: Mapping[int, tuple[str, str]]

    def __len__(self) -> int:
        return self.row.size

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons().items())
        return f"RefusedSeries({counts or 'none'})"

    def reasons(self) -> dict[str, int]:
        """How many series have no answer for each reason, the most frequent first."""
        return dict(Counter(self.words[code][0] for code in self.code.tolist()).most_common())

    def refusal(self, position: int) -> Refusal:
        """Why the series at a position of this list was refused."""
        reason, why = self.words[int(self.code[position])]
        why = why.format(bars=int(self.bars[position]))
        return Refusal(reason, f"series {self.row[position]}: {why}", "statistics")


def rows_of(values: ArrayLike) -> Rows:
    """The values as a C-contiguous float64 matrix, shape (n, n_obs).

    Raises:
        ValueError: not two-dimensional, or complex.
    """
    if np.iscomplexobj(values):
        raise ValueError("real numbers are needed, got complex ones")
    matrix = np.ascontiguousarray(values, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"rows of a matrix are needed, got shape {matrix.shape}")
    return matrix


@kernel
def scaled(row: Series, values: Series) -> tuple[int, float]:
    """Write what a row holds between leading and trailing NaN, over its largest magnitude; how many and that magnitude.

    None where nothing is left, where a value in between is missing or infinite, and where all are alike: no
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
            return 0, 0.0
        largest = max(largest, abs(row[at]))
        alike = alike and row[at] == row[first]
    if alike:
        return 0, 0.0
    for at in range(first, past):
        values[at - first] = row[at] / largest
    return past - first, largest


@kernel
def centre(values: Series, count: int) -> float:
    """Take the mean from the first `count` values; the mean."""
    total = 0.0
    for at in range(count):
        total += values[at]
    for at in range(count):
        values[at] -= total / count
    return total / count


@summing
def product(values: Series, others: Series, lag: int, count: int) -> float:
    """Sum of the products of the first `count` values with others `lag` before them."""
    total = 0.0
    for at in range(lag, count):
        total += values[at] * others[at - lag]
    return total
