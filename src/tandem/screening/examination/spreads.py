"""The spreads of a block of pairs side by side."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Legs:
    """Both legs of many pairs on their common bars (STATISTICS 1: an inner join, nothing filled).

    Attributes:
        log_a, log_b: logs of the closes, shape (n_pairs, most bars of a pair); each row's bars come first, NaN after.
        bars: of each row, shape (n_pairs,).
    """

    log_a: Matrix
    log_b: Matrix
    bars: NDArray[np.intp]

    @classmethod
    def of(cls, log_prices: Matrix, pairs: NDArray[np.int64]) -> Self:
        """The legs of pairs of rows of a price matrix."""
        log_a, log_b = log_prices[pairs[:, 0]], log_prices[pairs[:, 1]]
        absent = ~(np.isfinite(log_a) & np.isfinite(log_b))
        bars = log_a.shape[1] - absent.sum(axis=1)
        if absent.any():
            order = np.argsort(absent, axis=1, kind="stable")[:, : bars.max(initial=0)]
            absent = np.take_along_axis(absent, order, axis=1)
            log_a, log_b = (_packed(log, order, absent) for log in (log_a, log_b))
        return cls(log_a, log_b, bars)

    def __len__(self) -> int:
        return self.bars.size

    def where(self, bars: NDArray[np.bool_]) -> "Legs":
        """Only some bars of each pair, the first ones."""
        return Legs(np.where(bars, self.log_a, np.nan), np.where(bars, self.log_b, np.nan), bars.sum(axis=1))

    def at(self, rows: NDArray[np.intp]) -> "Legs":
        """Some of the pairs."""
        return Legs(self.log_a[rows], self.log_b[rows], self.bars[rows])

    def spreads(self, hedge_ratio: Column, intercept: Column) -> Matrix:
        """`log a - intercept - hedge_ratio * log b` of each row."""
        spreads: Matrix = self.log_a - intercept[:, None] - hedge_ratio[:, None] * self.log_b
        return spreads


def _packed(log: Matrix, order: NDArray[np.intp], absent: NDArray[np.bool_]) -> Matrix:
    packed = np.take_along_axis(log, order, axis=1)
    packed[absent] = np.nan
    return packed
