"""A reel played against one account: the one place where time moves a minute."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime

from tandem.market import Bar, Order, OrderUpdate
from tandem.matching.engine import Engine
from tandem.matching.reel import MINUTE, Reel
from tandem.matching.rejection import unprocessable


@dataclass(frozen=True, slots=True)
class Minute:
    """What happened when the clock reached a mark.

    Attributes:
        mark: where the clock stands now, UTC.
        bars: every bar that ended at the mark, by symbol.
        updates: what the account's orders did with them.
    """

    mark: datetime
    bars: list[Bar]
    updates: list[OrderUpdate]


@dataclass(frozen=True, slots=True)
class Barrier:
    """How much has been sent when the clock stands at a mark: what a reader must have received.

    Attributes:
        time: the mark, UTC.
        last_bars: symbol to the start of its newest bar.
        bars: bars so far.
        order_events: order events so far.
        ended: whether the reel has no further mark.
    """

    time: datetime
    last_bars: dict[str, datetime]
    bars: int
    order_events: int
    ended: bool


class Replay:
    """The clock of a reel, with the account that trades on it.

    At each mark the engine gets the minute's bars first, then they are published; orders that arrive
    while the clock stands at T are accepted at T.

    Attributes:
        time: where the clock stands, UTC.
        barrier: how much had been published when it got there.
    """

    def __init__(self, reel: Reel, engine: Engine) -> None:
        self.reel = reel
        self.engine = engine
        self._at = 0
        self._closes = {session.close for session in reel.sessions}
        self._last_bars: dict[str, datetime] = {}
        self._bars = 0
        self._events = 0
        self.barrier = self._stand()

    @property
    def time(self) -> datetime:
        """Where the clock stands, UTC."""
        return self.reel.marks[self._at]

    @property
    def order_events(self) -> int:
        """Order events so far, those since the clock got here included."""
        return self._events

    @property
    def next_mark(self) -> datetime | None:
        """Where the clock goes next, None at the end of the reel."""
        following = self._at + 1
        return self.reel.marks[following] if following < len(self.reel.marks) else None

    def first_mark(self, moment: datetime) -> datetime | None:
        """The first mark at or after `moment`, None beyond the end of the reel."""
        at = bisect_left(self.reel.marks, moment)
        return self.reel.marks[at] if at < len(self.reel.marks) else None

    def step(self) -> Minute:
        """Move the clock to the next mark.

        Raises:
            IndexError: the reel has ended.
        """
        if self.next_mark is None:
            raise IndexError("the reel has ended")
        self._at += 1
        bars = self.reel.bars(self.time)
        updates = self._trade(bars)
        self._bars += len(bars)
        self._last_bars.update((bar.symbol, bar.start) for bar in bars)
        self._events += len(updates)
        self.barrier = self._stand()
        return Minute(self.time, bars, updates)

    def submit(self, order: Order) -> list[OrderUpdate]:
        """Hand an order to the broker at the clock's time.

        Raises:
            Rejected: a BrokerError with Alpaca's text.
        """
        if order.symbol not in self.reel.symbols:
            raise unprocessable(f'asset "{order.symbol}" not found')
        return self._counted(self.engine.submit(order, self.time))

    def cancel(self, client_order_id: str) -> list[OrderUpdate]:
        """Take an open order back at the clock's time.

        Raises:
            Rejected: an unknown order, or one to which nothing more can happen.
        """
        return self._counted(self.engine.cancel(client_order_id, self.time))

    def _trade(self, bars: list[Bar]) -> list[OrderUpdate]:
        in_session = bars if self.reel.session(self.time - MINUTE) else []
        expired = self.engine.on_close if self.time in self._closes else lambda _: []
        return self.engine.on_bars(in_session) + expired(self.time)

    def _counted(self, updates: list[OrderUpdate]) -> list[OrderUpdate]:
        self._events += len(updates)
        return updates

    def _stand(self) -> Barrier:
        return Barrier(self.time, dict(self._last_bars), self._bars, self._events, self.next_mark is None)
