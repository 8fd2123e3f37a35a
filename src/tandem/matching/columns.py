"""Bars as columns: what the store gives, the reel plays and the wire takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final, overload

from tandem.market import Bar, Timeframe

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Bars of several symbols, sorted by start and then by symbol; every array has the same length.

    Attributes:
        symbols: the names that `code` counts in, in alphabetical order; some may have no bars here.
        code: int32, place in `symbols`.
        start: int64, microseconds since 1970 UTC.
        open, high, low, close: float64, dollars per share.
        volume: int64, shares.
        trade_count: int64, -1 where unknown.
        vwap: float64, dollars, NaN where unknown.
        timeframe: length of every bar.
    """

    symbols: tuple[str, ...]
    code: "NDArray[Any]"
    start: "NDArray[Any]"
    open: "NDArray[Any]"
    high: "NDArray[Any]"
    low: "NDArray[Any]"
    close: "NDArray[Any]"
    volume: "NDArray[Any]"
    trade_count: "NDArray[Any]"
    vwap: "NDArray[Any]"
    timeframe: Timeframe = Timeframe.MIN_1

    def __len__(self) -> int:
        return len(self.code)

    def bar(self, row: int) -> Bar:
        """One row as a bar."""
        count, vwap = int(self.trade_count[row]), float(self.vwap[row])
        return Bar(
            symbol=self.symbols[self.code[row]],
            start=EPOCH + int(self.start[row]) * TICK,
            open=float(self.open[row]),
            high=float(self.high[row]),
            low=float(self.low[row]),
            close=float(self.close[row]),
            volume=int(self.volume[row]),
            timeframe=self.timeframe,
            trade_count=None if count == UNKNOWN else count,
            vwap=None if isnan(vwap) else vwap,
        )


@dataclass(frozen=True, slots=True, eq=False)
class MinuteBars(Sequence[Bar]):
    """The bars that end at one moment: rows `first` to `last` (excluded) of columns, by symbol.

    A bar is made when it is asked for; what only counts or encodes uses the columns.
    """

    columns: Columns
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first

    def __iter__(self) -> Iterator[Bar]:
        return map(self.columns.bar, range(self.first, self.last))

    @overload
    def __getitem__(self, at: int) -> Bar: ...
    @overload
    def __getitem__(self, at: slice) -> list[Bar]: ...
    def __getitem__(self, at: int | slice) -> Bar | list[Bar]:
        rows = range(self.first, self.last)[at]
        return self.columns.bar(rows) if isinstance(rows, int) else [self.columns.bar(row) for row in rows]

    def of(self, symbol: str) -> Bar | None:
        """The bar of one symbol, None where it has none."""
        from bisect import bisect_left

        at = bisect_left(self.columns.symbols, symbol)
        if at == len(self.columns.symbols) or self.columns.symbols[at] != symbol:
            return None
        codes = self.columns.code[self.first : self.last]
        row = int(codes.searchsorted(at))
        return self[row] if row < len(codes) and codes[row] == at else None
