"""Stored prices: `market_data`, and the quarantine of rows that are no bars."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tandem.market import DataError, Timeframe, World
from tandem.store.bars.panel import Panel
from tandem.store.bars.series import Series, world_name
from tandem.store.connections import Connections

if TYPE_CHECKING:
    import pandas as pd

    from tandem.store.bars.block import Stretch
    from tandem.store.bars.choice import Prefer
    from tandem.store.bars.digest import BarDigest
    from tandem.store.bars.sift import Broken
    from tandem.store.bars.track import Strip, Track
    from tandem.store.cache.cache import Cache
    from tandem.store.cache.inventory import Cached

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of the rows given to `Bars.load`.

    Attributes:
        added: bars that were not there before.
        skipped: bars whose place was taken by the same or, without `revise`, by another bar.
        other: of these, those whose place has another bar.
        quarantined: rows that are no bars; `Bars.quarantine` has them with the reason.
        revised: bars stored as another revision of one that was there.
        broken: the quarantined rows: what was given, and the reason.
    """

    added: int
    skipped: int
    quarantined: int
    revised: int = 0
    other: int = 0
    broken: "tuple[Broken, ...]" = field(default=(), compare=False, repr=False)


class Bars:
    """Bars of every symbol, timeframe, source, feed, adjustment and world.

    The first bar of a place stays: it is what was known when decisions were made.

    Args:
        connections: to the database.
        folder: where large reads may keep a derived copy; None for nowhere.
    """

    def __init__(self, connections: Connections, folder: Path | None = None) -> None:
        self._connections = connections
        self._folder = folder

    def load(
        self,
        bars: "pd.DataFrame",
        *,
        timeframe: Timeframe,
        source: str,
        feed: str = "",
        adjustment: str = "raw",
        world: World | None = None,
        revise: bool = False,
    ) -> Loaded:
        """Store a frame of bars, all or nothing; doing it again changes nothing.

        Args:
            bars: columns `symbol, start (with a zone), open, high, low, close, volume` and optionally
                `trade_count, vwap` (unknown where they are no sensible number), in any order. A column `flaw` says
                of a row that is no bar why; others are kept with the rows that go to the quarantine.
            timeframe: their length.
            source: where they come from (`alpaca`, `sample`, `recycled`, ...).
            feed: the exchange feed (`iex`, `sip`), where there is one.
            adjustment: `raw`, `split`, ...
            world: the world they were seen in; None for history that is everybody's.
            revise: store a bar that differs from the one in its place as its next revision.

        Raises:
            DataError: a column is missing.
            StoreError: PostgreSQL is away or refuses.
        """
        from tandem.store.bars.loading import insert, quarantine
        from tandem.store.bars.sift import sift

        series = Series(timeframe, source, feed, adjustment, world)
        sound, broken = sift(bars)
        with self._connections.use() as connection, connection.transaction():
            quarantine(connection, series, broken)
            added, revised, other = insert(connection, series, sound, revise)
        return Loaded(added, len(sound) - added - revised, len(broken), revised, other, tuple(broken))

    def read(
        self,
        symbols: Sequence[str],
        timeframe: Timeframe,
        *,
        first: datetime,
        last: datetime,
        source: str | None = None,
        feed: str | None = None,
        adjustment: str | None = None,
        world: World | None = None,
        revised: bool = False,
        prefer: "Prefer | None" = None,
    ) -> "pd.DataFrame":
        """The bars that start at `first` or later and have ended by `last`: nothing of the future.

        Args:
            symbols: tickers; one that has no bars is absent from the answer.
            timeframe: length of the bars.
            first, last: with a zone.
            source, feed, adjustment: only those; None takes whichever there is.
            world: bars of that world alone; None for history that is everybody's.
            revised: the newest revision of each bar instead of the first.
            prefer: what to read where a symbol has several series. `adjusted`, for windows over many days: one
                series per symbol and no other, split-adjusted before raw. `seen`, for what a desk saw: one series
                per symbol and New York day, raw (as live bars are) before adjusted. Real bars come before simulated
                ones, then the series with most bars. None refuses a mixture.

        Returns:
            A bars frame: `symbol, start (UTC), open, high, low, close, volume` sorted by symbol and
            start, with `trade_count` and `vwap` where any is known.

        Raises:
            DataError: two sources, feeds or adjustments have a bar in the same place, and none is preferred.
        """
        from tandem.store.bars.block import COLUMNS
        from tandem.store.bars.reading import fetch, frame, preferred
        from tandem.store.bars.sheet import frame_of

        if world is None and not revised:
            series = (source, feed, adjustment)
            stretches = self._stretches(symbols, timeframe, first, last, series, prefer, COLUMNS)
            if stretches is not None:
                return frame_of(stretches)
        wanted = {
            "timeframe": str(timeframe),
            "first": _utc(first),
            "last": _utc(last) - timeframe.length,
            "world": world_name(world),
            "data_source": source,
            "feed": feed,
            "adjustment": adjustment,
        }
        names = sorted(set(symbols))
        with self._connections.use() as connection:
            if prefer is not None:
                return preferred(connection, names, wanted, revised, prefer)
            return frame(fetch(connection, names, wanted, revised), names)

    def panel(
        self,
        symbols: Sequence[str],
        timeframe: Timeframe,
        *,
        first: datetime,
        last: datetime,
        prefer: "Prefer | None" = "adjusted",
    ) -> Panel:
        """The bars that `read` gives, side by side; symbols without any are absent.

        Raises:
            DataError: as `read`.
        """
        from tandem.store.bars.sheet import COLUMNS, panel_of

        stretches = self._stretches(symbols, timeframe, first, last, (None, None, None), prefer, COLUMNS)
        if stretches is None:
            return Panel.of(self.read(symbols, timeframe, first=first, last=last, prefer=prefer), timeframe)
        return panel_of(stretches, timeframe)

    @cached_property
    def cache(self) -> "Cache":
        """Large reads of closed sessions come through it."""
        from tandem.store.cache.cache import Cache

        return Cache(self._folder)

    def cached(self, *, check: bool = False) -> "list[Cached]":
        """The files of the cache and whether they are used as they are.

        Args:
            check: compare each bar with PostgreSQL's; a file that is not what it should be is removed.
        """
        from tandem.store.bars.fetching import snapshot
        from tandem.store.cache.inventory import compared, inventory

        with self._connections.use() as connection:
            with snapshot(connection):
                found = inventory(connection, self.cache)
            for n, one in enumerate(found if check else []):
                with snapshot(connection):
                    found[n] = compared(connection, self.cache, one)
        for one in found if check else []:
            if one.state in ("broken", "differs"):
                one.path.unlink(missing_ok=True)
        return found

    def unwatched(self) -> tuple[str, ...]:
        """Tables of bars whose changes leave no note, such as one made by hand: they turn the cache off."""
        from tandem.store.cache.changes import ledger

        with self._connections.use() as connection:
            return ledger(connection).unwatched

    def _stretches(
        self,
        symbols: Sequence[str],
        timeframe: Timeframe,
        first: datetime,
        last: datetime,
        series: "tuple[str | None, str | None, str | None]",
        prefer: "Prefer | None",
        columns: Sequence[str],
    ) -> "list[Stretch] | None":
        """Everybody's bars, the first word on each; None where which series to read takes a closer look."""
        from tandem.store.bars.block import in_order
        from tandem.store.bars.choice import among
        from tandem.store.bars.fetching import snapshot
        from tandem.store.cache.cache import Wanted

        end = _utc(last) - timeframe.length + TICK
        wanted = Wanted(tuple(sorted(set(symbols))), timeframe, _utc(first), end, _utc(last), columns)
        if prefer == "seen" and not wanted.is_large:
            return None
        with self._connections.use() as connection, snapshot(connection):
            blocks = self.cache.read(connection, wanted)
        stretches = (one for block in blocks for one in block.stretches(set(symbols), wanted.begin, wanted.end))
        found = among(stretches, series, prefer)
        return None if found is None else in_order(found)

    def tracks(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> "list[Track]":
        """Which sources, feeds and adjustments these symbols have bars of, best first.

        Real bars are better than simulated ones, then the track with more bars, then the raw one. Where the range is
        long, bars are counted on some of its days only.
        """
        from tandem.store.bars.tracks import tracks

        with self._connections.use() as connection:
            return tracks(connection, symbols, timeframe, _utc(first), _utc(last))

    def strip(
        self, chosen: "Sequence[Track]", timeframe: Timeframe, first: datetime, last: datetime
    ) -> "tuple[Strip, Strip | None]":
        """The bars of some tracks that start at `first` or later and before `last`, as arrays.

        Returns:
            The first word on each bar, and the newest word on those that were revised, None where none was.
        """
        from tandem.store.bars.tracks import strip

        with self._connections.use() as connection:
            return strip(connection, chosen, timeframe, _utc(first), _utc(last))

    def days(self, chosen: "Sequence[Track]", timeframe: Timeframe, among: Sequence[date]) -> list[date]:
        """Those New York days on which any of the tracks has a bar, oldest first."""
        from tandem.store.bars.tracks import days

        with self._connections.use() as connection:
            return days(connection, chosen, timeframe, among)

    def following(self, chosen: "Sequence[Track]", timeframe: Timeframe, after: datetime) -> datetime | None:
        """The start of the first bar of any of the tracks at or after a moment, UTC; None where there is none."""
        from tandem.store.bars.tracks import following

        with self._connections.use() as connection:
            return following(connection, chosen, timeframe, _utc(after))

    def remove(self, *, source: str, timeframes: Sequence[Timeframe], symbol: str = "") -> int:
        """Take everybody's bars of a source out again, with what its loads left in the quarantine; how many bars.

        What a desk saw in a world stays, and so does everything on record.

        Args:
            source: what they are marked with.
            timeframes: of these lengths.
            symbol: of this one alone.
        """
        from tandem.store.bars.removal import remove

        with self._connections.use() as connection, connection.transaction():
            return remove(connection, source, timeframes, symbol)

    def heard_before(self, world: World, before: datetime) -> tuple[int, int]:
        """How many bars a replay has left in its world that start before a time, and about how many bytes they take."""
        from tandem.store.bars.removal import heard_before

        with self._connections.use() as connection:
            return heard_before(connection, world, _utc(before))

    def forget_heard(self, world: World, before: datetime) -> int:
        """Take them out, with what was no bar on those days; how many bars. Everybody's bars and facts stay."""
        from tandem.store.bars.removal import forget_heard

        with self._connections.use() as connection, connection.transaction():
            return forget_heard(connection, world, _utc(before))

    def digests(self, first: datetime, before: datetime, world: World) -> "list[BarDigest]":
        """What everybody's bars and a world's own hash to that start from `first` until before another time.

        Returns:
            One for each timeframe and symbol that has any, sorted.
        """
        from tandem.store.bars.digest import digests

        with self._connections.use() as connection:
            return digests(connection, _utc(first), _utc(before), world)

    def coverage(self) -> "pd.DataFrame":
        """What is stored, one row per symbol, timeframe, source, feed and adjustment.

        Returns:
            Columns `symbol, timeframe, source, feed, adjustment, rows, first, last, sessions, gaps`:
            `first` and `last` are starts of bars, UTC; `sessions` are New York days with bars; `gaps`
            are trading days between `first` and `last` without any bar or with a hole between their own
            first and last bar. Bars of a world are not counted.
        """
        from tandem.store.bars.coverage import coverage

        with self._connections.use() as connection:
            return coverage(connection)

    def spans(self) -> "pd.DataFrame":
        """From when to when there are bars, the quick part of `coverage`.

        Returns:
            Columns `symbol, timeframe, first, last`, starts of bars in UTC. Bars of a world are not counted.
        """
        import pandas as pd

        with self._connections.use() as connection:
            rows = connection.execute(SPANS).fetchall()
        spans = pd.DataFrame(rows, columns=["symbol", "timeframe", "first", "last"])
        return spans.assign(**{name: pd.to_datetime(spans[name], utc=True) for name in ("first", "last")})

    def seen(self) -> "pd.DataFrame":
        """The bars that were seen in a world, such as a recycler's: one row per symbol, timeframe, world and source.

        Returns:
            Columns `symbol, timeframe, source, feed, adjustment, world, rows, first, last, sessions`, as `coverage`.
        """
        import pandas as pd

        with self._connections.use() as connection:
            rows = connection.execute(SEEN).fetchall()
        names = ["symbol", "timeframe", "source", "feed", "adjustment", "world", "rows", "first", "last", "sessions"]
        return pd.DataFrame(rows, columns=names)

    def counts(self, symbols: Sequence[str], timeframe: Timeframe) -> dict[str, dict[str, int]]:
        """How many bars of this length there are, by symbol and source; of several series the longest counts."""
        wanted = {"timeframe": str(timeframe), "names": sorted(set(symbols))}
        with self._connections.use() as connection:
            rows = connection.execute(COUNTS, wanted).fetchall()
        found: dict[str, dict[str, int]] = {symbol: {} for symbol in symbols}
        for symbol, source, count in rows:
            of = found[cast(str, symbol)]
            of[cast(str, source)] = max(cast(int, count), of.get(cast(str, source), 0))
        return found

    def symbols(self, timeframe: Timeframe) -> list[str]:
        """Every symbol that has bars of this length, sorted."""
        with self._connections.use() as connection:
            rows = connection.execute(SYMBOLS, {"timeframe": str(timeframe)}).fetchall()
        return [cast(str, row[0]) for row in rows]

    def quarantine(self) -> "pd.DataFrame":
        """The rows that were no bars: `source, timeframe, world, given (dict), reason, recorded_at`."""
        import pandas as pd

        with self._connections.use() as connection:
            rows = connection.execute(QUARANTINE).fetchall()
        return pd.DataFrame(rows, columns=["source", "timeframe", "world", "given", "reason", "recorded_at"])


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise DataError(f"the time {moment} has no zone", "Give first and last in UTC")
    return moment.astimezone(UTC)


QUARANTINE = "SELECT data_source, timeframe, world, given, reason, recorded_at FROM bars_quarantine ORDER BY id"
COUNTS = """
SELECT symbol, data_source, count(*) FROM market_data
WHERE timeframe = %(timeframe)s AND symbol = ANY(%(names)s::text[]) AND world = '' AND revision = 0
GROUP BY symbol, data_source, feed, adjustment
"""
SPANS = """
SELECT symbol, timeframe, min(timestamp), max(timestamp) FROM market_data
WHERE revision = 0 AND world = '' GROUP BY symbol, timeframe ORDER BY symbol, timeframe
"""
SEEN = """
SELECT symbol, timeframe, data_source, feed, adjustment, world, count(*), min(timestamp), max(timestamp),
       count(DISTINCT date_bin('1 day', timestamp, '2000-01-01 04:00+00'))
FROM market_data WHERE revision = 0 AND world <> ''
GROUP BY symbol, timeframe, data_source, feed, adjustment, world ORDER BY world, symbol
"""
SYMBOLS = """
WITH RECURSIVE found AS (
    (SELECT symbol FROM market_data WHERE timeframe = %(timeframe)s ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT (SELECT symbol FROM market_data m WHERE timeframe = %(timeframe)s AND m.symbol > found.symbol
            ORDER BY symbol LIMIT 1)
    FROM found WHERE found.symbol IS NOT NULL
)
SELECT symbol FROM found WHERE symbol IS NOT NULL
"""
