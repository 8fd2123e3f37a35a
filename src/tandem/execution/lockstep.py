"""A recycler in lockstep: its clock waits for the desk, and the desk for its messages."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPException, HTTPResponse
from math import isnan
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec

from tandem.config import connection, unreachable
from tandem.execution.alpaca import AlpacaBroker, AlpacaFeed, bases
from tandem.execution.bars_end import bars_end
from tandem.market import NEW_YORK, Account, Bar, BrokerError, Order, OrderUpdate, Position, RecyclerError, Stopwatch
from tandem.matching import Barrier

MINUTE: Final = timedelta(minutes=1)
ARRIVAL_SECONDS: Final = 30.0
CLOCK_SECONDS: Final = 600.0
PATIENCE: Final = timedelta(minutes=5)
LOOK_SECONDS: Final = 0.5
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
BAR_FIELDS: Final = ("symbol", "start", "open", "high", "low", "close", "volume", "trade_count", "vwap")

History = Callable[[datetime, datetime], list[Bar]]


def _no_history(_: datetime, __: datetime) -> list[Bar]:
    return []


class LockstepClock:
    """The recycler's clock, held by one desk.

    The clock waits for the desk as long as a connection of this process is open, so a desk that dies holds nobody up;
    for a lasting one it waits until the desk is back, or is dismissed.

    Args:
        control_url: where the recycler listens.
        desk: the name under which the clock waits for us.
        symbols: what the desk will listen to.
        token: of the control API; empty where it needs none.
        lasting: the desk outlives its process.

    Raises:
        RecyclerError: nothing listens there, the token is wrong, or a symbol is not on the reel.
    """

    def __init__(
        self, control_url: str, desk: str, symbols: Sequence[str], token: str = "", *, lasting: bool = False
    ) -> None:
        self._desk = desk
        self._control = Control(control_url, token)
        self._hold = Control(control_url, token)
        asked = {"lasting": True} if lasting else {}
        try:
            enrolled = self._hold.first_line("POST", "/control/desks", {"desk": desk, "symbols": list(symbols)} | asked)
            self._number = enrolled["hold"]
            self.barrier = msgspec.convert(enrolled, Barrier)
        except RecyclerError:
            self.close()
            raise

    def now(self) -> datetime:
        """Where the replay stands, UTC."""
        return self.barrier.time

    def wait_until(self, moment: datetime) -> None:
        """Release the clock to the first mark at or after `moment`, and return when it stands there.

        Raises:
            DataError: the bars end before.
            RecyclerError: the recycler does not answer, or another desk took this one's name.
        """
        if self.now() < moment:
            through = (moment - MINUTE).isoformat()
            done = {"desk": self._desk, "through": through, "hold": self._number}
            self.barrier = msgspec.convert(self._control.ask("POST", "/control/ready", done), Barrier)
        if self.now() < moment:
            raise bars_end(self.now(), moment)

    def order_events(self) -> int:
        """Order events on the account so far, in total."""
        return int(self._control.ask("GET", "/control/status")["order_events"])

    def close(self) -> None:
        """Let the clock go on without this desk, unless it is a lasting one."""
        self._hold.close()
        self._control.close()


class LockstepFeed:
    """The recycler's bars: every one up to where its clock stands, however late they arrive.

    What was sent while the line was cut is asked of the recycler's history.
    """

    def __init__(
        self, feed: AlpacaFeed, clock: LockstepClock, timeout: float = ARRIVAL_SECONDS, history: History = _no_history
    ) -> None:
        self._feed = feed
        self._clock = clock
        self._timeout = timeout
        self._history = history
        self._before = dict(clock.barrier.last_bars)
        self._connections = feed.connections
        self._since = clock.now()

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before.

        Raises:
            RecyclerError: some did not arrive in time.
        """
        sent = self._clock.barrier.last_bars
        due = {s: sent[s] for s in self._feed.symbols if s in sent and sent[s] != self._before.get(s)}
        if behind := self._behind(due):
            end = f"{self._clock.now().astimezone(NEW_YORK):%H:%M}"
            raise RecyclerError(
                f"bars of {', '.join(behind)} up to {end} did not arrive within {self._timeout:g} seconds",
                "Is the recycler still running?",
            )
        self._since = self._clock.now()
        return self._feed.taken(until)

    def halted(self) -> Collection[str]:
        """Symbols in which trading is halted where the clock stands, by the recycler's own word."""
        return self._clock.barrier.halted

    def _behind(self, due: dict[str, datetime]) -> list[str]:
        waited = Stopwatch()
        while (behind := self._feed.wait_for(due, LOOK_SECONDS)) and waited.seconds < self._timeout:
            if self._feed.connections != self._connections:
                self._connections = self._feed.connections
                self._ask_history()
        return behind

    def _ask_history(self) -> None:
        for bar in self._history(self._since - MINUTE, self._clock.now()):
            if bar.end <= self._clock.now():
                self._feed.put(bar)


