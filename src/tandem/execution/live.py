"""Live minute bars: heard, kept in the store, filled in after a gap, and watched for silence."""

import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any, Final, Self

from tandem.execution.arrivals import Arrivals
from tandem.execution.halts import Halts
from tandem.execution.logbook import Logbook, Tally
from tandem.execution.origin import Moment, Origin
from tandem.execution.subscription import STATUS, Listener, Refused, Subscription
from tandem.market import (
    NEW_YORK,
    Bar,
    ConfigError,
    DataError,
    RecyclerError,
    Stopwatch,
    StoreError,
    TandemError,
)
from tandem.store import Store

MINUTE: Final = timedelta(minutes=1)
SILENCE: Final = timedelta(minutes=3)
BACKWARDS: Final = timedelta(minutes=30)
CONNECT_SECONDS: Final = 30.0
ROUND_SECONDS: Final = 0.5
AGAIN_SECONDS: Final = 15.0
LATER_SECONDS: Final = 45.0
JUST_NOW: Final = timedelta(minutes=3)


class LiveFeed:
    """A `Feed` of live bars, each kept in the store before or soon after it is taken. A context manager.

    After every connection what was missed is asked of the server's history: at the start since the last
    bar that the store has of today. When no symbol has had a bar for a while although the exchange is
    open, the connection is given up for a new one.

    Args:
        store: where bars go; while it is away they wait in memory.
        origin: the server.
        symbols: tickers.
        silence: market time without any bar after which to connect again; zero for never.
        patience: seconds that `take` waits for the newest bar of every symbol.
        said: told what a person may want to know, one line at a time.
    """

    def __init__(
        self,
        store: Store,
        origin: Origin,
        symbols: Sequence[str],
        *,
        silence: timedelta = SILENCE,
        patience: float = 3.0,
        said: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.symbols = tuple(dict.fromkeys(symbols))
        self._origin = origin
        self._silence = silence
        self._patience = patience
        self._said = said
        self._logbook = Logbook(store, origin.source, origin.account.data_feed)
        self._arrivals = Arrivals()
        self._halts = Halts()
        listener = Listener(self._connected, self._hear, said)
        self._stream = Subscription(origin.stream, self.symbols, *origin.keys, listener)
        self._filled = 0
        self._missing: datetime | None = None
        self._heard_at: datetime | None = None
        self._heard = 0
        self._retry: Stopwatch | None = None
        self._later: tuple[Stopwatch, datetime] | None = None
        self._store_away = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="live bars", daemon=True)

    @property
    def tally(self) -> Tally:
        """What has come so far."""
        return self._logbook.tally

    @property
    def connections(self) -> int:
        """How often the stream has connected."""
        return self._stream.connections

    @property
    def refusal(self) -> Refused | None:
        """Why the server serves us no more; None while it does."""
        return self._stream.refusal

    def open(self) -> Self:
        """Connect, and fill in what today lacks.

        Raises:
            BrokerError: the server refuses, or nothing answers.
            RecyclerError: no recycler answers.
            StoreError: the store is away.
        """
        self._logbook.start_over(self._origin.time.world())
        moment = self._origin.time.moment()
        self._logbook.recall(self.symbols, _midnight(moment), moment.now)
        self._stream.open(CONNECT_SECONDS)
        self._fill()
        self._logbook.write()
        self._thread.start()
        return self

    def close(self) -> None:
        """End the stream and store what has come.

        Raises:
            StoreError: the store is away; the next start fills in what was not stored.
        """
        self._stream.close()
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._logbook.write()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before; waits a little for the newest."""
        self._arrivals.wait_for(dict.fromkeys(self.symbols, until - MINUTE), self._patience)
        return self._arrivals.taken(until)

    def taken(self, until: datetime) -> list[Bar]:
        """The same without waiting."""
        return self._arrivals.taken(until)

    def halted(self) -> Collection[str]:
        """Symbols in which trading is halted, by the stream's statuses."""
        return self._halts.symbols

    def _connected(self) -> None:
        world = self._origin.time.world()
        if world != self._logbook.world:
            self._start_over(world)

    def _start_over(self, world: Any) -> None:
        self._said(f"{self._origin.name} plays {world} now" if world != self._logbook.world else "time went back")
        self._logbook.start_over(world)
        self._arrivals.start_over()
        self._halts.forget()

    def _hear(self, told: list[dict[str, Any]]) -> None:
        messages = [message for message in told if message.get("T") != STATUS]
        if self._went_back(messages):
            self._start_over(self._origin.time.world())
        news, broken = self._logbook.take_in(messages)
        for bar in news:
            self._arrivals.put(bar)
            self._halts.see(bar)
        for status in told:
            if status.get("T") == STATUS:
                self._say(status)
        if broken:
            self._said(f"{len(broken)} of {len(messages)} bars were malformed and are in the quarantine")
            starts = [start for start in broken if start is not None]
            self._missing = min([*starts, *([self._missing] if self._missing else [])], default=None)

    def _say(self, status: dict[str, Any]) -> None:
        before = self._halts.symbols
        self._halts.hear(status)
        for symbol in self._halts.symbols ^ before:
            self._said(f"{symbol}: {status.get('sm') or 'trading status changed'}")

    def _went_back(self, messages: list[dict[str, Any]]) -> bool:
        newest = self._logbook.newest
        if self._logbook.world is None or newest is None:
            return False
        starts = [message["t"] for message in messages if isinstance(message.get("t"), datetime)]
        return bool(starts) and max(starts) < newest - BACKWARDS

    def _tend(self) -> None:
        while not self._ending.wait(ROUND_SECONDS):
            with suppress(RecyclerError):  # nobody tells the time; the stream itself says that it has ended
                self._fill()
            with suppress(StoreError):
                self._write()
            with suppress(RecyclerError):
                self._watch()

    def _write(self) -> None:
        try:
            self._logbook.write()
        except StoreError as error:
            if not self._store_away:
                self._said(f"{error} Bars wait in memory until it is back.")
            self._store_away = True
            raise
        if self._store_away:
            self._said("the store is back")
        self._store_away = False

    def _fill(self) -> None:
        self._look_again()
        connections, missing = self._stream.connections, self._missing
        if (connections == self._filled and missing is None) or (self._retry and self._retry.seconds < AGAIN_SECONDS):
            return
        now = self._origin.time.moment()
        since = self._logbook.gap(self.symbols, _midnight(now)) if connections != self._filled else missing
        try:
            bars = self._asked(since or _midnight(now), now)
        except (ConfigError, DataError) as error:
            self._not_filled(error)
            return
        if connections != self._filled:
            self._later = (Stopwatch(), now.now - JUST_NOW)
        self._filled, self._retry = connections, None
        self._missing = self._missing if self._missing != missing else None
        news = self._logbook.fill(bars)
        for bar in news:
            self._arrivals.put(bar)
            self._halts.see(bar)
        if news:
            self._said(f"filled in {len(news)} bars from {_told(news[0].start)} to {_told(news[-1].start)}")

    def _look_again(self) -> None:
        """History may have had the minute before the connection too late."""
        if self._later is not None and self._later[0].seconds > LATER_SECONDS:
            self._missing, self._later = self._later[1], None

    def _asked(self, since: datetime, now: Moment) -> Any:
        from tandem.sources import alpaca

        account, url = self._origin.account, self._origin.rest
        bars = alpaca.between(self.symbols, since, now.now, account=account, url=url, unknown=self._stranger)
        return bars[bars["start"] + MINUTE <= now.now]

    def _stranger(self, symbol: str) -> None:
        """The others are filled in all the same."""
        self._said(f"Alpaca does not know the symbol {symbol}: nothing of it is filled in")

    def _not_filled(self, error: TandemError) -> None:
        if self._retry is None:
            self._said(f"what was missed could not be filled in: {error}")
        self._retry = Stopwatch()

    def _watch(self) -> None:
        if not self._silence:
            return
        heard = self.tally.heard + self.tally.repeated + self.connections
        moment = self._origin.time.moment()
        since = self._heard_at
        if heard != self._heard or not moment.is_open or since is None or moment.now < since:
            self._heard, self._heard_at = heard, moment.now
        elif moment.now - since >= self._silence:
            self._heard_at = moment.now
            minutes = (moment.now - since) // MINUTE
            self._said(f"no bar of any symbol for {minutes} minutes while the market is open; connecting again")
            self._stream.hang_up()


def _midnight(moment: Moment) -> datetime:
    return datetime.combine(moment.now.astimezone(NEW_YORK).date(), time(), NEW_YORK)


def _told(start: datetime) -> str:
    return f"{start.astimezone(NEW_YORK):%Y-%m-%d %H:%M}"
