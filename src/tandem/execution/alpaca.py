"""Alpaca as broker and feed, through its official client."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Self

import msgspec

from tandem.config import own_certificate, trusting
from tandem.execution.arrivals import Arrivals
from tandem.execution.streams import StreamThread
from tandem.market import (
    Account,
    Bar,
    BrokerError,
    InvalidBar,
    Order,
    OrderEvent,
    OrderUpdate,
    OutcomeUnknown,
    Position,
    Side,
)

REST_SECONDS: Final = 15.0
CONNECT_SECONDS: Final = 30.0
PAGE: Final = 100
LOOK_BACK: Final = timedelta(minutes=1)
TAKEN_BEFORE: Final = "client_order_id must be unique"
KEYS: Final = "Check TANDEM_ALPACA__KEY_ID and TANDEM_ALPACA__SECRET_KEY, and whether they are for paper or live."
ENDINGS: Final = {
    "canceled": ("canceled_at", OrderEvent.CANCELED),
    "expired": ("expired_at", OrderEvent.EXPIRED),
    "rejected": ("failed_at", OrderEvent.REJECTED),
    "replaced": ("replaced_at", OrderEvent.REPLACED),
}


class AlpacaBroker:
    """An account at Alpaca, or at a recycler: REST is the truth, the stream a hint.

    An execution is identified by its order and the shares filled so far, which the stream and REST
    agree on, so that a fill heard of twice is one fill. A context manager: inside it the stream runs.

    Args:
        base_url: `http://...` or `ws://...` of a recycler; None for Alpaca itself.
        key_id, secret_key: never logged.
        paper: paper trading rather than live; only where `base_url` is None.
    """

    def __init__(self, base_url: str | None, key_id: str, secret_key: str, paper: bool = True) -> None:
        from alpaca.trading.client import TradingClient
        from alpaca.trading.stream import TradingStream

        http, ws = bases(base_url)
        where: dict[str, Any] = {"url_override": f"{ws}/stream"} if ws else {}
        self._client = TradingClient(key_id, secret_key, paper=paper, raw_data=True, url_override=http)
        _limit_time(self._client, loopback=http is not None)
        self._client._session.verify = str(own_certificate(http) or "") or True
        stream = TradingStream(key_id, secret_key, paper=paper, raw_data=True, **where)
        _trust(stream, ws)
        stream.subscribe_trade_updates(self._hear)
        self._stream = StreamThread(stream, "trade updates", lambda message: message.get("stream") == "listening")
        self._arrived = threading.Condition()
        self._news: list[OrderUpdate] = []
        self._open: dict[str, None] = {}
        self._told: set[tuple[str, OrderEvent, str | None]] = set()

    def open(self) -> Self:
        """Connect the stream.

        Raises:
            BrokerError: the keys were refused, or nothing answered.
        """
        self._stream.open(CONNECT_SECONDS)
        return self

    def close(self) -> None:
        """End the stream and give the connections back."""
        self._stream.close()
        self._client._session.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def account(self) -> Account:
        """Alpaca's word on cash, equity and buying power.

        Raises:
            BrokerError: the keys were refused, or Alpaca cannot be reached.
        """
        said = self._ask(self._client.get_account, BrokerError)
        cash, equity, power = (Decimal(said[name]) for name in ("cash", "equity", "buying_power"))
        return Account(cash, equity, power, bool(said["shorting_enabled"]))

    def positions(self) -> dict[str, Position]:
        """What the account holds, by symbol.

        Raises:
            BrokerError: the keys were refused, or Alpaca cannot be reached.
        """
        said = self._ask(self._client.get_all_positions, BrokerError)
        return {
            position["symbol"]: _position(position) for position in sorted(said, key=lambda one: str(one["symbol"]))
        }

    def submit(self, order: Order) -> None:
        """Send a market order for the day; one that was taken before counts as taken.

        Raises:
            BrokerError: refused, in Alpaca's words.
            OutcomeUnknown: no answer, or none that says; ask with `find`.
        """
        body = {
            "symbol": order.symbol,
            "qty": f"{order.qty:f}",
            "side": order.side.value,
            "type": "market",
            "time_in_force": "day",
            "client_order_id": order.client_order_id,
        }
        try:
            self._ask(lambda: self._client.post("/orders", body), OutcomeUnknown)
        except BrokerError as error:
            if error.what != TAKEN_BEFORE:
                raise
        self._open[order.client_order_id] = None

    def find(self, client_order_id: str) -> list[OrderUpdate] | None:
        """All that became of an order, None where Alpaca never saw it.

        Raises:
            BrokerError: the keys were refused.
            OutcomeUnknown: Alpaca cannot be reached.
        """
        order = self._order(client_order_id)
        if order is None:
            return None
        story = self._story(order)
        if not story[-1].event.is_final:
            self._open[client_order_id] = None  # taken before this process began: updates watch it from now on
        return story

    def cancel(self, client_order_id: str) -> None:
        """Ask for an open order back.

        Raises:
            BrokerError: unknown, or nothing more can happen to it.
            OutcomeUnknown: nobody knows whether the request arrived.
        """
        order = self._order(client_order_id)
        if order is None:
            raise BrokerError(f"order not found for {client_order_id}")
        self._ask(lambda: self._client.cancel_order_by_id(order["id"]), OutcomeUnknown)

    def updates(self, until: datetime) -> list[OrderUpdate]:
        """What happened since the last call: what REST knows of orders still open, then the stream's news."""
        news = self.heard()
        told = [update for client_order_id in list(self._open) for update in self._asked(client_order_id)]
        return [update for update in told + news if self._is_new(update)]

    @property
    def connections(self) -> int:
        """How often the stream has connected."""
        return self._stream.connections

    def heard(self, count: int | None = None, timeout: float = 0.0) -> list[OrderUpdate]:
        """The stream's news since the last call, oldest first.

        Args:
            count: exactly so many; None for whatever has arrived.
            timeout: seconds to wait for them.

        Raises:
            TimeoutError: fewer arrived in that time.
        """
        with self._arrived:
            if count is not None and not self._arrived.wait_for(lambda: len(self._news) >= count, timeout):
                raise TimeoutError(f"{len(self._news)} of {count} order events")
            news, self._news = self._news[:count], self._news[len(self._news) if count is None else count :]
        return news

    async def _hear(self, message: dict[str, Any]) -> None:
        update = _update(message["data"])
        if update is not None:
            with self._arrived:
                self._news.append(update)
                self._arrived.notify_all()

    def _is_new(self, update: OrderUpdate) -> bool:
        key = (update.client_order_id, update.event, update.execution_id)
        known = key in self._told
        self._told.add(key)
        return not known

    def _asked(self, client_order_id: str) -> list[OrderUpdate]:
        try:
            story = self.find(client_order_id) or []
        except OutcomeUnknown:
            return []
        if story and story[-1].event.is_final:
            self._open.pop(client_order_id, None)
        return story

    def _order(self, client_order_id: str) -> dict[str, Any] | None:
        try:
            order = self._ask(lambda: self._client.get_order_by_client_id(client_order_id), OutcomeUnknown)
        except _Missing:
            return None
        return dict(order)

    def _story(self, order: dict[str, Any]) -> list[OrderUpdate]:
        taken = _about(order, OrderEvent.NEW, _moment(order["submitted_at"]))
        fills = self._executions(order) if Decimal(order["filled_qty"]) else []
        ending = ENDINGS.get(order["status"])
        if ending is None or sum((fill.qty or 0 for fill in fills), Decimal(0)) != Decimal(order["filled_qty"]):
            return [taken, *fills]  # still open, or executions that are not listed yet
        at, event = ending
        return [taken, *fills, _about(order, event, _moment(order[at] or order["updated_at"]))]

    def _executions(self, order: dict[str, Any]) -> list[OrderUpdate]:
        mine = [fill for fill in self._fills_since(_moment(order["submitted_at"])) if fill["order_id"] == order["id"]]
        return [_execution(order, fill) for fill in mine]

    def _fills_since(self, moment: datetime) -> list[dict[str, Any]]:
        asked = {"after": (moment - LOOK_BACK).isoformat(), "direction": "asc", "page_size": PAGE}
        found: list[dict[str, Any]] = []
        while True:
            page = self._ask(lambda: self._client.get("/account/activities/FILL", asked), OutcomeUnknown)
            found += page
            if len(page) < PAGE:
                return found
            asked["page_token"] = page[-1]["id"]

    def _ask(self, question: Callable[[], Any], unsure: type[BrokerError]) -> Any:
        import requests
        from alpaca.common.exceptions import APIError

        try:
            return question()
        except APIError as error:
            raise _refusal(error, unsure) from None
        except (requests.RequestException, OSError, ValueError) as error:
            raise unsure(f"no answer from Alpaca ({type(error).__name__})", "Check the network.") from None


