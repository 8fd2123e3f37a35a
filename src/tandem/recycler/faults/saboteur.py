"""Everything that may go wrong in one recycler, as its streams, its REST and its broker ask for it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from tandem.market import OrderUpdate
from tandem.matching import MinuteBars
from tandem.recycler.faults.answers import answered
from tandem.recycler.faults.armed import Faults, Tell
from tandem.recycler.faults.bars import SpoiltBars
from tandem.recycler.faults.connection import Door, Lateness, Silence
from tandem.recycler.faults.executions import SpoiltEvents, SpoiltOrders
from tandem.recycler.faults.fault import Fault
from tandem.recycler.faults.halt import Halts, TradingStatus

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Damage:
    """What a minute has become on its way to the market-data sockets.

    Attributes:
        bars: what is sent, in order; usually the minute itself.
        statuses: halts and their ends, to be told before the bars.
        cut: every market-data socket is cut first.
        cut_orders: so is every trade-updates socket.
    """

    bars: Sequence[MinuteBars]
    statuses: Sequence[TradingStatus] = ()
    cut: bool = False
    cut_orders: bool = False


class Saboteur:
    """The hooks; where nothing is armed each of them is one look at an empty dict.

    Args:
        now: market time, UTC.
        story: everything that became of an order, by its client order id.
        faults: in force from the start.
        tell: takes every fact about faults, with its market time.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        story: Callable[[str], Sequence[OrderUpdate] | None],
        faults: Iterable[Fault] = (),
        tell: Tell = lambda _fact, _at: None,
    ) -> None:
        self.faults = Faults(now, tell)
        self.halts = Halts(self.faults)
        self.orders = SpoiltOrders(self.faults)
        self.door = Door(self.faults)
        self.lateness = Lateness(self.faults)
        self._events = SpoiltEvents(self.faults, story)
        self._bars = SpoiltBars(self.faults)
        self._silence = Silence(self.faults)
        self.faults.arm(*faults)

    def minute(self, bars: MinuteBars, mark: datetime) -> Damage:
        """What becomes of a minute."""
        if not self.faults and not self._bars.waits:
            return Damage((bars,), self.halts.news())
        if not len(bars):
            return Damage(self._bars.after(bars), self.halts.news())
        cut = self.faults.strike("drop-connection", what="market data") is not None
        cut_orders = self.faults.strike("drop-order-stream", what="order events") is not None
        bars = self.halts.through(bars, mark)
        sent = () if self._silence.at(mark) else self._bars.after(bars)
        return Damage(sent, self.halts.news(), cut, cut_orders)

    def events(self, updates: Sequence[OrderUpdate]) -> Sequence[OrderUpdate]:
        """What the order stream tells of what happened."""
        return self._events.after(updates) if self.faults else updates

    @property
    def surplus(self) -> int:
        """Order events told so far beyond those that happened; negative where more were lost."""
        return self._events.surplus

    async def answered(self, request: Request, answer: Answer) -> Response:
        """What a client gets instead of the answer to its request, or that answer."""
        return await answered(self.faults, request, answer) if self.faults else await answer(request)
