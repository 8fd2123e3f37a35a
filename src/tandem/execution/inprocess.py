"""A recycler without sockets: clock, feed and broker over the same replay, in one process."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from tandem.config import CostSettings
from tandem.execution.bars_end import bars_end
from tandem.market import Account, Bar, Order, OrderEvent, OrderUpdate, Position, World
from tandem.matching import Engine, LedgerState, Prices, Reel, Replay

if TYPE_CHECKING:
    import pandas as pd


class Tape:
    """One replay and what it has published so far; clock, feed and broker share it."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self._bars: list[Bar] = []
        self._updates: list[OrderUpdate] = []
        self._told = 0

    def advance(self, moment: datetime) -> None:
        """Play on until the clock stands at the first mark at or after `moment`."""
        while self.replay.time < moment and self.replay.next_mark is not None:
            minute = self.replay.step()
            self._bars += minute.bars
            self._updates += minute.updates

    def note(self, updates: list[OrderUpdate]) -> None:
        """Keep what the broker answered; it is told at the next mark."""
        self._updates += updates

    def bars(self, until: datetime) -> list[Bar]:
        """Bars that ended by `until` and were not given before."""
        given = [bar for bar in self._bars if bar.end <= until]
        self._bars = [bar for bar in self._bars if bar.end > until]
        return given

    def updates(self) -> list[OrderUpdate]:
        """Order events up to the mark that were not told before."""
        known = self.replay.barrier.order_events
        told, self._told = self._updates[self._told : known], max(known, self._told)
        return told


class ReplayClock:
    """Market time of a tape: waiting plays the minutes in between."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def now(self) -> datetime:
        """Where the replay stands, UTC."""
        return self._tape.replay.time

    def wait_until(self, moment: datetime) -> None:
        """Play to the first mark at or after `moment`.

        Raises:
            DataError: the bars end before.
        """
        self._tape.advance(moment)
        if self.now() < moment:
            raise bars_end(self.now(), moment)


class BacktestFeed:
    """The bars of a tape, as they become known."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before."""
        return self._tape.bars(until)

    def halted(self) -> Collection[str]:
        """Symbols in which the engine lets nobody trade where the clock stands."""
        return self._tape.replay.engine.halted


class BacktestBroker:
    """The matching engine as a broker."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape

    @property
    def _replay(self) -> Replay:
        return self._tape.replay

    def account(self) -> Account:
        """Cash, equity and buying power at the last closes."""
        return self._replay.engine.account()

    def positions(self) -> dict[str, Position]:
        """What the account holds, by symbol."""
        return self._replay.engine.positions()

    def submit(self, order: Order) -> None:
        """Take an order at the clock's time; one that was taken before counts as taken.

        Raises:
            BrokerError: with Alpaca's text.
        """
        if self._replay.engine.find(order.client_order_id) is None:
            self._tape.note(self._replay.submit(order))

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, as REST tells it: taken, executed, ended; None where it was never taken."""
        story = self._replay.engine.find(client_order_id)
        if not story:
            return story
        later = [update for update in story[1:] if update.event.is_execution or update.event.is_final]
        return [replace(story[0], event=OrderEvent.NEW), *later]

    def cancel(self, client_order_id: str) -> None:
        """Take an open order back.

        Raises:
            BrokerError: the order is unknown, or nothing more can happen to it.
        """
        self._tape.note(self._replay.cancel(client_order_id))

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """What had happened to orders when the clock got to where it stands, once."""
        return self._tape.updates()


@dataclass(frozen=True, slots=True)
class InProcess:
    """Clock, feed and broker of one backtest; together they behave as the recycler in lockstep."""

    clock: ReplayClock
    feed: BacktestFeed
    broker: BacktestBroker


def in_process(
    bars: "pd.DataFrame", world: World, cash: Decimal, costs: CostSettings, held: LedgerState | None = None
) -> InProcess:
    """A backtest over a frame of 1-minute bars, standing at 6:00 in New York on its first session.

    Args:
        cash: dollars that the account starts with.
        held: where the account stands already; it takes the place of `cash`.

    Raises:
        DataError: no bars, duplicates, or no session among them.
    """
    reel = Reel.from_frame(bars)
    engine = Engine(world, cash, costs, Prices(reel.symbols))
    if held is not None:
        engine.ledger.restore(held)
    tape = Tape(Replay(reel, engine))
    return InProcess(ReplayClock(tape), BacktestFeed(tape), BacktestBroker(tape))
