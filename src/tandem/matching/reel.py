"""A timeline of bars, ready to be played minute by minute."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tandem.market import NEW_YORK, Bar, Calendar, DataError, Session, minutes_between

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

MINUTE: Final = timedelta(minutes=1)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)


class Reel:
    """1-minute bars of some symbols over every session from the first bar's to the last's.

    Attributes:
        symbols: tickers, in alphabetical order.
        sessions: oldest first; a session without bars has its minutes all the same.
        marks: the moments at which the replay's clock can stand, UTC: 6:00 in New York, every minute
            from the open to the close, and the end of any bar outside them.
    """

    def __init__(self, columns: dict[str, Any], sessions: Sequence[Session]) -> None:
        self._columns = columns
        self.symbols: tuple[str, ...] = tuple(sorted(set(columns["symbol"])))
        self.sessions = list(sessions)
        self._rows = _rows_by_end(columns["start"])
        self._opens = [session.open for session in self.sessions]
        self.marks = self._all_marks()

    @classmethod
    def from_frame(cls, bars: "pd.DataFrame", calendar: Calendar | None = None) -> "Reel":
        """The reel of a bars frame of 1-minute bars, in any order.

        Raises:
            DataError: no bars, two bars of one symbol and minute, or no session among their days.
        """
        if bars.empty:
            raise DataError("there are no bars to replay", "Load 1-minute bars for these symbols and dates first.")
        ordered = bars.assign(start=bars["start"].dt.tz_convert(None)).sort_values(["start", "symbol"])
        if ordered.duplicated(["start", "symbol"]).any():
            raise DataError("two bars of one symbol and minute", "Replay bars of one source and feed.")
        columns = _columns_of(ordered)
        sessions = (calendar or Calendar()).sessions(
            _new_york_day(columns["start"][0]), _new_york_day(columns["start"][-1])
        )
        if not sessions:
            raise DataError("no trading day among these bars", "Check the dates of the bars.")
        return cls(columns, sessions)

    def bars(self, mark: datetime) -> list[Bar]:
        """The bars that end at `mark`, by symbol."""
        first, last = self._rows.get((mark - EPOCH) // TICK, (0, 0))
        return [self._bar(row) for row in range(first, last)]

    def session(self, moment: datetime) -> Session | None:
        """The session that a bar starting at `moment` belongs to, or None outside them."""
        at = bisect_right(self._opens, moment) - 1
        return self.sessions[at] if at >= 0 and self.sessions[at].contains(moment) else None

    def _all_marks(self) -> list[datetime]:
        marks = {EPOCH + end * TICK for end in self._rows}
        for session in self.sessions:
            marks.update([session.morning, *minutes_between(session.open, session.close)])
        return sorted(marks)

    def _bar(self, row: int) -> Bar:
        column = self._columns
        return Bar(
            symbol=column["symbol"][row],
            start=EPOCH + int(column["start"][row]) * TICK,
            open=float(column["open"][row]),
            high=float(column["high"][row]),
            low=float(column["low"][row]),
            close=float(column["close"][row]),
            volume=int(column["volume"][row]),
            trade_count=_known(column.get("trade_count"), row, int),
            vwap=_known(column.get("vwap"), row, float),
        )


def _columns_of(bars: "pd.DataFrame") -> dict[str, Any]:
    columns: dict[str, Any] = {name: bars[name].to_numpy() for name in bars.columns}
    ticks = columns["start"].astype("datetime64[us]").astype("int64")
    return columns | {"start": ticks, "symbol": bars["symbol"].tolist()}


def _new_york_day(ticks: int) -> date:
    return (EPOCH + int(ticks) * TICK).astimezone(NEW_YORK).date()


def _rows_by_end(starts: Any) -> dict[int, tuple[int, int]]:
    if not len(starts):
        return {}
    import numpy as np

    ends, first = np.unique(starts + MINUTE // TICK, return_index=True)
    last = [*first[1:].tolist(), len(starts)]
    return {int(end): (int(a), int(b)) for end, a, b in zip(ends.tolist(), first.tolist(), last, strict=True)}


def _known(column: Any, row: int, kind: Callable[[Any], T]) -> T | None:
    value = None if column is None else column[row]
    return None if value is None or isnan(value) else kind(value)
