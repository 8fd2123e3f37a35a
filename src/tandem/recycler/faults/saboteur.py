"""Everything that may go wrong in one recycler, as its streams, its REST and its broker ask for it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import OrderUpdate
from tandem.matching import Barrier, MinuteBars, Replay
from tandem.recycler.faults.answers import answered
from tandem.recycler.faults.armed import Faults, Tell
from tandem.recycler.faults.bars import Sent, SpoiltBars
from tandem.recycler.faults.connection import Door, Lateness, Silence
from tandem.recycler.faults.executions import ShortFills, SpoiltEvents
from tandem.recycler.faults.fault import Fault
from tandem.recycler.faults.halt import Halts
from tandem.recycler.stream.frames import StatusMessage

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Damage:
    """What a minute has become on its way to the market-data sockets.

    Attributes:
        bars: what is sent, in order; usually the minute itself.
        statuses: halts and their ends, to be told after the bars.
        cut: every market-data socket is cut before that.
        cut_orders: every trade-updates socket is cut before its events are told.
    """

    bars: Sequence[MinuteBars]
    statuses: Sequence[StatusMessage] = ()
    cut: bool = False
    cut_orders: bool = False


class Saboteur:
    """The hooks; while nothing was ever armed each of them is one look at an empty dict.

    Args:
        replay: whose minutes and orders are spoilt.
        faults: in force from the start.
        tell: takes every fact about faults, with its market time.

    Attributes:
        faults: those in force.
        door: whether clients are let in.
        lateness: of frames.
        halts: symbols that are halted, and when they were.
    """

    def __init__(self, replay: Replay, faults: Iterable[Fault] = (), tell: Tell = lambda _fact, _at: None) -> None:
        self._replay = replay
        self.faults = Faults(lambda: replay.time, tell, lambda: replay.time - replay.act.shift)
        self.door = Door(self.faults)
        self.lateness = Lateness(self.faults)
        self.halts = Halts(self.faults, replay)
        self._fills = ShortFills(self.faults)
        self._events = SpoiltEvents(self.faults, self._story)
        self._bars = SpoiltBars(self.faults)
        self._silence = Silence(self.faults)
        self._sent: Sent | None = None
        self._mark = replay.time
        self.faults.on_change.append(self._attend)
        self.faults.arm(*faults)

    def minute(self, bars: MinuteBars, mark: datetime) -> Damage:
        """What becomes of a minute."""
        if self._sent is None:
            return Damage((bars,))
        if mark < self._mark:
            self._sent = None  # the clock was wound back
            self._bars.forget()
            self.halts.forget()
        self._mark = mark
        sent = self._attend()
        cut = cut_orders = False
        if len(bars):
            cut = self.faults.strike("drop-connection", what="market data") is not None
            cut_orders = self.faults.strike("drop-order-stream", what="order events") is not None
        told = () if self._silence.now() else self._bars.after(bars)
        sent.note(told, bars)
        return Damage(told, self.halts.at(mark), cut, cut_orders)

    def events(self, updates: Sequence[OrderUpdate]) -> Sequence[OrderUpdate]:
        """What the order stream tells of what happened."""
        return self._events.after(updates) if self.faults else updates

    async def answered(self, request: Request, answer: Answer) -> Response:
        """What a client gets instead of the answer to its request, or that answer."""
        return await answered(self.faults, request, answer) if self.faults else await answer(request)

    @property
    def surplus(self) -> int:
        """Order events told so far beyond those that happened; negative where more were lost."""
        return self._events.surplus

    def seen(self, barrier: Barrier) -> Barrier:
        """What had been sent rather than what had happened when the clock got there."""
        barrier = replace(barrier, halted=tuple(sorted(self._replay.engine.halted)))
        if self._sent is None:
            return barrier
        newest = self._sent.newest
        last_bars = {symbol: newest.get(symbol, start) for symbol, start in barrier.last_bars.items()}
        return replace(barrier, last_bars=last_bars, order_events=barrier.order_events + self._events.surplus)

    def _story(self, client_order_id: str) -> Sequence[OrderUpdate] | None:
        return self._replay.engine.find(client_order_id)  # of whichever engine plays now

    def _attend(self) -> Sent:
        if self._sent is None:
            self._sent = Sent(dict(self._replay.barrier.last_bars))
        if self.faults.named("partial-fill"):
            self._replay.engine.cap = self._fills.cap
        return self._sent
