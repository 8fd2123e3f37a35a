"""Stored bars, of which those of the day that is played are at hand."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from tandem.market import NEW_YORK, Timeframe
from tandem.matching import Act, Columns, Replay
from tandem.store import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
DAY: Final = timedelta(days=1)
PRICES: Final = ("open", "high", "low", "close")
UNKNOWN: Final = -1


class Bars(Protocol):
    """Where stored bars are; a `Shelf` is one."""

    def strip(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> Strip:
        """The bars that start at `first` or later and have ended by `last`, by symbol and then by start."""
        ...


class Today:
    """The bars of a shelf; a day that a replay holds in memory is not read again.

    Args:
        shelf: where the others are.
        replay: whose day it is.
    """

    def __init__(self, shelf: Bars, replay: Replay) -> None:
        self._shelf = shelf
        self._replay = replay

    def strip(self, symbols: Sequence[str], timeframe: Timeframe, first: datetime, last: datetime) -> Strip:
        """See `Bars.strip`; times are stored ones."""
        act, reel = self._replay.act, self._replay.reel
        own = set(act.columns.symbols) - reel.proxies.keys()
        is_today = _midnight(act.day) <= first and last <= _midnight(act.day + DAY)
        if is_today and timeframe is reel.timeframe and own.issuperset(symbols):
            return _strip(act, sorted(set(symbols)), first, last)
        return self._shelf.strip(symbols, timeframe, first, last)


def _strip(act: Act, symbols: Sequence[str], first: datetime, last: datetime) -> Strip:
    import numpy as np

    columns = act.columns
    begin, end = _tick(first + act.shift), _tick(last + act.shift - columns.timeframe.length)
    between = slice(columns.start.searchsorted(begin), columns.start.searchsorted(end, side="right"))
    place = np.full(len(columns.symbols), UNKNOWN, dtype=np.int32)
    place[[columns.symbols.index(symbol) for symbol in symbols]] = range(len(symbols))
    code = place[columns.code[between]]
    rows = np.flatnonzero(code != UNKNOWN)
    rows = rows[np.argsort(code[rows], kind="stable")]
    return _of(columns, tuple(symbols), code[rows], rows + between.start, act.shift // TICK)


def _of(columns: Columns, symbols: tuple[str, ...], code: "NDArray[Any]", rows: "NDArray[Any]", shift: int) -> Strip:
    import numpy as np

    count = columns.trade_count[rows].astype(np.float64)
    count[count == UNKNOWN] = np.nan
    return Strip(
        symbols,
        code,
        columns.start[rows] - shift,
        {name: getattr(columns, name)[rows] for name in PRICES},
        columns.volume[rows],
        {"trade_count": count, "vwap": columns.vwap[rows]},
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), NEW_YORK)


def _tick(moment: datetime) -> int:
    return (moment - EPOCH) // TICK
