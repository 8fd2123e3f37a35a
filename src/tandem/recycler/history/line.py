"""Bars of one symbol as arrays, and how they become longer bars."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from tandem.store import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Bars of one symbol and length, oldest first; every array has the same length.

    Attributes:
        start: int64, microseconds since 1970 UTC.
        open, high, low, close: float64, dollars per share.
        volume: int64, shares.
        trade_count, vwap: float64, NaN where unknown.
    """

    start: "NDArray[Any]"
    open: "NDArray[Any]"
    high: "NDArray[Any]"
    low: "NDArray[Any]"
    close: "NDArray[Any]"
    volume: "NDArray[Any]"
    trade_count: "NDArray[Any]"
    vwap: "NDArray[Any]"

    def __len__(self) -> int:
        return len(self.start)

    def where(self, rows: Any) -> Self:
        """Those rows alone: a slice, a mask or places."""
        return type(self)(*(column[rows] for column in self.columns))

    def at(self, start: "NDArray[Any]") -> Self:
        """The same bars at other times."""
        return type(self)(start, *self.columns[1:])

    @property
    def columns(self) -> list["NDArray[Any]"]:
        """Every array, in the order of the attributes."""
        return [getattr(self, field.name) for field in fields(self)]

    def longer(self, labels: "NDArray[Any]") -> Self:
        """One bar of each run of equal labels, which are its start.

        Args:
            labels: int64, microseconds since 1970 UTC, one for each bar here, in order.

        Returns:
            First open, highest high, lowest low, last close, sums; the average price is weighted by
            the volume of those bars that have one.
        """
        import numpy as np

        if not len(self):
            return self
        first = np.flatnonzero(np.diff(labels, prepend=labels[0] - 1))
        if len(first) == len(self):
            return self.at(labels)
        last = np.append(first[1:], len(labels)) - 1
        return type(self)(
            labels[first],
            self.open[first],
            np.maximum.reduceat(self.high, first),
            np.minimum.reduceat(self.low, first),
            self.close[last],
            np.add.reduceat(self.volume, first),
            _known_sum(self.trade_count, first),
            _average(self.vwap, self.volume, first),
        )


def joined(lines: Sequence[Line]) -> Line:
    """Bars of several lines in one, oldest first."""
    import numpy as np

    if len(lines) == 1:
        return lines[0]
    whole = Line(*(np.concatenate(parts) for parts in zip(*(line.columns for line in lines), strict=True)))
    return whole.where(np.argsort(whole.start, kind="stable"))


def lines_of(strip: Strip) -> dict[str, Line]:
    """One line for each symbol of a strip that has bars there."""
    import numpy as np

    edges = np.flatnonzero(np.diff(strip.code, prepend=-1, append=len(strip.symbols))).tolist()
    whole = Line(start=strip.start, volume=strip.volume, **strip.prices, **strip.extras)
    return {strip.symbols[strip.code[a]]: whole.where(slice(a, b)) for a, b in pairwise(edges)}


def nothing() -> Line:
    """No bars."""
    import numpy as np

    whole, real = np.empty(0, np.int64), np.empty(0)
    return Line(whole, real, real, real, real, whole, real, real)


def _known_sum(values: "NDArray[Any]", first: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    known = ~np.isnan(values)
    total = np.add.reduceat(np.where(known, values, 0.0), first)
    return np.where(np.logical_or.reduceat(known, first), total, np.nan)


def _average(vwap: "NDArray[Any]", volume: "NDArray[Any]", first: "NDArray[Any]") -> "NDArray[Any]":
    import numpy as np

    weight = np.add.reduceat(np.where(np.isnan(vwap), 0, volume), first)
    paid = _known_sum(vwap * volume, first)
    mean: NDArray[Any] = np.divide(paid, weight, out=np.full(len(first), np.nan), where=weight > 0)
    return mean.round(6)