class AlpacaFeed:
    """1-minute bars from Alpaca's stream, or a recycler's. A context manager: inside it the stream runs.

    Args:
        url: the stream's address, such as `wss://stream.data.alpaca.markets/v2/iex`; a recycler's bare
            `ws://localhost:8765` will do.
        symbols: tickers to subscribe to.
        key_id, secret_key: never logged.
        patience: seconds that `take` waits for the newest bar of every symbol.

    Attributes:
        malformed: why bars were thrown away, oldest first.
    """

    def __init__(
        self, url: str, symbols: Sequence[str], key_id: str, secret_key: str, *, patience: float = 3.0
    ) -> None:
        from alpaca.data.live import StockDataStream

        self.symbols = tuple(symbols)
        self.malformed: list[str] = []
        self._patience = patience
        stream = StockDataStream(key_id, secret_key, raw_data=True, url_override=url)
        _trust(stream, url)
        hear: Any = self._hear
        stream.subscribe_bars(hear, *self.symbols)
        self._stream = StreamThread(stream, "bars", lambda message: message.get("T") == "subscription")
        self._arrivals = Arrivals()

    def open(self) -> Self:
        """Connect and subscribe.

        Raises:
            BrokerError: the keys were refused, or nothing answered.
        """
        self._stream.open(CONNECT_SECONDS)
        return self

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connections(self) -> int:
        """How often the stream has connected."""
        return self._stream.connections

    def put(self, bar: Bar) -> None:
        """Take in a bar that came another way."""
        self._arrivals.put(bar)

    def take(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that were not taken before; waits a little for the newest."""
        self.wait_for(dict.fromkeys(self.symbols, until - timedelta(minutes=1)), self._patience)
        return self.taken(until)

    def wait_for(self, starts: dict[str, datetime], timeout: float) -> list[str]:
        """Wait until each symbol's bar that starts then, or a later one, has arrived; the symbols without it."""
        return self._arrivals.wait_for(starts, timeout)

    def taken(self, until: datetime) -> list[Bar]:
        """The bars with `end <= until` that have arrived and were not taken before, ordered by start and symbol."""
        return self._arrivals.taken(until)

    async def _hear(self, message: dict[str, Any]) -> None:
        try:
            bar = _bar(message)
        except (InvalidBar, AttributeError, KeyError, TypeError, ValueError) as error:
            self.malformed.append(str(error))
            return
        self._arrivals.put(bar)


class _Missing(BrokerError):
    """Alpaca knows no such thing."""


def bases(url: str | None) -> tuple[str | None, str | None]:
    """A recycler's address as `http://host:port` and `ws://host:port`, whichever was given."""
    if url is None:
        return None, None
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    secure = "s" if scheme in ("https", "wss") else ""
    return f"http{secure}://{host}", f"ws{secure}://{host}"


def _limit_time(client: Any, *, loopback: bool) -> None:
    from requests.adapters import HTTPAdapter

    class Limited(HTTPAdapter):
        def send(self, *args: Any, **kwargs: Any) -> Any:
            return super().send(*args, **{**kwargs, "timeout": kwargs.get("timeout") or REST_SECONDS})

    client._session.trust_env = not loopback
    client._session.mount("http://", Limited())
    client._session.mount("https://", Limited())


def _trust(stream: Any, url: str | None) -> None:
    if (context := trusting(url)) is not None:
        stream._websocket_params["ssl"] = context


def _refusal(error: Any, unsure: type[BrokerError]) -> BrokerError:
    status, message = error.status_code, _message(error)
    if status == 404:
        return _Missing(message)
    if status is None or status >= 500:
        return unsure(f"Alpaca answered {status} {message}".strip(), "Ask again later.")
    if status == 401 or message in ("forbidden.", "unauthorized."):
        return BrokerError("Alpaca refuses the keys", KEYS)
    return BrokerError(message or f"Alpaca answered {status}")


def _message(error: Any) -> str:
    try:
        return str(msgspec.json.decode(str(error))["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return ""


def _position(said: dict[str, Any]) -> Position:
    qty = Decimal(said["qty"])
    signed = -abs(qty) if said["side"] == "short" else qty
    return Position(said["symbol"], signed, Decimal(said["avg_entry_price"]))


def _update(data: dict[str, Any]) -> OrderUpdate | None:
    order = data["order"]
    if data["event"] not in list(OrderEvent):
        return None
    event, at = OrderEvent(data["event"]), _moment(data["timestamp"])
    if not event.is_execution:
        return _about(order, event, at, str(data.get("reason") or ""))
    return _filled(order, event, at, data["qty"], data["price"], order["filled_qty"])


def _execution(order: dict[str, Any], fill: dict[str, Any]) -> OrderUpdate:
    event = OrderEvent.FILL if Decimal(fill["cum_qty"]) == Decimal(order["qty"]) else OrderEvent.PARTIAL_FILL
    return _filled(order, event, _moment(fill["transaction_time"]), fill["qty"], fill["price"], fill["cum_qty"])


def _filled(order: dict[str, Any], event: OrderEvent, at: datetime, qty: str, price: str, filled: str) -> OrderUpdate:
    so_far = f"{Decimal(filled).normalize():f}"
    return OrderUpdate(
        client_order_id=order["client_order_id"],
        symbol=order["symbol"],
        side=Side(order["side"]),
        event=event,
        at=at,
        execution_id=f"{order['id']}/{so_far}",
        qty=Decimal(str(qty)),
        price=Decimal(str(price)),
    )


def _about(order: dict[str, Any], event: OrderEvent, at: datetime, reason: str = "") -> OrderUpdate:
    return OrderUpdate(order["client_order_id"], order["symbol"], Side(order["side"]), event, at, reason=reason)


def _moment(text: str) -> datetime:
    return msgspec.convert(text, datetime).astimezone(UTC)


def _bar(message: dict[str, Any]) -> Bar:
    count, average = message.get("n"), message.get("vw")
    return Bar(
        symbol=message["S"],
        start=message["t"].to_datetime(),
        open=float(message["o"]),
        high=float(message["h"]),
        low=float(message["l"]),
        close=float(message["c"]),
        volume=int(message["v"]),
        trade_count=None if count is None else int(count),
        vwap=None if average is None else float(average),
    )
