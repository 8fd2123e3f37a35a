"""The session so far, as the `dailyBars` channel tells it."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from tandem.market import NEW_YORK, Session, Timeframe
from tandem.matching import Columns, MinuteBars

if TYPE_CHECKING:
    from numpy.typing import NDArray

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
UNKNOWN: Final = -1


class DailyBars:
    """Adds up the bars of one session after the other.

    It may be asked at any minute: what it has not seen of a session it reads from the columns.

    Args:
        session_at: the session that a bar starting at a moment belongs to, None outside them.
    """

    def __init__(self, session_at: Callable[[datetime], Session | None]) -> None:
        self._session_at = session_at
        self._sum: _Sum | None = None

    def after(self, bars: MinuteBars) -> MinuteBars | None:
        """The session so far of every symbol with a bar in this minute; None outside sessions."""
        if not len(bars):
            return None
        session = self._session_at(EPOCH + int(bars.columns.start[bars.first]) * TICK)
        if session is None:
            return None
        if self._sum is None or not self._sum.goes_on(bars, session):
            self._sum = _Sum(bars.columns, session)
        return self._sum.through(bars)


class _Sum:
    def __init__(self, columns: Columns, session: Session) -> None:
        import numpy as np

        n = len(columns.symbols)
        self.session = session
        self._columns = columns
        self._next = int(columns.start.searchsorted((session.open - EPOCH) // TICK))
        self._open, self._close = np.full(n, np.nan), np.full(n, np.nan)
        self._high, self._low = np.full(n, -np.inf), np.full(n, np.inf)
        self._volume, self._count, self._dollars = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n)
        self._uncounted = np.zeros(n, bool)

    def goes_on(self, bars: MinuteBars, session: Session) -> bool:
        return bars.columns is self._columns and session == self.session and bars.first >= self._next

    def through(self, bars: MinuteBars) -> MinuteBars:
        if bars.last > self._next:
            self._add(slice(self._next, bars.last))
            self._next = bars.last
        return self._told(bars.columns.code[bars.first : bars.last])

    def _add(self, rows: slice) -> None:
        import numpy as np

        new, code = self._columns, self._columns.code[rows]
        opened = np.isnan(self._open)
        first = np.full(len(opened), np.nan)
        first[code[::-1]] = new.open[rows][::-1]  # of several the earliest is written last
        self._open = np.where(opened, first, self._open)
        self._close[code] = new.close[rows]
        np.maximum.at(self._high, code, new.high[rows])
        np.minimum.at(self._low, code, new.low[rows])
        np.add.at(self._volume, code, new.volume[rows])
        np.add.at(self._dollars, code, new.vwap[rows] * new.volume[rows])
        np.add.at(self._count, code, new.trade_count[rows])
        self._uncounted[code[new.trade_count[rows] == UNKNOWN]] = True

    def _told(self, code: "NDArray[Any]") -> MinuteBars:
        import numpy as np

        midnight = datetime.combine(self.session.day, time(), NEW_YORK)
        volume = self._volume[code]
        with np.errstate(divide="ignore", invalid="ignore"):
            vwap = (self._dollars[code] / volume).round(6)
        columns = Columns(
            symbols=self._columns.symbols,
            code=code,
            start=np.full(len(code), (midnight - EPOCH) // TICK, np.int64),
            open=self._open[code],
            high=self._high[code],
            low=self._low[code],
            close=self._close[code],
            volume=volume,
            trade_count=np.where(self._uncounted, UNKNOWN, self._count)[code],
            vwap=vwap,
            timeframe=Timeframe.DAY_1,
        )
        return MinuteBars(columns, 0, len(code))
