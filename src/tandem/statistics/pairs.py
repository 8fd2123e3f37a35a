"""Pairs of rows of a price matrix, and those of them that no test can answer."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tandem.market import Refusal

Matrix = NDArray[np.float64]
Pairs = NDArray[np.int64]


class Unfit(IntEnum):
    """Why a pair has no answer; a kernel gives the number, 0 where there is an answer."""

    FIT = 0
    TOO_FEW_BARS = 1
    CONSTANT = 2
    COLLINEAR = 3
    NO_HEDGE = 4
    SINGULAR = 5


REASONS: Final = {
    Unfit.TOO_FEW_BARS: ("too few common bars", "{bars} common bars are too few to measure anything"),
    Unfit.CONSTANT: ("constant price", "the price of a leg is the same on all {bars} common bars"),
    Unfit.COLLINEAR: ("collinear legs", "the legs lie on one line over their {bars} common bars"),
    Unfit.NO_HEDGE: ("no hedge", "no line fits the legs better than another over their {bars} common bars"),
    Unfit.SINGULAR: (
        "singular regression",
        "no regression of the legs has a single answer over their {bars} common bars",
    ),
}


@dataclass(frozen=True, slots=True)
class RefusedPairs:
    """Pairs without an answer, in the order in which they were asked.

    Attributes:
        row: position among the pairs asked, shape (n,).
        first, second: rows of the price matrix.
        code: an `Unfit`.
        bars: on which both legs have a price.
    """

    row: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    code: NDArray[np.int64]
    bars: NDArray[np.int64]

    @classmethod
    def of(cls, pairs: Pairs, code: NDArray[np.int64], bars: NDArray[np.int64]) -> "RefusedPairs":
        """The pairs whose code is not `Unfit.FIT`."""
        row = np.flatnonzero(code)
        return cls(row, pairs[row, 0], pairs[row, 1], code[row], bars[row])

    def __len__(self) -> int:
        return self.row.size

    def refusal(self, index: int) -> Refusal:
        """What to tell a person about one of them."""
        reason, why = REASONS[Unfit(int(self.code[index]))]
        return Refusal(reason, why.format(bars=int(self.bars[index])), "statistics")


def all_pairs(count: int) -> Pairs:
    """Every pair (i, j) with i < j of `count` rows, shape (count * (count - 1) / 2, 2), in order."""
    return np.column_stack(np.triu_indices(count, 1)).astype(np.int64, copy=False)


def prices_and_pairs(log_prices: ArrayLike, pairs: ArrayLike | None) -> tuple[Matrix, Pairs]:
    """A price matrix and the pairs asked of it, as the kernels want them.

    Raises:
        ValueError: prices are not a matrix, pairs not pairs, or a pair names a row that is not there.
    """
    matrix = np.ascontiguousarray(log_prices, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"log prices have the shape (symbols, bars), got {matrix.shape}")
    if pairs is None:
        return matrix, all_pairs(matrix.shape[0])
    asked = np.ascontiguousarray(pairs, dtype=np.int64)
    if asked.ndim != 2 or asked.shape[1] != 2:
        raise ValueError(f"pairs have the shape (pairs, 2), got {asked.shape}")
    if asked.size and not (asked.min() >= 0 and asked.max() < matrix.shape[0]):
        raise ValueError(f"pairs name rows {asked.min()} to {asked.max()} of {matrix.shape[0]} symbols")
    return matrix, asked
