"""Bars of one series and of many symbols, column by column, and the stretches of one symbol in them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tandem.store.bars.binary import PRICES

Column = NDArray[Any]
Of = tuple[str, str, str]
COLUMNS: Final = ("timestamp", *PRICES, "volume", "trade_count", "vwap")


@dataclass(frozen=True, slots=True)
class Block:
    """Bars symbol by symbol, each symbol's in order of time.

    Attributes:
        series: source, feed and adjustment.
        counts: how many bars each symbol has.
        columns: some or all of `COLUMNS`, shape (bars,): `timestamp` is datetime64[us] in UTC, `volume` int64, the
            others float64; `trade_count` and `vwap` are NaN where unknown.
    """

    series: Of
    counts: Mapping[str, int]
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return sum(self.counts.values())

    def stretches(self, names: set[str], begin: datetime, end: datetime) -> "Iterator[Stretch]":
        """The bars of those symbols that start from `begin` until before `end`; none is empty."""
        first, last = (np.datetime64(moment.replace(tzinfo=None), "us") for moment in (begin, end))
        at = 0
        for symbol, count in self.counts.items():
            if symbol in names:
                times = self.columns["timestamp"][at : at + count]
                low, high = times.searchsorted(first), times.searchsorted(last)
                if low < high:
                    yield Stretch(symbol, self, at + int(low), at + int(high))
            at += count


@dataclass(frozen=True, slots=True)
class Stretch:
    """One symbol's bars in a block, from one place to before another."""

    symbol: str
    block: Block
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin

    def __getitem__(self, name: str) -> Column:
        """A column."""
        return self.block.columns[name][self.begin : self.end]


def in_order(stretches: Iterable[Stretch]) -> list[Stretch]:
    """By symbol, then time."""
    return sorted(stretches, key=lambda one: (one.symbol, one["timestamp"][0]))
