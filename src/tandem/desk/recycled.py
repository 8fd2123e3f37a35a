"""The session loop against the recycler: a process of its own, Alpaca's protocol in between."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from tandem.config import Settings, is_free
from tandem.desk.desk import Desk
from tandem.desk.history import minutes
from tandem.execution import Feed, connect
from tandem.market import Bar, Calendar, RecyclerError, Session, TandemError, Timeframe, World
from tandem.recycler import Launched, Options, launch
from tandem.store import Facts, Store


class KeptFeed:
    """A feed whose bars are stored as this world saw them, once a session."""

    def __init__(self, feed: Feed, store: Store, world: World) -> None:
        self._feed = feed
        self._store = store
        self._world = world
        self._bars: list[Bar] = []

    def take(self, until: datetime) -> list[Bar]:
        """See `Feed.take`."""
        bars = self._feed.take(until)
        self._bars += bars
        return bars

    def halted(self) -> Collection[str]:
        """See `Feed.halted`."""
        return self._feed.halted()

    def keep(self) -> int:
        """Store what was taken since the last call; returns how many bars."""
        import pandas as pd

        names = ["symbol", "start", "open", "high", "low", "close", "volume"]
        rows = [[getattr(bar, name) for name in names] for bar in self._bars]
        self._bars = []
        if rows:
            frame = pd.DataFrame(rows, columns=names)
            self._store.bars.load(frame, timeframe=Timeframe.MIN_1, source="recycled", world=self._world)
        return len(rows)


@dataclass(frozen=True, slots=True)
class Recycled:
    """A desk in lockstep with a recycler.

    Attributes:
        url: where the recycler listens; an official client takes it as its base URL.
        feed: the desk's, with what it has taken so far.
    """

    desk: Desk
    url: str
    feed: KeptFeed


@contextmanager
def recycled(
    store: Store,
    world: World,
    settings: Settings,
    symbols: Sequence[str],
    sessions: Sequence[Session],
    facts: Facts,
    *,
    delay_ms: float = 0.0,
) -> Iterator[Recycled]:
    """A desk in lockstep with a recycler that it starts and ends.

    The recycler listens on the port of `websocket.recycler.server_url`, or on another where that is taken.

    Args:
        delay_ms: every websocket message is late by a random time up to this.

    Raises:
        RecyclerError: the recycler cannot start.
    """
    keys = {name: secrets.token_hex(16) for name in ("KEY_ID", "SECRET_KEY", "TOKEN")}
    recycler = settings.websocket.recycler
    options = Options(
        tuple(symbols),
        sessions[0].day,
        sessions[-1].day,
        port=urlsplit(recycler.server_url).port or 0,
        cash=recycler.cash,
        world=world,
        costs=settings.costs,
        lockstep=True,
        allow_simulated=recycler.allow_simulated,
        delay_ms=delay_ms,
    )
    environment = {f"TANDEM_RECYCLER_{name}": value for name, value in keys.items()}
    with (
        launched_anyway(options, environment | {"TANDEM_DATABASE_URL": store.url}) as launched,
        connect(
            launched.http,
            str(world),
            symbols,
            key_id=keys["KEY_ID"],
            secret_key=keys["SECRET_KEY"],
            token=keys["TOKEN"],
        ) as line,
    ):
        feed = KeptFeed(line.feed, store, world)
        desk = Desk(
            world,
            settings,
            Calendar(),
            line.clock,
            feed,
            line.broker,
            facts,
            store.blobs,
            lambda names, first, last: minutes(store, names, first, last),
        )
        try:
            yield Recycled(desk, launched.ws, feed)
        except TandemError as error:
            if launched.process.poll() is None:
                raise
            raise RecyclerError("the recycler has ended in the middle of a session", "Run the same again.") from error
        feed.keep()


def launched_anyway(options: Options, environment: Mapping[str, str]) -> Launched:
    """A recycler on its port, or on any where somebody else has that one."""
    try:
        return launch(options, environment)
    except RecyclerError:
        if is_free(options.port):
            raise
        return launch(replace(options, port=0), environment)
