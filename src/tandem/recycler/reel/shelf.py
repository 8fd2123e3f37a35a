"""Where the recycler's bars come from: the store, or a file."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from tandem.market import NEW_YORK, RecyclerError, Timeframe
from tandem.matching import Columns, midnight
from tandem.store import Store, Strip, Track

if TYPE_CHECKING:
    import pandas as pd

    from tandem.recycler.options import Options

HOME: Final = "~/.tandem"
EARLIEST: Final = datetime(1990, 1, 2, tzinfo=UTC)
SLOWEST: Final = "exchange_calendars"
LATEST: Final = datetime(2100, 12, 30, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

Strips = tuple[Strip, Strip | None]


class Source(Protocol):
    """Bars by track; the store's `Bars` is one."""

    def tracks(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> list[Track]:
        """What there is, the best track of each symbol first."""
        ...

    def strip(self, chosen: Sequence[Track], timeframe: Timeframe, first: datetime, last: datetime) -> Strips:
        """The bars that start at `first` or later and before `last`, and the newest words on those revised."""
        ...

    def days(self, chosen: Sequence[Track], timeframe: Timeframe, among: Sequence[date]) -> list[date]:
        """Those days in New York that have any."""
        ...

    def following(self, chosen: Sequence[Track], timeframe: Timeframe, after: datetime) -> datetime | None:
        """The start of the first bar at or after a moment."""
        ...


class Shelf:
    """Bars of the recycler's symbols, one track of each symbol and length and never a mixture.

    Args:
        source: where they lie.
        store: the open store behind it, which the shelf closes; None for a file.
        allow_simulated: whether bars that are not real may be read.
    """

    def __init__(self, source: Source, store: Store | None = None, *, allow_simulated: bool = False) -> None:
        self.source = source
        self.store = store
        self.allow_simulated = allow_simulated
        self._chosen: dict[tuple[str, Timeframe], Track | None] = {}
        self._lock = Lock()

    def close(self) -> None:
        """Let go of the store."""
        if self.store is not None:
            self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def choose(
        self, symbols: Sequence[str], timeframe: Timeframe, first: datetime = EARLIEST, last: datetime = LATEST
    ) -> dict[str, Track]:
        """The track of each symbol that is read from here on: the best in this range.

        Returns:
            Symbols without bars that may be read are absent.
        """
        found = {track.symbol: track for track in reversed(self.source.tracks(symbols, timeframe, first, last))}
        chosen = {symbol: track for symbol, track in found.items() if track.is_real or self.allow_simulated}
        with self._lock:
            self._chosen.update({(symbol, timeframe): chosen.get(symbol) for symbol in symbols})
        return chosen

    def symbols(self) -> list[str]:
        """Every symbol of which the store has bars of any length; of a file, none but those that are asked for count.

        Raises:
            StoreError: the store is away.
        """
        if self.store is None:
            return []
        return sorted({symbol for timeframe in Timeframe for symbol in self.store.bars.symbols(timeframe)})

    def simulated(self, symbols: Sequence[str], timeframe: Timeframe) -> list[str]:
        """Those symbols that have simulated bars and no others."""
        tracks = self.source.tracks(symbols, timeframe, EARLIEST, LATEST)
        return sorted({track.symbol for track in tracks} - {track.symbol for track in tracks if track.is_real})

    def columns(
        self, tracks: Sequence[Track], symbols: tuple[str, ...], plays: "Plays", first: datetime, last: datetime
    ) -> tuple[Columns, Columns | None]:
        """Bars that start at `first` or later and before `last`, and the newest words on those that were revised.

        Args:
            tracks: whose bars.
            symbols: names of the columns.
            plays: which symbols each track is played as.
        """
        strip, revised = self.source.strip(tracks, plays.timeframe, first, last)
        return plays.columns(strip, symbols), None if revised is None else plays.columns(revised, symbols)

    def read(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> "pd.DataFrame":
        """The bars that start at `first` or later and have ended by `last`, first words only.

        Args:
            symbols: tickers; one that has no bars is absent from the answer.

        Returns:
            A bars frame sorted by symbol and start, with `trade_count` and `vwap` where any is known.
        """
        return frame(self.strip(symbols, timeframe, first, last))

    def strip(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> Strip:
        """The same as arrays, by symbol and then by start."""
        unseen = [symbol for symbol in symbols if (symbol, timeframe) not in self._chosen]
        if unseen:
            self.choose(unseen, timeframe)
        tracks = [track for one in sorted(set(symbols)) if (track := self._chosen[one, timeframe]) is not None]
        return self.source.strip(tracks, timeframe, first, last - timeframe.length + MICROSECOND)[0]


@dataclass(frozen=True, slots=True)
class Plays:
    """Who plays whose bars.

    Attributes:
        timeframe: length of the bars.
        roles: symbol that has bars to the symbols that play them, itself among them where it is replayed.
    """

    timeframe: Timeframe
    roles: "dict[str, tuple[str, ...]]"

    def columns(self, strip: Strip, symbols: tuple[str, ...]) -> Columns:
        """The bars under the names of those who play them."""
        import numpy as np

        place = {symbol: at for at, symbol in enumerate(symbols)}
        counts = np.array([len(self.roles[symbol]) for symbol in strip.symbols], dtype=np.int64)
        names = np.array([place[role] for symbol in strip.symbols for role in self.roles[symbol]], dtype=np.int32)
        rows = np.repeat(np.arange(len(strip)), counts[strip.code]) if len(strip) else np.arange(0)
        nth = np.arange(len(rows)) - np.repeat(np.cumsum(counts[strip.code]) - counts[strip.code], counts[strip.code])
        firsts = np.cumsum(counts) - counts
        return Columns.of_arrays(
            symbols,
            names[firsts[strip.code[rows]] + nth] if len(strip) else np.empty(0, np.int32),
            strip.start[rows],
            {name: values[rows] for name, values in strip.prices.items()},
            strip.volume[rows],
            {name: values[rows] for name, values in strip.extras.items()},
            self.timeframe,
        )


class File:
    """A bars frame as a source: every symbol has one track, `file`.

    Args:
        bars: in any order.
        timeframe: their length; of any other there are none.
    """

    def __init__(self, bars: "pd.DataFrame", timeframe: Timeframe = Timeframe.MIN_1) -> None:
        self._timeframe = timeframe
        self._bars = bars.sort_values("start", kind="stable", ignore_index=True)
        self._starts = self._bars["start"].dt.tz_convert(None).to_numpy().astype("datetime64[us]").astype("int64")

    @classmethod
    def read(cls, file: Path, timeframe: Timeframe = Timeframe.MIN_1) -> Self:
        """The bars of a Parquet file.

        Raises:
            RecyclerError: it cannot be read.
        """
        import pandas as pd

        try:
            return cls(pd.read_parquet(file), timeframe)
        except (OSError, ValueError, KeyError) as error:
            raise RecyclerError(f"{file} cannot be read as bars", str(error).splitlines()[0]) from error

    def tracks(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> list[Track]:
        """See `Source.tracks`."""
        if timeframe is not self._timeframe:
            return []
        bars = self._bars[self._bars["symbol"].isin(symbols) & self._bars["start"].between(first, last)]
        ends = bars.groupby("symbol")["start"].agg(["size", "min", "max"])
        return [
            Track(str(symbol), "file", "", "", int(rows), low.to_pydatetime(), high.to_pydatetime())
            for symbol, rows, low, high in ends.itertuples()
        ]

    def strip(self, chosen: Sequence[Track], _: Timeframe, first: datetime, last: datetime) -> Strips:
        """See `Source.strip`."""
        import numpy as np
        import pandas as pd

        names = tuple(track.symbol for track in chosen)
        low, high = self._starts.searchsorted([_ticks(first), _ticks(last)])
        codes = pd.Index(names).get_indexer(pd.Index(self._bars["symbol"].iloc[low:high]))
        order = np.argsort(codes, kind="stable")
        rows = low + order[codes[order] >= 0]
        bars = self._bars.iloc[rows]
        unknown = np.full(len(rows), np.nan)
        extras = {
            name: bars[name].to_numpy(dtype="float64") if name in bars else unknown for name in ("trade_count", "vwap")
        }
        prices = {name: bars[name].to_numpy(dtype="float64") for name in ("open", "high", "low", "close")}
        volume = bars["volume"].to_numpy().astype("int64")
        return Strip(names, codes[rows - low].astype("int32"), self._starts[rows], prices, volume, extras), None

    def days(self, chosen: Sequence[Track], _: Timeframe, among: Sequence[date]) -> list[date]:
        """See `Source.days`."""
        starts = self._of(chosen)["start"].dt.tz_convert(NEW_YORK)
        return sorted(set(starts.dt.date) & set(among))

    def following(self, chosen: Sequence[Track], _: Timeframe, after: datetime) -> datetime | None:
        """See `Source.following`."""
        starts = self._of(chosen)["start"]
        later = starts[starts >= after]
        return None if later.empty else later.min().to_pydatetime()

    def _of(self, chosen: Iterable[Track]) -> "pd.DataFrame":
        return self._bars[self._bars["symbol"].isin([track.symbol for track in chosen])]


def open_shelf(options: "Options") -> Shelf:
    """The shelf that the options name; it must be closed.

    Raises:
        RecyclerError: the file cannot be read.
        StoreError: the store is away.
    """
    Thread(target=import_module, args=(SLOWEST,), daemon=True).start()  # while the store answers
    if options.bars is not None:
        return Shelf(File.read(options.bars, options.timeframe), allow_simulated=True)
    home = Path(os.environ.get("TANDEM_HOME", HOME)).expanduser()
    store = Store.open(home, os.environ.get("TANDEM_DATABASE_URL"))
    return Shelf(store.bars, store, allow_simulated=options.allow_simulated)


def range_of(options: "Options") -> tuple[datetime, datetime]:
    """The earliest and the latest start of a bar that these options let be played."""
    start, end = (None, None) if options.mode == "splice" else (options.start, options.end)
    last = midnight(end + timedelta(days=1)) - MICROSECOND if end else LATEST
    return (midnight(start) if start else EARLIEST), last


def frame(strip: Strip) -> "pd.DataFrame":
    """A bars frame of a strip."""
    import numpy as np
    import pandas as pd

    table: dict[str, Any] = {
        "symbol": pd.array(strip.symbols, dtype="str").take(strip.code),
        "start": pd.Series(strip.start.astype("datetime64[us]")).dt.tz_localize("UTC"),
        **strip.prices,
        "volume": strip.volume,
        **{name: values for name, values in strip.extras.items() if not np.isnan(values).all()},
    }
    return pd.DataFrame(table)


def _ticks(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // MICROSECOND
