"""A reel played against one account: the one place where time moves a minute."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Final

from tandem.market import DataError, Order, OrderEvent, OrderUpdate, Session
from tandem.matching.columns import MinuteBars
from tandem.matching.engine import Engine
from tandem.matching.prices import Prices
from tandem.matching.reel import Act, Place, Reel
from tandem.matching.rejection import unprocessable
from tandem.matching.request import Changes, Request
from tandem.matching.timeline import Timeline

START: Final = 0


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened when the clock reached a mark.

    Attributes:
        mark: where the clock stands now, UTC.
        bars: every bar that ended at the mark, by symbol.
        updates: what the account's orders did with them.
        revised: later words on bars of the mark before, None where there are none.
    """

    mark: datetime
    bars: MinuteBars
    updates: list[OrderUpdate]
    revised: MinuteBars | None = None


@dataclass(frozen=True, slots=True)
class Barrier:
    """How much has been sent when the clock stands at a mark: what a reader must have received.

    Attributes:
        time: the mark, UTC.
        last_bars: symbol to the start of its newest bar.
        bars: bars so far.
        order_events: order events so far.
        ended: whether the reel has no further mark.
        halted: symbols in which trading is halted, in alphabetical order.
    """

    time: datetime
    last_bars: dict[str, datetime]
    bars: int
    order_events: int
    ended: bool
    halted: tuple[str, ...] = ()