class LockstepBroker:
    """The recycler's paper account: every order event up to where its clock stands, once.

    An order that the stream leaves open for long is asked for: its events may have been lost.
    """

    def __init__(self, broker: AlpacaBroker, clock: LockstepClock, timeout: float = ARRIVAL_SECONDS) -> None:
        self._broker = broker
        self._clock = clock
        self._timeout = timeout
        self._told = clock.order_events()
        self._open: dict[str, datetime] = {}
        self._heard: set[str] = set()
        self._connections = broker.connections

    def account(self) -> Account:
        """Cash, equity and buying power where the clock stands."""
        return self._broker.account()

    def positions(self) -> dict[str, Position]:
        """What the account holds, by symbol."""
        return self._broker.positions()

    def submit(self, order: Order) -> None:
        """Send an order; it is accepted where the clock stands."""
        self._open[order.client_order_id] = self._clock.now()
        self._broker.submit(order)

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, None where the recycler never saw it."""
        return self._broker.find(client_order_id)

    def cancel(self, client_order_id: str) -> None:
        """Take an open order back where the clock stands."""
        self._broker.cancel(client_order_id)

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """What had happened to orders when the clock got to where it stands, once.

        Raises:
            RecyclerError: some of it did not arrive in time.
        """
        due = max(self._clock.barrier.order_events - self._told, 0)
        news = self._arrived(due)
        self._told += due
        self._settle(news)
        return news + [update for name, since in list(self._open.items()) for update in self._overdue(name, since)]

    def _arrived(self, due: int) -> list[OrderUpdate]:
        waited = Stopwatch()
        while True:
            try:
                return self._broker.heard(due, LOOK_SECONDS)
            except TimeoutError as error:
                if self._broker.connections != self._connections:  # some were told while the line was cut
                    self._connections = self._broker.connections
                    self._open = dict.fromkeys(self._open, LONG_AGO)
                    return self._broker.heard()
                if waited.seconds >= self._timeout:
                    raise RecyclerError(
                        f"only {error} arrived within {self._timeout:g} seconds", "Is the recycler still running?"
                    ) from None

    def _settle(self, updates: Sequence[OrderUpdate]) -> None:
        for update in updates:
            self._heard.add(update.execution_id or "")
            if update.event.is_final:
                self._open.pop(update.client_order_id, None)

    def _overdue(self, client_order_id: str, since: datetime) -> list[OrderUpdate]:
        now = self._clock.now()
        if now - since < PATIENCE:
            return []
        try:
            story = self._broker.find(client_order_id)
        except BrokerError:
            return []
        if story is None:
            del self._open[client_order_id]
            return []
        missed = [update for update in story if update.at < now and self._is_missed(update)]
        self._settle(missed)
        return missed

    def _is_missed(self, update: OrderUpdate) -> bool:
        if update.event.is_execution:
            return update.execution_id not in self._heard
        return update.event.is_final


@dataclass(frozen=True, slots=True)
class Connection:
    """Clock, feed and broker of a recycler in lockstep; a context manager that ends threads and sockets."""

    clock: LockstepClock
    feed: LockstepFeed
    broker: LockstepBroker
    _streams: tuple[AlpacaFeed, AlpacaBroker]

    def close(self) -> None:
        """End the streams, then let the clock go on without us."""
        for stream in self._streams:
            stream.close()
        self.clock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    control_url: str,
    desk: str,
    symbols: Sequence[str],
    *,
    key_id: str = "recycler",
    secret_key: str = "recycler",  # noqa: S107 - a recycler lets any pair in
    token: str = "",
    timeout: float = ARRIVAL_SECONDS,
    lasting: bool = False,
) -> Connection:
    """Take hold of a recycler's clock, then open its streams.

    Args:
        control_url: `http://...` or `ws://...` of the recycler.
        desk: the name under which its clock waits for us.
        symbols: whose bars are wanted.
        key_id, secret_key: any non-empty pair, unless the recycler asks for a certain one.
        token: of its control API; empty where it needs none.
        timeout: seconds that messages already sent may take to arrive.
        lasting: the clock waits for a desk that died, until it is back or is dismissed.

    Raises:
        RecyclerError: nothing listens there, the token is wrong, or a symbol is not on the reel.
        BrokerError: the keys were refused.
    """
    clock = LockstepClock(control_url, desk, symbols, token, lasting=lasting)
    _, ws = bases(control_url)
    feed = AlpacaFeed(f"{ws}/v2/iex", symbols, key_id, secret_key)
    broker = AlpacaBroker(control_url, key_id, secret_key)
    try:
        feed.open()
        broker.open()
        past = partial(_past, control_url, symbols, key_id, secret_key)
        bars = LockstepFeed(feed, clock, timeout, past)
        return Connection(clock, bars, LockstepBroker(broker, clock, timeout), (feed, broker))
    except BaseException:
        feed.close()
        broker.close()
        clock.close()
        raise


def _past(url: str, symbols: Sequence[str], key_id: str, secret_key: str, first: datetime, last: datetime) -> list[Bar]:
    from tandem.config import AlpacaSettings
    from tandem.sources import alpaca

    account = AlpacaSettings.model_validate({"key_id": key_id, "secret_key": secret_key})
    found = alpaca.between(symbols, first, last, account=account, url=bases(url)[0])
    names = [name for name in BAR_FIELDS if name in found]
    return [_bar(dict(zip(names, row, strict=True))) for row in zip(*(found[name] for name in names), strict=True)]


def _bar(row: dict[str, Any]) -> Bar:
    count, average = row.get("trade_count"), row.get("vwap")
    return Bar(
        symbol=row["symbol"],
        start=row["start"].to_pydatetime(),
        open=float(row["open"]),
        high=float(row["high"]),
        low=float(row["low"]),
        close=float(row["close"]),
        volume=int(row["volume"]),
        trade_count=None if count is None or isnan(count) else int(count),
        vwap=None if average is None or isnan(average) else float(average),
    )


class Control:
    """The control API of a recycler, over one connection.

    Args:
        url: where the recycler listens.
        token: of the control API; empty where it needs none.
        seconds: how long each answer may take.

    Raises:
        RecyclerError: from each question, the recycler does not answer, or refuses.
    """

    def __init__(self, url: str, token: str, seconds: float = CLOCK_SECONDS) -> None:
        self._base = bases(url)[0] or ""
        self._where = urlsplit(self._base).netloc
        self._http = connection(self._base, seconds)
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The whole answer."""
        return self._told(method, path, body, HTTPResponse.read)

    def first_line(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The first line of an answer that lasts until `close`."""
        return self._told(method, path, body, HTTPResponse.readline)

    def _told(
        self, method: str, path: str, body: dict[str, Any] | None, read: Callable[[HTTPResponse], bytes]
    ) -> dict[str, Any]:
        try:
            self._http.request(method, path, msgspec.json.encode(body) if body else None, self._headers)
            answer = self._http.getresponse()
            said = read(answer)
            told: dict[str, Any] = msgspec.json.decode(said) if said else {}
        except (OSError, HTTPException, msgspec.DecodeError) as error:
            self._http.close()
            raise RecyclerError(*unreachable(self._base)) from error
        if answer.status >= 400:
            raise RecyclerError(f"the recycler at {self._where} refuses: {told.get('message', answer.status)}")
        return told

    def close(self) -> None:
        """End the connection."""
        self._http.close()
