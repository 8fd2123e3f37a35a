"""What ties the replay's time to the times in the store."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tandem.market import NEW_YORK, Calendar, Session

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
DAY: Final = timedelta(days=1)
NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of stored time and where it lies in the replay's.

    Attributes:
        first, last: stored times, UTC; bars that start at `first` or later and before `last`.
        shift: what to add to a stored time.
    """

    first: datetime
    last: datetime
    shift: timedelta


@dataclass(frozen=True, slots=True, order=True)
class Moved(Session):
    """An exchange session at another time than its own.

    Attributes:
        dawn: its 6:00 in New York, moved along, UTC.
    """

    dawn: datetime = BEGINNING

    @property
    def morning(self) -> datetime:
        """See `Session.morning`."""
        return self.dawn


@dataclass(frozen=True, slots=True)
class Era:
    """A time during which the exchange's calendar lies `offset` later; dates are `days` later.

    Its first session opens at `open`; a session of the time before that would not be over by then is none.
    """

    first: date
    days: timedelta
    offset: timedelta
    open: datetime = BEGINNING


@dataclass(frozen=True, slots=True)
class Stretch:
    """Replay times from `start` to `end`, which are stored times plus `shift`."""

    start: datetime
    end: datetime
    shift: timedelta


class Timeline:
    """Where in stored time each moment of the replay lies, and when the market is open.

    Before its first act a replay's time is the store's, moved as the first act is; after its last one the
    exchange's calendar goes on, moved as the last act is.
    """

    def __init__(self, calendar: Calendar | None = None) -> None:
        self._calendar = calendar or Calendar()
        self._stretches: list[Stretch] = []
        self._eras: list[Era] = [Era(date.min, NONE, NONE)]
        self._hours: dict[date, Session] = {}

    def note(
        self, session: Session, start: datetime, end: datetime, shift: timedelta, offset: timedelta = NONE
    ) -> None:
        """An act begins: replay times from `start` to `end` are stored times plus `shift`.

        Args:
            session: the act's, in replay time.
            start, end: replay time, UTC.
            shift: from stored time to replay time.
            offset: from the exchange's calendar to the replay's.
        """
        self._place_era(session, offset)
        self._place_hours(session)
        earlier = [one for one in self._stretches if one.start < start] or [Stretch(BEGINNING, start, offset)]
        last = earlier.pop()
        if last.shift == shift and last.end >= start:
            self._stretches = [*earlier, replace(last, end=end)]
        else:
            self._stretches = [*earlier, replace(last, end=min(last.end, start)), Stretch(start, end, shift)]

    def pieces(self, first: datetime, last: datetime) -> list[Piece]:
        """The stored times that lie between two moments of the replay, `last` excluded, oldest first."""
        if not self._stretches:
            return [Piece(first, last, NONE)] if first < last else []
        found = ((max(first, s.start), min(last, s.end), s.shift) for s in self._stretches)
        return [Piece(a - shift, b - shift, shift) for a, b, shift in found if a < b]

    def session(self, day: date) -> Session | None:
        """The session of a day of the replay."""
        return self._hours.get(day) or self._on_calendar(day)

    def sessions(self, first: date, last: date) -> list[Session]:
        """Every session from `first` to `last`, days of the replay, both included."""
        return list(self._sessions(first, last))

    def session_at(self, moment: datetime) -> Session | None:
        """The session that is open at a moment of the replay, None while the market is closed."""
        day = moment.astimezone(NEW_YORK).date()
        near = self._sessions(day - 2 * DAY, day + 2 * DAY)
        return next((session for session in near if session.contains(moment)), None)

    def session_after(self, moment: datetime) -> Session:
        """The next session that opens later than a moment of the replay."""
        day = moment.astimezone(NEW_YORK).date() - 2 * DAY
        while True:
            if (session := self.session(day)) is not None and session.open > moment:
                return session
            day += DAY

    def _sessions(self, first: date, last: date) -> Iterator[Session]:
        for number in range((last - first).days + 1):
            if (session := self.session(first + number * DAY)) is not None:
                yield session

    def _on_calendar(self, day: date) -> Session | None:
        at = bisect_right(self._eras, day, key=lambda one: one.first)
        era, following = self._eras[at - 1], self._eras[at : at + 1]
        session = self._calendar.session(day - era.days)
        session = None if session is None else moved(session, era.offset, era.days)
        return None if session and any(session.close > later.open for later in following) else session

    def _place_era(self, session: Session, offset: timedelta) -> None:
        days = session.day - (session.open - offset).astimezone(NEW_YORK).date()
        earlier = [era for era in self._eras if era.first < session.day] if self._stretches else []
        if not earlier:
            self._eras = [Era(date.min, days, offset)]
        elif earlier[-1].offset != offset:
            self._eras = [*earlier, Era(session.day, days, offset, session.open)]

    def _place_hours(self, session: Session) -> None:
        self._hours = {day: hours for day, hours in self._hours.items() if day < session.day}
        if self._on_calendar(session.day) != session:
            self._hours[session.day] = session


def moved(session: Session, offset: timedelta, days: timedelta) -> Session:
    """A session `offset` later, on a date `days` later."""
    if not offset and not days:
        return session
    return Moved(session.day + days, session.open + offset, session.close + offset, session.morning + offset)
