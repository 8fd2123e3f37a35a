"""The exchange's trading days: holidays, half days, New York time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from tandem.market.clock import minutes_between
from tandem.market.errors import DataError
from tandem.market.timeframe import NEW_YORK, Timeframe

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2100
MORNING: Final = time(6, 0)
DECISION_EVERY: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, order=True)
class Session:
    """One trading day of the exchange.

    Attributes:
        day: the date in New York.
        open, close: UTC; a half day closes early.
    """

    day: date
    open: datetime
    close: datetime

    @property
    def morning(self) -> datetime:
        """6:00 in New York, UTC: pairs are identified then, on what is known then."""
        return datetime.combine(self.day, MORNING, NEW_YORK).astimezone(UTC)

    @property
    def minutes(self) -> list[datetime]:
        """Minute marks at which a bar of this session may be known: a minute after the open to the close."""
        return minutes_between(self.open + timedelta(minutes=1), self.close)

    @property
    def decisions(self) -> list[datetime]:
        """Every five minutes of market time at which an order can still be filled today."""
        marks = minutes_between(self.open, self.close)[5::5]
        return [mark for mark in marks if mark < self.close]

    def bar_ends(self, timeframe: Timeframe) -> list[datetime]:
        """When each bar of `timeframe` is complete: the first minute mark of the next one, and the close."""
        start, ends = timeframe.start_of(self.open), []
        while start < self.close:
            start += timeframe.length
            ends.append(min(start, self.close))
        return ends

    def contains(self, moment: datetime) -> bool:
        """Whether a bar that starts at `moment` belongs to this session."""
        return self.open <= moment < self.close


class Calendar:
    """Sessions of the New York Stock Exchange."""

    def session(self, day: date) -> Session | None:
        """The session of `day`, or None on a day without trading."""
        return _session(day)

    def sessions(self, first: date, last: date) -> list[Session]:
        """Every session from `first` to `last`, both included."""
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [session for day in days if (session := self.session(day)) is not None]

    def before(self, day: date, count: int) -> list[Session]:
        """The `count` sessions that end before `day`, oldest first."""
        found: list[Session] = []
        while len(found) < count:
            day -= timedelta(days=1)
            if (session := self.session(day)) is not None:
                found.append(session)
        return found[::-1]

    def after(self, day: date) -> Session:
        """The next session after `day`."""
        while (session := self.session(day := day + timedelta(days=1))) is None:
            pass
        return session

    def bars_between(self, timeframe: Timeframe, after: datetime, until: datetime) -> int:
        """How many bars of `timeframe` were completed in sessions later than `after` and up to `until`."""
        sessions = self.sessions(after.astimezone(NEW_YORK).date(), until.astimezone(NEW_YORK).date())
        return sum(len([end for end in session.bar_ends(timeframe) if after < end <= until]) for session in sessions)


@cache
def _session(day: date) -> Session | None:
    label = day.isoformat()
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise DataError(f"no exchange calendar for the year {day.year}", "Check the dates and their unit.")
    exchange = _exchange()
    if not exchange.is_session(label):
        return None
    return Session(
        day,
        exchange.session_open(label).to_pydatetime().astimezone(UTC),
        exchange.session_close(label).to_pydatetime().astimezone(UTC),
    )


@cache
def _exchange() -> "ExchangeCalendar":
    import exchange_calendars

    # A hundred years take no longer than one.
    return exchange_calendars.get_calendar("XNYS", start=f"{FIRST_YEAR - 1}-12-01", end=f"{LAST_YEAR + 1}-01-31")
