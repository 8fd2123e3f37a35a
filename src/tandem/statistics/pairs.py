"""Pairs of rows of a price matrix, and those of them that no test can answer."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

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


# A matrix with fewer bars and at least so many rows lies on its side.
LEAST_BARS: Final = 24


@dataclass(frozen=True, slots=True, repr=False)
class RefusedPairs:
    """Pairs without an answer, in the order in which they were asked.

    Attributes:
        row: position among the pairs asked, shape (n,).
        first, second: rows of the price matrix.
        code: an `Unfit`; `reasons` counts them in words.
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

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in self.reasons().items())
        return f"RefusedPairs({counts or 'none'})"

    def reasons(self) -> dict[str, int]:
        """How many pairs have no answer for each reason, the most frequent first."""
        counts = np.bincount(self.code, minlength=len(Unfit))
        return {REASONS[Unfit(code)][0]: int(counts[code]) for code in np.argsort(-counts) if counts[code]}

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
        ValueError: prices are complex, no matrix or one that lies on its side, pairs are not pairs of whole numbers,
            or a pair names a row that is not there.
    """
    if np.iscomplexobj(log_prices):
        raise ValueError("log prices are real numbers, got complex ones")
    matrix = np.ascontiguousarray(log_prices, dtype=np.float64)
    if matrix.ndim != 2:
        raise ValueError(f"log prices have the shape (symbols, bars), got {matrix.shape}")
    if pairs is None:
        symbols, bars = matrix.shape
        if 0 < bars < LEAST_BARS <= symbols:
            raise ValueError(f"log prices have the shape (symbols, bars), got {symbols} x {bars}: transpose them?")
        return matrix, all_pairs(symbols)
    asked = _rows(np.asarray(pairs))
    if asked.size and not (asked.min() >= 0 and asked.max() < matrix.shape[0]):
        raise ValueError(f"pairs name rows {asked.min()} to {asked.max()} of {matrix.shape[0]} symbols")
    return matrix, asked


def _rows(pairs: NDArray[Any]) -> Pairs:
    if not pairs.size:
        return np.empty((0, 2), np.int64)
    if pairs.dtype.kind not in "iu":
        raise ValueError(f"pairs are rows of the price matrix, whole numbers from 0 on, got {pairs.flat[0]!r}")
    if pairs.ndim != 2 or pairs.shape[1] != 2:
        raise ValueError(f"pairs have the shape (pairs, 2), got {pairs.shape}")
    return np.ascontiguousarray(pairs, dtype=np.int64)
