"""A programme as it is played."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final

from tandem.market import NEW_YORK, Calendar, Session
from tandem.matching import Act, Place, Timeline, moved
from tandem.recycler.reel.running_order import Drawn

if TYPE_CHECKING:
    from tandem.recycler.reel.programme import Programme

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
NONE: Final = timedelta(0)
ANCIENT: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One session to be played: stored bars that start at `first` or later and before `last`."""

    loop: int
    number: int
    session: Session
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """A turn with its bars, in stored time; None where it is passed over."""

    turn: Turn
    act: Act | None


class Playing:
    """One way through a programme: what has become of time so far.

    Args:
        programme: the days.
        timeline: where each act is noted when it is handed out.
        place: where to begin; None for the beginning.
    """

    def __init__(self, programme: "Programme", timeline: Timeline, place: Place | None) -> None:
        self._programme = programme
        self._timeline = timeline
        self._place = place
        self._offset = place.offset if place else NONE
        self._days = NONE
        self._dark: date | None = None
        self._last: Act | None = None
        self._target: date | None = None

    def acts(self) -> Iterator[Act]:
        """The acts in replay time."""
        with ThreadPoolExecutor(1, thread_name_prefix="reel") as reader:
            turns = self._programme.turns(self._place)
            ahead: list[Future[Found]] = [reader.submit(self._find, turn) for turn in islice(turns, 1)]
            while ahead:
                found = ahead.pop().result()
                ahead = [reader.submit(self._find, turn) for turn in islice(turns, 1)]
                if found.act is not None:
                    yield self._staged(found.turn, found.act)

    def _find(self, turn: Turn) -> Found:
        if self._dark is not None and turn.session.day < self._dark:
            return Found(turn, None)
        self._dark = None
        columns, revisions = self._programme.columns(turn)
        if not len(columns):
            self._dark = self._programme.silence(turn)
        return Found(turn, None if self._dark else Act.of(turn.session, columns, revisions))

    def _staged(self, turn: Turn, act: Act) -> Act:
        target = self._target_of(turn)
        laid = target.open - turn.session.open
        if self._begins_a_loop(turn):
            act = self._begun(act, target, laid)
        elif self._last is None:
            self._days = (target.open + self._offset).astimezone(NEW_YORK).date() - target.day
        session = moved(replace(target, close=turn.session.close + laid), self._offset, self._days)
        staged = replace(act.moved(laid + self._offset, session, self._offset), loop=turn.loop, number=turn.number)
        self._note(staged, turn)
        self._last, self._target = staged, target.day
        return staged

    def _begins_a_loop(self, turn: Turn) -> bool:
        if self._last is None:
            return self._place is None or turn.number == 0
        return turn.loop != self._last.loop

    def _target_of(self, turn: Turn) -> Session:
        """The session of the exchange's calendar that is played over."""
        if not self._programme.order.laid:
            return turn.session
        if self._target is not None:
            return Calendar().after(self._target)
        if self._place is None:
            return self._earliest(turn)
        opened = turn.session.open + self._place.shift - self._place.offset
        return Calendar().session(opened.astimezone(NEW_YORK).date()) or turn.session

    def _earliest(self, turn: Turn) -> Session:
        order = self._programme.order
        return min(order.pool) if isinstance(order, Drawn) else turn.session

    def _begun(self, act: Act, target: Session, laid: timedelta) -> Act:
        """A loop begins; where timestamps are current its first bar is now."""
        clock = self._programme.clock
        if clock is None:
            return act
        if self._place is None or self._last is not None:
            self._offset = self._start_of_loop(clock.now(), act.first_bar + laid) - (act.first_bar + laid)
        self._days = (target.open + self._offset).astimezone(NEW_YORK).date() - target.day
        return act.starting_now()

    def _start_of_loop(self, now: datetime, first_bar: datetime) -> datetime:
        """Now, but on a later day than the last session's: no two sessions share a date."""
        now = now.replace(second=0, microsecond=0)
        if self._last is None:
            return now
        start = max(now, self._last.marks[-1] + MINUTE)
        if start.astimezone(NEW_YORK).date() > self._last.session.day:
            return start
        tomorrow, at = self._last.session.day + DAY, first_bar.astimezone(NEW_YORK).time()
        return max(start, datetime.combine(tomorrow, at, NEW_YORK).astimezone(UTC))

    def _note(self, act: Act, turn: Turn) -> None:
        start = max(turn.first + act.shift, self._floor())
        self._timeline.note(act.session, start, turn.last + act.shift, act.shift, act.offset)

    def _floor(self) -> datetime:
        if self._last is None or self._programme.clock is None:
            return ANCIENT
        return self._last.marks[-1]
