"""Bars of closed sessions as files, derived from `market_data`, for reads that are large."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from os import cpu_count
from pathlib import Path
from shutil import rmtree
from typing import Final, cast

from tandem.market import NEW_YORK, Timeframe
from tandem.store.bars.block import COLUMNS, Block
from tandem.store.bars.fetching import fetch_blocks
from tandem.store.bars.months import Month
from tandem.store.cache.changes import Ledger, ledger, span_of
from tandem.store.cache.month_file import Broken, MonthFile, Title, write
from tandem.store.connections import Connection

WORTH: Final = 100_000
LEAST: Final = 5_000
SHARE: Final = 4
AT_ONCE: Final = 500_000
THREADS: Final = 4
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Bars of some symbols that start from `begin` until before `end`.

    Attributes:
        now: sessions of New York days before this moment's are closed.
    """

    names: tuple[str, ...]
    timeframe: Timeframe
    begin: datetime
    end: datetime
    now: datetime
    columns: Sequence[str] = COLUMNS

    @property
    def is_large(self) -> bool:
        """Whether there may be so many that a file is worth it."""
        return self.about(self.begin, self.end) >= WORTH

    def within(self, begin: datetime, end: datetime) -> "tuple[datetime, datetime]":
        """The part of it between two times; empty where the first is not before the second."""
        return max(begin, self.begin), min(end, self.end)

    def about(self, begin: datetime, end: datetime) -> float:
        """How many bars there would be between two times, if every symbol had all of them."""
        low, high = self.within(begin, end)
        return max((high - low) / WEEK, 0) * 5 * self.timeframe.per_session * len(self.names)


