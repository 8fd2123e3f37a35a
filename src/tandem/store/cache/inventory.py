"""What lies in the cache, and whether it is what PostgreSQL has."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from tandem.market import Timeframe
from tandem.store.bars.block import COLUMNS, Block, Stretch
from tandem.store.cache.cache import Cache, blocks_of, held
from tandem.store.cache.changes import Ledger, ledger, span_of
from tandem.store.cache.month_file import Broken, MonthFile
from tandem.store.connections import Connection

Places = Mapping[str, Stretch]


@dataclass(frozen=True, slots=True)
class Cached:
    """One file of the cache.

    Attributes:
        bars: how many it says it holds.
        bytes: its size.
        state: `current` where it is used as it is, `stale` where bars changed since, `broken`, or `foreign` where
            it is another database's; `differs` where it should be current and is not what PostgreSQL has.
    """

    path: Path
    timeframe: str
    month: str
    bars: int
    bytes: int
    state: str


def inventory(connection: Connection, cache: Cache) -> list[Cached]:
    """Every file, with its state as the notes of changes tell it; inside a snapshot."""
    book = ledger(connection)
    return [_cached(connection, cache, book, path) for path in cache.files()]


def compared(connection: Connection, cache: Cache, one: Cached) -> Cached:
    """The same, after each of its bars was compared with PostgreSQL's, where it should be current; in a snapshot."""
    now = _cached(connection, cache, ledger(connection), one.path)
    if now.state != "current":
        return now
    try:
        return now if _agrees(connection, MonthFile.open(one.path)) else replace(now, state="differs")
    except Broken:
        return replace(now, state="broken")


def _cached(connection: Connection, cache: Cache, book: Ledger, path: Path) -> Cached:
    size = 0
    with suppress(OSError):
        size = path.stat().st_size
    bars, state = 0, "broken"
    with suppress(Broken):
        file = MonthFile.open(path)
        bars, state = file.title.bars, _state(connection, cache, book, file)
    return Cached(path, path.parts[-2], path.stem, bars, size, state)


def _state(connection: Connection, cache: Cache, book: Ledger, file: MonthFile) -> str:
    if file.title.database != book.database:
        return "foreign"
    with suppress(ValueError):
        timeframe, month = Timeframe(file.title.timeframe), np.datetime64(file.title.month, "M")
        if month in book.partitions and cache.path(book, timeframe, month) == file.path and not book.unwatched:
            return "current" if cache.current(connection, book, timeframe, [month]) else "stale"
    return "stale"


def _agrees(connection: Connection, file: MonthFile) -> bool:
    """Part by part, so that a month need not be held at once."""
    timeframe, begin, end = Timeframe(file.title.timeframe), _begin(file), file.title.end
    names, bars = sorted(held(connection, timeframe, begin, end)[0]), 0
    for stored in blocks_of(connection, names, timeframe, begin, end):
        found = [file.read(part, COLUMNS) for part in file.parts(set(stored.counts))]
        if not _same(_places(file, [stored], stored), _places(file, found, stored)):
            return False
        bars += len(stored)
    return bars == file.title.bars


def _places(file: MonthFile, blocks: list[Block], like: Block) -> Places:
    """The bars of the symbols and the series of one of the blocks."""
    return {
        one.symbol: one
        for block in blocks
        if block.series == like.series
        for one in block.stretches(set(like.counts), _begin(file), file.title.end)
    }


def _same(one: Places, other: Places) -> bool:
    return one.keys() == other.keys() and all(
        one[symbol][name].tobytes() == other[symbol][name].tobytes() for symbol in one for name in COLUMNS
    )


def _begin(file: MonthFile) -> datetime:
    return span_of(np.datetime64(file.title.month, "M"))[0]
