"""The session loop at Alpaca, or at a recycler that somebody else has started."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from tandem.config import Settings
from tandem.desk.desk import Desk
from tandem.desk.history import minutes
from tandem.execution import AlpacaBroker, Broker, Feed, LiveFeed, at_alpaca, connect
from tandem.market import (
    Account,
    BrokerError,
    Calendar,
    Clock,
    Order,
    OrderUpdate,
    Position,
    StoreError,
    WallClock,
    World,
)
from tandem.store import Facts, Store, turn_if_free

LAG = timedelta(seconds=2)


class SilentBroker:
    """A broker that answers questions and is sent nothing: a dry run."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def account(self) -> Account:
        """See `Broker.account`."""
        return self._broker.account()

    def positions(self) -> dict[str, Position]:
        """See `Broker.positions`."""
        return self._broker.positions()

    def submit(self, order: Order) -> None:
        """Refuse: nothing is sent in a dry run."""
        raise BrokerError("dry run: nothing was sent")

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """Nothing was ever sent."""
        return None

    def cancel(self, client_order_id: str) -> None:
        """Nothing to take back."""

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """Nothing happens to orders that were not sent."""
        return []


@contextmanager
def alpaca_desk(
    store: Store,
    world: World,
    settings: Settings,
    symbols: Sequence[str],
    facts: Facts,
    *,
    dry: bool,
    said: Callable[[str], None] = lambda _: None,
) -> Iterator[Desk]:
    """A desk on Alpaca's stream and account, paper unless the settings say otherwise, at the wall clock.

    Its bars are kept in the store as they come, and what today lacks is filled in before it begins, so that a
    desk that starts late, or again, catches up from the store.

    Args:
        said: told what became of the stream, one line at a time.

    Raises:
        ConfigError: there are no keys.
        BrokerError: they were refused.
        StoreError: another process trades this world.
    """
    key_id, secret_key = settings.alpaca.keys()
    feed = LiveFeed(store, at_alpaca(settings.alpaca), symbols, said=said)
    broker = AlpacaBroker(None, key_id, secret_key, settings.alpaca.paper)
    with _alone(store, world), feed, broker:
        yield _desk(store, world, settings, WallClock(LAG), feed, broker, facts, dry)


@contextmanager
def visiting_desk(
    store: Store,
    world: World,
    settings: Settings,
    symbols: Sequence[str],
    facts: Facts,
    *,
    dry: bool,
    token: str,
    lasting: bool = False,
) -> Iterator[Desk]:
    """A desk at the recycler of `websocket.recycler.server_url`, whose clock waits for it.

    Args:
        lasting: the clock waits for a desk that died, until it is back, or `RecyclerTime.dismiss` lets it go.

    Raises:
        RecyclerError: nothing listens there, or a symbol is not on its reel.
        StoreError: another process trades this world.
    """
    url = settings.websocket.recycler.server_url
    with _alone(store, world), connect(url, desk_name(world), symbols, token=token, lasting=lasting) as line:
        yield _desk(store, world, settings, line.clock, line.feed, line.broker, facts, dry)


@contextmanager
def _alone(store: Store, world: World) -> Iterator[None]:
    """One desk at a time in a world; one that was killed has given its turn up."""
    name = desk_name(world)
    with turn_if_free(store.url, name) as is_ours:
        if not is_ours:
            raise StoreError(f"another process trades {world}", "One desk is enough: `tandem status` shows who runs")
        yield


def desk_name(world: World) -> str:
    """Under which name a recycler's clock waits for the desk of a world."""
    return f"desk of {world}"


def _desk(
    store: Store,
    world: World,
    settings: Settings,
    clock: Clock,
    feed: Feed,
    broker: Broker,
    facts: Facts,
    dry: bool,
) -> Desk:
    return Desk(
        world,
        settings,
        Calendar(),
        clock,
        feed,
        SilentBroker(broker) if dry else broker,
        facts,
        store.blobs,
        lambda names, first, last: minutes(store, names, first, last),
    )