class Cache:
    """Months of bars as files in a folder, one database's beside another's.

    A file is used where it holds the bars that the snapshot of the database holds, which the notes of every change tell
    (`changes`); else it is built again. It holds closed sessions alone: what starts on the day of the newest bars, as
    long as that day may go on, is always read from the database. Whatever is wrong with a file or a folder, the answer
    comes from the database.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._refused: set[Path] = set()

    def read(self, connection: Connection, wanted: Wanted) -> list[Block]:
        """The blocks that hold the bars wanted, and others; inside a snapshot."""
        if self.folder is None or not wanted.is_large:
            return _fetched(connection, wanted, wanted.begin, wanted.end)
        book = ledger(connection)
        months = book.within(wanted.begin, wanted.end)
        if book.unwatched or sum(wanted.about(*span_of(month)) for month in months) < WORTH:
            return _fetched(connection, wanted, wanted.begin, wanted.end)
        files = self.current(connection, book, wanted.timeframe, months)
        return [block for month in months for block in self._month(connection, book, wanted, month, files.get(month))]

    def files(self) -> list[Path]:
        """Every file of every database, sorted."""
        return sorted(self.folder.glob("*/*/*.parquet")) if self.folder else []

    def clear(self) -> None:
        """Remove all of it, at any moment."""
        if self.folder:
            rmtree(self.folder, ignore_errors=True)

    def path(self, book: Ledger, timeframe: Timeframe, month: Month) -> Path:
        """Where the file of a month is."""
        assert self.folder is not None
        return self.folder / book.database / str(timeframe) / f"{month}.parquet"

    def current(
        self, connection: Connection, book: Ledger, timeframe: Timeframe, months: Sequence[Month]
    ) -> dict[Month, MonthFile]:
        """The files of those months that hold what the snapshot of the database holds."""
        files: dict[Month, MonthFile] = {}
        for month in months:
            with suppress(Broken):
                files[month] = MonthFile.open(self.path(book, timeframe, month))
        files = {month: file for month, file in files.items() if _is_of(file.title, book, timeframe, month)}
        states = book.states(connection, timeframe, {month: file.title.end for month, file in files.items()})
        return {month: file for month, file in files.items() if file.title.state == states[month]}

    def _month(
        self, connection: Connection, book: Ledger, wanted: Wanted, month: Month, file: MonthFile | None
    ) -> list[Block]:
        begin, end = span_of(month)
        if file is None or max(file.title.end, wanted.begin) < min(end, wanted.end):
            file = self._build(connection, book, wanted, month, file) or file
        if file is None:
            return _fetched(connection, wanted, begin, end)
        try:
            blocks = _read(file, wanted)
        except Broken:
            with suppress(OSError):
                file.path.unlink()
            return _fetched(connection, wanted, begin, end)
        return blocks + _fetched(connection, wanted, file.title.end, end)

    def _build(
        self, connection: Connection, book: Ledger, wanted: Wanted, month: Month, old: MonthFile | None
    ) -> MonthFile | None:
        """A new file of the month; None where it is not worth it or cannot be."""
        path, (begin, end) = self.path(book, wanted.timeframe, month), span_of(month)
        if path in self._refused or wanted.about(begin, end) < LEAST:
            return None
        names, newest = held(connection, wanted.timeframe, begin, end)
        until = min(max(_day_of(newest), _day_of(wanted.now), begin), end)
        if SHARE * len(names & set(wanted.names)) < len(names) or not _is_longer(until, begin, end, old):
            return None
        state = book.states(connection, wanted.timeframe, {month: until})[month]
        title = Title(book.database, str(wanted.timeframe), str(month), until.isoformat(), state)
        try:
            write(path, title, blocks_of(connection, sorted(names), wanted.timeframe, begin, until))
            return MonthFile.open(path)
        except (OSError, Broken):
            self._refused.add(path)
            return None


def _is_of(title: Title, book: Ledger, timeframe: Timeframe, month: Month) -> bool:
    return (title.database, title.timeframe, title.month) == (book.database, str(timeframe), str(month))


def _read(file: MonthFile, wanted: Wanted) -> list[Block]:
    low, high = wanted.within(wanted.begin, file.title.end)
    if low >= high:
        return []
    with ThreadPoolExecutor(min(THREADS, cpu_count() or 1)) as threads:
        return list(threads.map(lambda part: file.read(part, wanted.columns), file.parts(set(wanted.names))))


def _fetched(connection: Connection, wanted: Wanted, begin: datetime, end: datetime) -> list[Block]:
    low, high = wanted.within(begin, end)
    return list(blocks_of(connection, wanted.names, wanted.timeframe, low, high)) if low < high else []


def blocks_of(
    connection: Connection, names: Sequence[str], timeframe: Timeframe, begin: datetime, end: datetime
) -> Iterator[Block]:
    """The bars piece by piece, so that what PostgreSQL sends need not be held at once."""
    per_symbol = 5 * timeframe.per_session * ((end - begin) / WEEK)
    step = max(int(AT_ONCE / max(per_symbol, 1)), 1)
    for at in range(0, len(names), step):
        yield from fetch_blocks(connection, names[at : at + step], timeframe, begin, end)


def held(connection: Connection, timeframe: Timeframe, begin: datetime, end: datetime) -> tuple[set[str], datetime]:
    """The symbols with bars between two times, and when the newest bar starts."""
    wanted = {"timeframe": str(timeframe), "begin": begin, "end": end}
    rows = cast(list[tuple[str, datetime]], connection.execute(HELD, wanted).fetchall())
    return {row[0] for row in rows}, max((row[1].astimezone(UTC) for row in rows), default=begin)


def _is_longer(until: datetime, begin: datetime, end: datetime, old: MonthFile | None) -> bool:
    """Whether a file until then would spare enough: a growing month is not written again for every day."""
    if old is None:
        return until > begin
    return until > old.title.end and (until == end or (until - old.title.end) * SHARE >= old.title.end - begin)


def _day_of(moment: datetime) -> datetime:
    """The first instant of its day in New York."""
    return datetime.combine(moment.astimezone(NEW_YORK).date(), time(), NEW_YORK).astimezone(UTC)


_EVERYBODYS: Final = "timeframe = %(timeframe)s AND timestamp >= %(begin)s AND timestamp < %(end)s"
HELD: Final = f"""
WITH RECURSIVE found AS (
    (SELECT symbol FROM market_data WHERE {_EVERYBODYS} ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT (SELECT symbol FROM market_data m WHERE {_EVERYBODYS} AND m.symbol > found.symbol ORDER BY symbol LIMIT 1)
    FROM found WHERE found.symbol IS NOT NULL
)
SELECT symbol, newest FROM found CROSS JOIN LATERAL (
    SELECT max(timestamp) AS newest FROM market_data m
    WHERE {_EVERYBODYS} AND m.symbol = found.symbol AND world = '' AND revision = 0
) AS one
WHERE symbol IS NOT NULL AND newest IS NOT NULL
"""  # noqa: S608 - our own words
