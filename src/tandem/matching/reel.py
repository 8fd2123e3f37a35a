"""A timeline of bars ready for replay, one day at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Self

from tandem.market import NEW_YORK, Calendar, DataError, Session, Timeframe, price
from tandem.matching.columns import EPOCH, TICK, Columns, ticks
from tandem.matching.timeline import NONE, Timeline

if TYPE_CHECKING:
    import pandas as pd

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a replay stands, enough to go on from there.

    Attributes:
        loop: how often the reel has started over.
        number: of the act in its loop, from 0.
        day: the stored day that it plays.
        mark: where the clock stands, replay time, UTC.
        shift: from stored time to replay time.
        offset: from the exchange's calendar to the replay's.
    """

    loop: int
    number: int
    day: date
    mark: datetime
    shift: timedelta = NONE
    offset: timedelta = NONE


@dataclass(frozen=True, slots=True, eq=False)
class Act:
    """One day of a reel; all times are the replay's.

    Attributes:
        session: of that day.
        columns: its bars, and those of the days without trading that follow it.
        marks: the moments at which the clock can stand, UTC, oldest first: 6:00 in New York, every end of a
            bar of the session, and the end of any bar outside it.
        loop, number, day, shift, offset: see `Place`.
        revisions: later words on some of these bars, in the same order.
    """

    session: Session
    columns: Columns
    marks: tuple[datetime, ...]
    loop: int = 0
    number: int = 0
    day: date = date.min
    shift: timedelta = NONE
    offset: timedelta = NONE
    revisions: Columns | None = None

    @classmethod
    def of(cls, session: Session, columns: Columns, revisions: Columns | None = None) -> Self:
        """The act of an exchange session and its bars, in stored time."""
        return cls(session, columns, _marks(session, columns), day=session.day, revisions=revisions)

    def moved(self, shift: timedelta, session: Session, offset: timedelta = NONE) -> Self:
        """The same bars `shift` later, as the session `session`."""
        if not shift:
            return replace(self, session=session, offset=offset)
        return replace(
            self,
            session=session,
            columns=self.columns.moved(shift),
            marks=tuple(mark + shift for mark in self.marks),
            shift=self.shift + shift,
            offset=offset,
            revisions=self.revisions and self.revisions.moved(shift),
        )

    def starting_now(self) -> Self:
        """The act without what lies before its first bar: the clock's first mark is that bar's start."""
        first = self.first_bar
        later = tuple(mark for mark in self.marks if mark > first)
        return replace(self, marks=(first, *later))

    @property
    def first_bar(self) -> datetime:
        """Start of its first bar; the session's open where it has none."""
        return EPOCH + int(self.columns.start[0]) * TICK if len(self.columns) else self.session.open

    def ended(self, columns: Columns) -> list[int]:
        """How many of these bars have ended by each mark."""
        import numpy as np

        marks = np.array([ticks(mark) for mark in self.marks])
        found: list[int] = _ends(self.session, columns).searchsorted(marks, "right").tolist()
        return found

    def place(self, mark: datetime) -> Place:
        """The place of a mark in it."""
        return Place(self.loop, self.number, self.day, mark, self.shift, self.offset)