class Replay:
    """The clock of a reel, with the account that trades on it.

    At each mark the engine gets the minute's bars first, then they are published; orders that arrive
    while the clock stands at T are accepted at T.

    Attributes:
        reel: what is played.
        engine: the account; another one, of the world's next loop, once a reel at its own times starts over.
        timeline: what ties the clock's time to the store's.

    Args:
        place: where to go on; None for the beginning.
        anew: the account of a loop that starts over at earlier times; None where there is no such loop.

    Raises:
        DataError: the reel has no act.
    """

    def __init__(
        self,
        reel: Reel,
        engine: Engine,
        place: Place | None = None,
        anew: Callable[[int], Engine] | None = None,
    ) -> None:
        self.reel = reel
        self.engine = engine
        self.timeline: Timeline = reel.timeline
        self._anew = anew
        self._bars = 0
        self._events = 0
        self._events_before = 0
        self._barrier: Barrier | None = None
        self._acts = reel.acts(place)
        self._next: deque[_Stage] = deque()
        self._over = False
        self._fetching = Lock()
        self.prepare(1)
        if not self._next:
            raise DataError("the reel has no day to play", "Check its dates.")
        self._stage = self._next.popleft()
        self._at = START
        self._late: MinuteBars | None = None
        self._opened = False
        if place is None:
            self._enter()
        else:
            self._resume(place)
        self._first = self.place

    @property
    def time(self) -> datetime:
        """Where the clock stands, UTC."""
        return self._stage.marks[self._at]

    @property
    def began(self) -> datetime:
        """Where the clock stood when this replay, or the loop that started over, began, UTC."""
        return self._first.mark

    @property
    def session(self) -> Session | None:
        """The session that is open where the clock stands."""
        session = self._stage.act.session
        return session if session.contains(self.time) else None

    @property
    def act(self) -> Act:
        """The day that is played."""
        return self._stage.act

    @property
    def place(self) -> Place:
        """Where the clock stands, for a replay that goes on from there."""
        return self._stage.act.place(self.time)

    @property
    def order_events(self) -> int:
        """Order events so far, those since the clock got here included."""
        return self._events

    @property
    def barrier(self) -> Barrier:
        """How much had been published when the clock got where it stands."""
        if self._barrier is None:
            last_bars = self._prices.last_bars()
            self._barrier = Barrier(self.time, last_bars, self._bars, self._events_before, self.next_mark is None)
        return self._barrier

    @property
    def next_mark(self) -> datetime | None:
        """Where the clock goes next, None at the end of the reel; earlier than now where a reel starts over."""
        if self._at + 1 < len(self._stage.marks):
            return self._stage.marks[self._at + 1]
        self.prepare()
        return self._next[0].marks[START] if self._next else None

    @property
    def prepared(self) -> bool:
        """Whether the next step needs nothing that is not in memory."""
        return self._at + 1 < len(self._stage.marks) or bool(self._next) or self._over

    def prepare(self, count: int = 1) -> None:
        """Fetch what the next step needs; it may wait for the store, and may run beside the readers of this replay."""
        if self._at_end() or count > 1:
            with self._fetching:
                while len(self._next) < count and not self._over:
                    act = next(self._acts, None)
                    self._over = act is None
                    if act is not None:
                        self._next.append(_Stage(act))

    @property
    def last_mark(self) -> datetime:
        """Where the clock goes last before the reel ends or starts over; it may wait for the store."""
        return self.reel.end(self.act)

    def moment_of(self, day: date) -> datetime:
        """When this loop plays a stored day next; when it did, where it does no more.

        Raises:
            DataError: it does not play it.
        """
        found = [begin for stored, begin in self.reel.days(self.act) if stored == day]
        if not found:
            raise DataError(f"{day} is not played in this loop", "Seek one of the days with bars.")
        return max(next((begin for begin in found if begin > self.time), found[-1]), self.began)

    def step(self) -> Minute:
        """Move the clock to the next mark.

        Raises:
            IndexError: the reel has ended.
        """
        if self.next_mark is None:
            raise IndexError("the reel has ended")
        entered = self._advance()
        bars = self._traded(self._stage.bars(self._at))
        updates = self._trade(bars)
        late = self._stage.revised(self._at)
        revised, self._late = self._late, None if late is None else self._traded(late)
        self._bars += len(bars)
        self._count(entered + updates)
        self._events_before, self._barrier = self._events, None
        return Minute(self.time, bars, entered + updates, revised)

    def seek(self, moment: datetime) -> list[OrderUpdate]:
        """Put the clock at the first mark at or after `moment`, in one go; see `wind`."""
        return [update for minute in self.wind(moment, self.last_mark) for update in minute.updates]

    def wind(self, moment: datetime, last: datetime) -> Iterator[Minute]:
        """Put the clock at the first mark at or after `moment` of the loop that is played.

        The bars in between are not published and fill nothing. Sessions that close in between end their day orders,
        and orders for an auction or a bar that went by are canceled. Backwards is allowed while the account has never
        had an order; a reel that has started over goes back to the beginning of that loop.

        Args:
            last: the loop's last mark.

        Returns:
            Where the clock stopped: at each close on the way, at the end of each day, and where it was sent; with what
            that did to orders, and no bars.

        Raises:
            Rejected: backwards, after orders; nothing has moved.
            DataError: before the beginning of the loop, or after its end; nothing has moved.
        """
        if moment > last:
            raise DataError(f"the reel ends at {last:%Y-%m-%d %H:%M} UTC", "Seek that moment or an earlier one.")
        if moment < self.time:
            self._rewind(moment)
            yield self._stop([])
        while self._stage.marks[-1] < moment:
            yield from self._skim(len(self._stage.marks) - 1)
            self._stay()
            yield self._stop(self._advance())
        yield from self._skim(bisect_left(self._stage.marks, moment))

    def submit(self, order: Request | Order) -> list[OrderUpdate]:
        """Hand an order to the broker at the clock's time.

        Raises:
            Rejected: a BrokerError with Alpaca's text.
        """
        request = Request.market(order) if isinstance(order, Order) else order
        if request.symbol not in self.reel.symbols:
            raise unprocessable(f'asset "{request.symbol}" not found')
        session = self.session
        upcoming = None if session else self.timeline.session_after(self.time)
        return self._count(self.engine.submit(request, self.time, session, upcoming))

    def replace(self, client_order_id: str, changes: Changes) -> list[OrderUpdate]:
        """Change an open order at the clock's time.

        Raises:
            Rejected: an unknown order, or one that cannot be changed so.
        """
        return self._count(self.engine.replace(client_order_id, changes, self.time))

    def cancel(self, client_order_id: str) -> list[OrderUpdate]:
        """Take an open order back at the clock's time.

        Raises:
            Rejected: an unknown order, or one to which nothing more can happen.
        """
        return self._count(self.engine.cancel(client_order_id, self.time))

    @property
    def _prices(self) -> Prices:
        return self.engine.prices

    def _stay(self) -> None:
        if self.next_mark is None or self._next[0].act.loop != self.act.loop:
            raise DataError(f"the reel ends at {self.time:%Y-%m-%d %H:%M} UTC")

    def _skim(self, at: int) -> Iterator[Minute]:
        closing = bisect_left(self._stage.marks, self._stage.act.session.close)
        for stop in (closing, at) if self._at < closing < at else (at,):
            yield self._stop(self._skip(stop))

    def _at_end(self) -> bool:
        return not hasattr(self, "_stage") or self._at + 1 == len(self._stage.marks)

    def _advance(self) -> list[OrderUpdate]:
        if self._at + 1 < len(self._stage.marks):
            self._at += 1
            return []
        before, loop = self.time, self.act.loop
        self._stage, self._at = self._next.popleft(), START
        if self.time <= before and self._anew is not None:
            self.engine = self._anew(self._stage.act.loop)
        if self.act.loop != loop:
            self._first = self.place
        return self._enter()

    def _enter(self) -> list[OrderUpdate]:
        """A day begins; where the clock begins within its session that opens at once."""
        self._opened = False
        updates = self.engine.on_day(self._stage.act.session.day)
        return updates + self._open()

    def _open(self) -> list[OrderUpdate]:
        session = self._stage.act.session
        if self._opened or not session.contains(self.time):
            return []
        self._opened = True
        return self.engine.on_open(session)

    def _traded(self, bars: MinuteBars) -> MinuteBars:
        """Of a halted symbol nothing is played: nobody traded it."""
        return bars.without(self.engine.halted) if self.engine.halted else bars

    def _trade(self, bars: MinuteBars) -> list[OrderUpdate]:
        session = self._stage.act.session
        during = session if session.open < self.time <= session.close else None
        updates = self.engine.on_bars(bars, during, self.time)
        self._prices.update(bars)
        return updates + self._open() + self._close(self.time)

    def _close(self, mark: datetime) -> list[OrderUpdate]:
        session = self._stage.act.session
        return self.engine.on_close(session) if mark == session.close else []

    def _count(self, updates: list[OrderUpdate]) -> list[OrderUpdate]:
        self._events += sum(update.event is not OrderEvent.HELD for update in updates)
        return updates

    def _resume(self, place: Place) -> None:
        self._at = max(bisect_right(self._stage.marks, place.mark) - 1, START)
        self._opened = self.time >= self._stage.act.session.open
        self._prices.restore(self.reel.closes(place))
        self._prices.skip(self._stage.until(self._at))

    def _skip(self, at: int) -> list[OrderUpdate]:
        """Go to a later mark of this act without publishing anything."""
        session, before = self._stage.act.session, self.time
        updates: list[OrderUpdate] = []
        self._prices.skip(self._traded(self._stage.between(self._at, at)))
        self._at = max(at, self._at)
        if not self._opened and before < session.open <= self.time:
            self._opened = True
            updates += self.engine.on_open(session)
        if max(before, session.open) < min(self.time, session.close):
            updates += self.engine.on_skip(min(self.time, session.close))
        if before < session.close <= self.time:
            updates += self.engine.on_close(session)
        return updates

    def _stop(self, updates: list[OrderUpdate]) -> Minute:
        self._late, self._barrier = None, None
        self._count(updates)
        self._events_before = self._events
        return Minute(self.time, MinuteBars(self.act.columns, 0, 0), updates)

    def _rewind(self, moment: datetime) -> None:
        if self.engine.tickets():
            raise unprocessable("the clock cannot go back: the account has had orders since")
        if moment < self._first.mark:
            raise DataError(f"the replay began at {self._first.mark:%Y-%m-%d %H:%M} UTC", "Seek a later moment.")
        with self._fetching:
            self._acts = self.reel.acts(self._first)
            self._next.clear()
            self._over = False
        self._prices.forget()
        self._stage, self._at = _Stage(next(self._acts)), START
        self._resume(self._first)


class _Stage:
    """An act with the rows that belong to each of its marks."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.marks = act.marks
        self._rows = act.ended(act.columns)
        self._revised = [] if act.revisions is None else act.ended(act.revisions)

    def bars(self, at: int) -> MinuteBars:
        return MinuteBars(self.act.columns, self._rows[at - 1] if at else 0, self._rows[at])

    def between(self, at: int, later: int) -> MinuteBars:
        return MinuteBars(self.act.columns, self._rows[at], self._rows[max(at, later)])

    def until(self, at: int) -> MinuteBars:
        return MinuteBars(self.act.columns, 0, self._rows[at])

    def revised(self, at: int) -> MinuteBars | None:
        """The later words on the bars of a mark."""
        if self.act.revisions is None:
            return None
        first, last = self._revised[at - 1] if at else 0, self._revised[at]
        return MinuteBars(self.act.revisions, first, last) if last > first else None
