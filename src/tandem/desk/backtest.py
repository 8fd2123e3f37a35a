"""The session loop without sockets: the same bars, the same matching engine, one process."""

from collections.abc import Sequence

from tandem.config import Settings
from tandem.desk.desk import Desk
from tandem.desk.history import minutes
from tandem.execution import in_process
from tandem.market import Calendar, Session, Timeframe, World
from tandem.recycler import Shelf
from tandem.store import Facts, Store


def backtest_desk(
    store: Store, world: World, settings: Settings, symbols: Sequence[str], sessions: Sequence[Session], facts: Facts
) -> Desk:
    """A desk on stored bars in-process, standing at 6:00 before the first session: those that a recycler would play.

    Args:
        facts: where to record; `MemoryFacts` with a `flush` at the end is quickest.
    """
    first, last = sessions[0].open, sessions[-1].close
    shelf = Shelf(store.bars, allow_simulated=True)
    shelf.choose(symbols, Timeframe.MIN_1, first, last)
    bars = shelf.read(symbols, Timeframe.MIN_1, first, last)
    inside = in_process(bars, world, settings.websocket.recycler.cash, settings.costs)
    return Desk(
        world,
        settings,
        Calendar(),
        inside.clock,
        inside.feed,
        inside.broker,
        facts,
        store.blobs,
        lambda symbols, first, last: minutes(store, symbols, first, last),
    )
