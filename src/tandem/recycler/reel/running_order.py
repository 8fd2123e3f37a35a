"""Which sessions one loop of a recycler plays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final, Protocol

from tandem.market import NEW_YORK, Calendar, RecyclerError, Session
from tandem.recycler.options import Options
from tandem.recycler.reel.shelf import Shelf, range_of
from tandem.store import Track

DAY: Final = timedelta(days=1)


class RunningOrder(Protocol):
    """Which sessions one loop plays."""

    @property
    def laid(self) -> bool:
        """Whether they are laid on successive sessions instead of keeping their dates."""
        ...

    def sessions(self, loop: int) -> Iterator[Session]:
        """The sessions of a loop, as they are played."""
        ...


@dataclass(frozen=True, slots=True)
class Consecutive:
    """Every session from a day to another, both included, at their own dates."""

    first: date
    last: date
    laid: bool = False

    def sessions(self, _: int) -> Iterator[Session]:
        """See `RunningOrder.sessions`."""
        calendar, days = Calendar(), (self.last - self.first).days
        found = (calendar.session(self.first + DAY * number) for number in range(days + 1))
        return (session for session in found if session is not None)


@dataclass(frozen=True, slots=True)
class Listed:
    """Sessions in the order of a list."""

    listed: tuple[Session, ...]
    laid: bool = True

    def sessions(self, _: int) -> Iterator[Session]:
        """See `RunningOrder.sessions`."""
        return iter(self.listed)


@dataclass(frozen=True, slots=True)
class Drawn:
    """As many sessions as there are, drawn with replacement: another draw each loop, the same for the same seed."""

    pool: tuple[Session, ...]
    seed: int
    laid: bool = True

    def sessions(self, loop: int) -> Iterator[Session]:
        """See `RunningOrder.sessions`."""
        chance = Random(f"{self.seed}/{loop}")  # noqa: S311 - not a secret
        return iter(chance.choices(self.pool, k=len(self.pool)))


def running_order(options: Options, shelf: Shelf, tracks: Sequence[Track]) -> RunningOrder:
    """The order that the options ask for.

    Raises:
        RecyclerError: a date to splice without bars or trading, or no trading at all.
    """
    if options.mode == "splice":
        return Listed(_with_bars(options, shelf, tracks))
    begin = shelf.source.following(tracks, options.timeframe, range_of(options)[0])
    first = (begin or tracks[0].first).astimezone(NEW_YORK).date()
    last = max(track.last for track in tracks).astimezone(NEW_YORK).date()
    every = Consecutive(first, last)
    sessions = tuple(every.sessions(0)) if options.mode == "shuffle_days" else ()
    if options.mode == "shuffle_days":
        days = set(shelf.source.days(tracks, options.timeframe, [session.day for session in sessions]))
        sessions = tuple(session for session in sessions if session.day in days)
    if not sessions and next(every.sessions(0), None) is None:
        raise RecyclerError(f"there was no trading from {first} to {last}", "Check the dates of the bars.")
    return Drawn(sessions, options.shuffle_seed) if options.mode == "shuffle_days" else every


def _with_bars(options: Options, shelf: Shelf, tracks: Sequence[Track]) -> tuple[Session, ...]:
    sessions = [(day, Calendar().session(day)) for day in options.splice]
    known = shelf.source.days(tracks, options.timeframe, sorted(set(options.splice)))
    bad = [f"{day} ({'no bars' if session else 'no trading'})" for day, session in sessions if day not in known]
    if bad:
        raise RecyclerError(
            f"these days cannot be spliced: {', '.join(bad)}", "`tandem data list` shows what is there."
        )
    return tuple(session for _, session in sessions if session is not None)


def successive(day: date, first: int, count: int) -> list[Session]:
    """Some sessions in succession on the exchange's calendar, the first of them `first` after that of a day."""
    margin = timedelta(days=2 * max(abs(first), first + count, 0) + 20)
    sessions = Calendar().sessions(day - margin, day + margin)
    at = next(at for at, session in enumerate(sessions) if session.day >= day) + first
    return sessions[at : at + count]