class Reel:
    """Bars of some symbols, played a day at a time; memory holds a day or two.

    Attributes:
        symbols: tickers, in alphabetical order.
        timeframe: length of every bar.
        proxies: symbol without bars of its own to the symbol whose bars it plays.
        sources: symbol to the source, feed and adjustment of the bars it plays, where known.
        timeline: what ties the replay's time to the store's; an act is noted there when it is handed out.

    Args:
        play: the acts from the beginning, or from a place on, that place's act included.
        closes: the last closes before the act of a place, dollars per share.
        end: the last mark of the loop that an act belongs to.
        turns: the stored days that the loop of an act plays, each with the first instant of its day in replay time,
            oldest first.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        timeline: Timeline,
        play: Callable[[Place | None], Iterator[Act]],
        *,
        timeframe: Timeframe = Timeframe.MIN_1,
        proxies: Mapping[str, str] | None = None,
        sources: Mapping[str, str] | None = None,
        closes: Callable[[Place], Mapping[str, Decimal]] = lambda _: {},
        end: Callable[[Act], datetime],
        turns: Callable[[Act], Iterator[tuple[date, datetime]]],
    ) -> None:
        self.symbols = tuple(sorted(symbols))
        self.timeframe = timeframe
        self.proxies = dict(proxies or {})
        self.sources = dict(sources or {})
        self.timeline = timeline
        self._play = play
        self._closes = closes
        self._end = end
        self._turns = turns

    def acts(self, place: Place | None = None) -> Iterator[Act]:
        """The acts from the beginning, or from the act of a place on."""
        return self._play(place)

    def closes(self, place: Place) -> Mapping[str, Decimal]:
        """The last closes before the act of a place."""
        return self._closes(place)

    def end(self, act: Act) -> datetime:
        """The last mark of the loop that an act belongs to; it may read the store."""
        return self._end(act)

    def days(self, act: Act) -> Iterator[tuple[date, datetime]]:
        """The stored days that the loop of an act plays, each with the first instant of its day in replay time."""
        return self._turns(act)

    @classmethod
    def from_frame(
        cls, bars: "pd.DataFrame", calendar: Calendar | None = None, timeframe: Timeframe = Timeframe.MIN_1
    ) -> "Reel":
        """One pass over the bars of a frame, in any order, at their own times.

        A session without bars between the first and the last has its minutes all the same.

        Raises:
            DataError: no bars, two bars of one symbol and minute, or no session among their days.
        """
        if bars.empty:
            raise DataError("there are no bars to replay", "Load 1-minute bars for these symbols and dates first.")
        exchange = calendar or Calendar()
        columns = Columns.of_frame(bars, bars["symbol"].unique().tolist(), timeframe)
        sessions = exchange.sessions(_new_york_day(columns.start[0]), _new_york_day(columns.start[-1]))
        if not sessions:
            raise DataError("no trading day among these bars", "Check the dates of the bars.")
        whole = _Whole(columns, sessions, Timeline(exchange))
        return cls(
            columns.symbols,
            whole.timeline,
            whole.acts,
            timeframe=timeframe,
            closes=whole.closes,
            end=whole.end,
            turns=whole.turns,
        )


@dataclass(frozen=True, slots=True)
class _Whole:
    columns: Columns
    sessions: list[Session]
    timeline: Timeline

    def acts(self, place: Place | None) -> Iterator[Act]:
        for number in range(place.number if place else 0, len(self.sessions)):
            act = self._act(number)
            start = min(act.marks[0], midnight(act.session.day))
            self.timeline.note(act.session, start, self._bounds(number)[1], NONE)
            yield act

    def end(self, _: Act) -> datetime:
        return self._act(len(self.sessions) - 1).marks[-1]

    def turns(self, _: Act) -> Iterator[tuple[date, datetime]]:
        return ((session.day, midnight(session.day)) for session in self.sessions)

    def closes(self, place: Place) -> dict[str, Decimal]:
        return last_closes(self.columns.between(EPOCH, self._bounds(place.number)[0]))

    def _act(self, number: int) -> Act:
        bars = self.columns.between(*self._bounds(number))
        return replace(Act.of(self.sessions[number], bars), number=number)

    def _bounds(self, number: int) -> tuple[datetime, datetime]:
        first = midnight(self.sessions[number].day) if number else EPOCH
        following = self.sessions[number + 1].day if number + 1 < len(self.sessions) else date.max - DAY
        return first, midnight(following)


def midnight(day: date) -> datetime:
    """The first instant of a day in New York, UTC."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def last_closes(columns: Columns) -> dict[str, Decimal]:
    """Symbol to the close of its last bar among these."""
    import numpy as np

    code, last = np.unique(columns.code[::-1], return_index=True)
    closes = columns.close[::-1][last].tolist()
    return {columns.symbols[at]: price(close) for at, close in zip(code.tolist(), closes, strict=True)}


def _marks(session: Session, columns: Columns) -> tuple[datetime, ...]:
    import numpy as np

    marks = {session.morning, session.open, session.close, *session.bar_ends(columns.timeframe)}
    marks.update(EPOCH + int(end) * TICK for end in np.unique(_ends(session, columns)))
    if len(columns) and _ends(session, columns)[0] <= ticks(session.morning):
        marks.add(EPOCH + int(columns.start[0]) * TICK)
    return tuple(sorted(marks))


def _ends(session: Session, columns: Columns) -> Any:
    import numpy as np

    ends, close = columns.start + columns.timeframe.length // TICK, ticks(session.close)
    return np.where((columns.start < close) & (ends > close), close, ends)


def _new_york_day(start: int) -> date:
    return (EPOCH + int(start) * TICK).astimezone(NEW_YORK).date()
