"""Bars as columns: what the store gives, the reel plays and the wire takes."""

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final, Self, overload

from tandem.market import Bar, DataError, Timeframe

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
UNKNOWN: Final = -1
PRICES: Final = ("open", "high", "low", "close")
ARRAYS: Final = ("code", "start", *PRICES, "volume", "trade_count", "vwap")


def ticks(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH) // TICK


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

    @classmethod
    def of_frame(cls, bars: "pd.DataFrame", symbols: Sequence[str], timeframe: Timeframe = Timeframe.MIN_1) -> Self:
        """The columns of a bars frame in any order; every symbol of it is among `symbols`.

        Raises:
            DataError: two bars of one symbol and time.
        """
        import pandas as pd

        names = tuple(sorted(symbols))
        start = bars["start"].dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype("int64")
        extras = {name: bars[name].to_numpy(dtype="float64") for name in ("trade_count", "vwap") if name in bars}
        return cls.of_arrays(
            names,
            pd.Index(names).get_indexer(pd.Index(bars["symbol"])),
            start,
            {name: bars[name].to_numpy(dtype="float64") for name in PRICES},
            bars["volume"].to_numpy().astype("int64"),
            extras,
            timeframe,
        )

    @classmethod
    def of_arrays(
        cls,
        symbols: tuple[str, ...],
        code: "NDArray[Any]",
        start: "NDArray[Any]",
        prices: Mapping[str, "NDArray[Any]"],
        volume: "NDArray[Any]",
        extras: Mapping[str, "NDArray[Any]"],
        timeframe: Timeframe = Timeframe.MIN_1,
    ) -> Self:
        """Columns of arrays in any order; NaN stands for an unknown count or vwap.

        Raises:
            DataError: two bars of one symbol and time.
        """
        import numpy as np

        unknown = np.full(len(code), np.nan)
        count = extras.get("trade_count", unknown)
        whole = np.where(np.isnan(count), UNKNOWN, count).astype(np.int64)
        order = np.lexsort((code, start))
        code, start = code[order].astype(np.int32), start[order]
        if ((np.diff(start) == 0) & (np.diff(code) == 0)).any():
            raise DataError("two bars of one symbol and minute", "Replay bars of one source and feed.")
        figures = {name: values[order] for name, values in prices.items()}
        vwap = extras.get("vwap", unknown)[order]
        return cls(
            symbols,
            code,
            start,
            **figures,
            volume=volume[order],
            trade_count=whole[order],
            vwap=vwap,
            timeframe=timeframe,
        )

    def __len__(self) -> int:
        return len(self.code)

    def rows(self, first: int, last: int) -> Self:
        """The rows from `first` to `last` (excluded), not copied."""
        return replace(self, **{name: getattr(self, name)[first:last] for name in ARRAYS})

    def between(self, first: datetime, last: datetime) -> Self:
        """The bars that start at `first` or later and before `last`, not copied."""
        return self.rows(*(int(row) for row in self.start.searchsorted([ticks(first), ticks(last)])))

    def moved(self, shift: timedelta) -> Self:
        """The same bars, every start later by `shift`."""
        return replace(self, start=self.start + shift // TICK) if shift else self

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

    def without(self, symbols: Collection[str]) -> "MinuteBars":
        """The same less the bars of some symbols."""
        gone = [code for code, symbol in enumerate(self.columns.symbols) if symbol in symbols]
        rows = [row for row in range(self.first, self.last) if self.columns.code[row] not in gone]
        if len(rows) == len(self):
            return self
        return MinuteBars(
            replace(self.columns, **{name: getattr(self.columns, name)[rows] for name in ARRAYS}), 0, len(rows)
        )

    def of(self, symbol: str) -> Bar | None:
        """The bar of one symbol, None where it has none."""
        at = bisect_left(self.columns.symbols, symbol)
        if at == len(self.columns.symbols) or self.columns.symbols[at] != symbol:
            return None
        codes = self.columns.code[self.first : self.last]
        row = int(codes.searchsorted(at))
        return self[row] if row < len(codes) and codes[row] == at else None
