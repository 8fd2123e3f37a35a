import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import msgpack
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config import CostSettings
from tandem.execution.alpaca import AlpacaBroker, AlpacaFeed
from tandem.execution.lockstep import LockstepClock
from tandem.market import BrokerError, Order, OrderEvent, OrderUpdate, OutcomeUnknown, Side
from tandem.recycler import Launched, Options, launch

OPEN = datetime(2023, 1, 4, 14, 30, tzinfo=UTC)
SYMBOLS = ("AAPL", "MSFT")
KEYS = {"TANDEM_RECYCLER_KEY_ID": "the-key", "TANDEM_RECYCLER_SECRET_KEY": "the-secret"}
PAIR = ("the-key", "the-secret")


def minutes(n: int) -> timedelta:
    return timedelta(minutes=n)


@pytest.fixture(scope="module")
def bars() -> pd.DataFrame:
    starts = pd.date_range(OPEN, periods=390, freq="min", unit="us")
    steps = pd.Series(range(390))
    frames = []
    for symbol, base in (("AAPL", 125.0), ("MSFT", 240.25)):
        opened = (base + (steps * 7 % 31) * 0.13).round(2)
        prices = {"open": opened, "high": opened + 0.5, "low": opened - 0.5, "close": opened}
        frames.append(pd.DataFrame({"symbol": symbol, "start": starts, **prices, "volume": 10_000, "vwap": opened}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def recycler(bars: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    """One recycler with keys of its own, without costs; tests move its clock on, never back."""
    file = tmp_path_factory.mktemp("bars") / "bars.parquet"
    bars.to_parquet(file)
    options = Options(SYMBOLS, bars=file, port=0, lockstep=True, costs=CostSettings(spread_bps=2.0, impact=0.0))
    with launch(options, KEYS) as launched:
        yield launched


@pytest.fixture
def clock(recycler: Launched) -> Iterator[LockstepClock]:
    held = LockstepClock(recycler.http, "test", SYMBOLS)
    held.wait_until(max(held.now(), OPEN + minutes(1)))
    yield held
    held.close()


@pytest.fixture
def broker(recycler: Launched) -> Iterator[AlpacaBroker]:
    with AlpacaBroker(recycler.ws, *PAIR) as connected:
        yield connected


def minute_on(clock: LockstepClock) -> datetime:
    clock.wait_until(clock.now() + minutes(1))
    return clock.now()


def eventually(take: Callable[[], list[OrderUpdate]], count: int) -> list[OrderUpdate]:
    found: list[OrderUpdate] = []
    for _ in range(200):
        found += take()
        if len(found) >= count:
            break
        threading.Event().wait(0.02)
    return found


# ---------------------------------------------------------------- the official client, only its address changed


def test_the_official_trading_client_reads_everything_it_asks_for(recycler: Launched, clock: LockstepClock) -> None:
    from alpaca.common.exceptions import APIError
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
    from alpaca.trading.requests import GetCalendarRequest, GetOrdersRequest, MarketOrderRequest

    client = TradingClient(*PAIR, paper=True, url_override=recycler.http)
    try:
        now = client.get_clock()
        assert now.is_open
        assert now.timestamp == clock.now()
        days = client.get_calendar(GetCalendarRequest(start=OPEN.date(), end=OPEN.date()))
        assert [(day.open.hour, day.close.hour) for day in days] == [(9, 16)]
        assert {asset.symbol for asset in client.get_all_assets()} == set(SYMBOLS)
        assert client.get_asset("AAPL").easy_to_borrow
        request = MarketOrderRequest(symbol="AAPL", qty=1.5, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        order = client.submit_order(request)
        assert order.status is OrderStatus.PENDING_NEW
        (listed,) = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.OPEN, symbols=["AAPL"], nested=True))
        assert listed.id == order.id
        client.cancel_order_by_id(order.id)
        assert client.get_order_by_id(order.id).status is OrderStatus.CANCELED
        order = client.submit_order(request)
        minute_on(clock)
        assert client.get_order_by_client_id(order.client_order_id).status is OrderStatus.FILLED
        position = client.get_open_position("AAPL")
        assert [p.qty for p in client.get_all_positions()] == [position.qty] == ["1.5"]
        account = client.get_account()
        assert Decimal(account.equity) == Decimal(account.cash) + Decimal(position.market_value)
        client.submit_order(request.model_copy(update={"side": OrderSide.SELL}))
        minute_on(clock)
        with pytest.raises(APIError) as error:
            client.get_open_position("AAPL")
        assert (error.value.status_code, error.value.message) == (404, "position does not exist")
    finally:
        client._session.close()


def test_the_official_streams_deliver_bars_and_trade_updates(
    recycler: Launched, clock: LockstepClock, bars: pd.DataFrame
) -> None:
    from alpaca.data.live import StockDataStream
    from alpaca.data.models import Bar
    from alpaca.trading.models import TradeUpdate
    from alpaca.trading.stream import TradingStream

    from tandem.execution.streams import StreamThread

    heard: list[Bar] = []
    told: list[TradeUpdate] = []

    async def hear(bar: Any) -> None:
        heard.append(bar)

    async def tell(update: Any) -> None:
        told.append(update)

    stocks = StockDataStream(*PAIR, url_override=f"{recycler.ws}/v2/iex")
    stocks.subscribe_bars(hear, "MSFT")
    trades = TradingStream(*PAIR, url_override=f"{recycler.ws}/stream")
    trades.subscribe_trade_updates(tell)
    threads = [
        StreamThread(stocks, "bars", lambda m: m.get("T") == "subscription"),
        StreamThread(trades, "trades", lambda m: m.get("stream") == "listening"),
    ]
    for thread in threads:
        thread.open(10)
    with AlpacaBroker(recycler.http, *PAIR) as broker:
        first = clock.now()
        broker.submit(Order(f"stream-{first}", "MSFT", Side.BUY, Decimal(2)))
        minute_on(clock)
        for _ in range(200):
            if heard and len(told) == 2:
                break
            threading.Event().wait(0.02)
    for thread in threads:
        thread.close()
    row = bars[(bars["symbol"] == "MSFT") & (bars["start"] == first)].iloc[0]
    assert [(bar.timestamp, bar.symbol, bar.open, bar.close) for bar in heard] == [
        (first, "MSFT", row["open"], row["close"])
    ]
    assert (heard[0].volume, heard[0].vwap, heard[0].trade_count) == (10_000, row["vwap"], None)
    assert [update.event for update in told] == ["new", "fill"]
    assert (told[1].qty, told[1].position_qty, told[1].price) == (2.0, 2.0, round(row["open"] * 1.0001, 4))


# ---------------------------------------------------------------- Tandem's broker and feed


def test_an_order_is_taken_filled_and_counted_to_the_cent(
    broker: AlpacaBroker, clock: LockstepClock, bars: pd.DataFrame
) -> None:
    before = broker.account()
    id = f"fill-{clock.now()}"
    start = clock.now()
    broker.submit(Order(id, "AAPL", Side.SELL, Decimal(4)))
    broker.submit(Order(id, "AAPL", Side.SELL, Decimal(4)))  # taken before counts as taken
    now = minute_on(clock)
    opened = Decimal(str(bars.set_index(["symbol", "start"]).loc[("AAPL", pd.Timestamp(start)), "open"]))
    paid = (opened * Decimal("0.9999")).quantize(Decimal("0.0001"))
    new, fill = eventually(lambda: broker.updates(now), 2)
    assert (new.event, fill.event, fill.at, fill.qty, fill.price) == (
        OrderEvent.NEW,
        OrderEvent.FILL,
        start,
        Decimal(4),
        paid,
    )
    assert broker.updates(now) == []
    assert broker.find(id) == [new, fill]
    account = broker.account()
    assert account.cash == before.cash + 4 * paid
    assert account.equity == account.cash + broker.positions()["AAPL"].qty * opened + _others(broker, bars, start)
    assert broker.positions()["AAPL"].average_price == paid
    broker.submit(Order(f"back-{id}", "AAPL", Side.BUY, Decimal(4)))
    minute_on(clock)
    assert "AAPL" not in broker.positions()


def _others(broker: AlpacaBroker, bars: pd.DataFrame, start: datetime) -> Decimal:
    closes = bars[bars["start"] == start].set_index("symbol")["close"]
    return sum((p.qty * Decimal(str(closes[s])) for s, p in broker.positions().items() if s != "AAPL"), Decimal(0))


def test_a_refusal_comes_in_alpacas_words(broker: AlpacaBroker, clock: LockstepClock) -> None:
    with pytest.raises(BrokerError, match=r"^insufficient buying power$") as error:
        broker.submit(Order(f"dear-{clock.now()}", "AAPL", Side.BUY, Decimal(1_000_000)))
    assert not isinstance(error.value, OutcomeUnknown)
    with pytest.raises(BrokerError, match="fractional orders cannot be sold short"):
        broker.submit(Order(f"part-{clock.now()}", "AAPL", Side.SELL, Decimal("0.5")))
    assert broker.find(f"dear-{clock.now()}") is None
    with pytest.raises(BrokerError, match="order not found for nobody"):
        broker.cancel("nobody")


def test_rest_tells_what_the_stream_did_not(recycler: Launched, clock: LockstepClock) -> None:
    deaf = AlpacaBroker(recycler.http, *PAIR)
    ids = [f"{what}-{clock.now()}" for what in ("filled", "canceled")]
    deaf.submit(Order(ids[0], "MSFT", Side.BUY, Decimal(3)))
    assert [(u.client_order_id, u.event) for u in deaf.updates(clock.now())] == [(ids[0], OrderEvent.NEW)]
    deaf.submit(Order(ids[1], "MSFT", Side.BUY, Decimal(3)))
    deaf.cancel(ids[1])
    now = minute_on(clock)
    told = [(u.client_order_id, u.event) for u in deaf.updates(now)]
    assert told == [(ids[0], OrderEvent.FILL), (ids[1], OrderEvent.NEW), (ids[1], OrderEvent.CANCELED)]
    assert deaf.updates(now) == []
    deaf.close()


def test_an_order_of_an_earlier_process_is_watched_once_it_was_asked_for(
    recycler: Launched, clock: LockstepClock
) -> None:
    first = AlpacaBroker(recycler.http, *PAIR)
    id = f"earlier-{clock.now()}"
    first.submit(Order(id, "MSFT", Side.BUY, Decimal(3)))
    first.close()
    second = AlpacaBroker(recycler.http, *PAIR)
    assert [update.event for update in second.find(id) or []] == [OrderEvent.NEW]
    now = minute_on(clock)
    assert [update.event for update in second.updates(now)] == [OrderEvent.NEW, OrderEvent.FILL]
    second.close()


def test_wrong_keys_are_one_clear_error_and_nothing_of_them_is_logged(
    recycler: Launched, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = set(threading.enumerate())
    wrong = AlpacaBroker(recycler.http, "wrong-key", "wrong-secret")
    with pytest.raises(BrokerError, match=r"Alpaca refuses the keys\. Check TANDEM_ALPACA__KEY_ID"):
        wrong.account()
    with pytest.raises(BrokerError, match="Alpaca refuses the keys"):
        wrong.submit(Order("a", "AAPL", Side.BUY, Decimal(1)))
    with pytest.raises(BrokerError, match="trade updates: failed to authenticate"):
        wrong.open()
    wrong.close()
    with pytest.raises(BrokerError, match="bars: auth failed"):
        AlpacaFeed(recycler.ws, SYMBOLS, "wrong-key", "wrong-secret").open()
    with AlpacaBroker(recycler.http, *PAIR) as right, AlpacaFeed(recycler.ws, SYMBOLS, *PAIR):
        right.account()
    assert set(threading.enumerate()) == before
    for secret in ("wrong-key", "wrong-secret", *PAIR):
        assert secret not in caplog.text


def test_nobody_home_is_unknown_for_an_order_and_an_error_for_a_question() -> None:
    broker = AlpacaBroker("http://127.0.0.1:1", "k", "s")
    with pytest.raises(OutcomeUnknown, match="no answer from Alpaca"):
        broker.submit(Order("a", "AAPL", Side.BUY, Decimal(1)))
    with pytest.raises(OutcomeUnknown):
        broker.find("a")
    with pytest.raises(BrokerError) as error:
        broker.account()
    assert not isinstance(error.value, OutcomeUnknown)
    broker.close()


def test_a_stream_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tandem.execution.alpaca.CONNECT_SECONDS", 0.3)
    before = set(threading.enumerate())
    for stream in (AlpacaFeed("ws://127.0.0.1:1", SYMBOLS, "k", "s"), AlpacaBroker("ws://127.0.0.1:1", "k", "s")):
        with pytest.raises(BrokerError, match=r"no answer within 0\.3 seconds"):
            stream.open()
        stream.close()
    assert set(threading.enumerate()) == before


# ---------------------------------------------------------------- answers that Alpaca may give and a recycler does not


@contextmanager
def answering(*answers: tuple[int, str]) -> Iterator[str]:
    """A server that gives these answers one after another, the last for ever."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def said(message: str, code: int = 40010001) -> str:
    return json.dumps({"code": code, "message": message})


@pytest.mark.parametrize(
    ("answers", "error", "words"),
    [
        ([(504, "<html>gateway timeout</html>")], OutcomeUnknown, "Alpaca answered 504"),
        ([(500, said("internal server error occurred"))], OutcomeUnknown, "Alpaca answered 500 internal server error"),
        ([(200, "<html>")], OutcomeUnknown, "no answer from Alpaca"),
        ([(429, said("rate limit exceeded"))], BrokerError, "^rate limit exceeded$"),
        ([(403, said("forbidden.", 40310000))], BrokerError, "Alpaca refuses the keys"),
        ([(401, "<html>")], BrokerError, "Alpaca refuses the keys"),
        ([(403, said("account is not allowed to short", 40310000))], BrokerError, "^account is not allowed to short$"),
        ([(422, "")], BrokerError, "^Alpaca answered 422$"),
        ([(504, ""), (422, said("client_order_id must be unique"))], None, ""),
        ([(504, ""), (504, ""), (200, "{}")], None, ""),
    ],
)
def test_each_answer_to_an_order_has_one_meaning(
    answers: list[tuple[int, str]], error: type[BrokerError] | None, words: str
) -> None:
    with answering(*answers) as url:
        broker = AlpacaBroker(url, "k", "s")
        broker._client._retry_wait = 0
        order = Order("a", "AAPL", Side.BUY, Decimal(1))
        if error is None:
            broker.submit(order)
        else:
            with pytest.raises(BrokerError, match=words) as raised:
                broker.submit(order)
            assert type(raised.value) is error
        broker.close()


class Books:
    """Alpaca's own books of one order that fills in parts, as REST and the stream tell of them.

    REST knows the order at once and lists its executions late: `listed` of them so far.
    """

    def __init__(self, parts: list[int], canceled: bool) -> None:
        self.parts = parts
        self.qty = sum(parts) + canceled
        self.id = str(uuid4())
        self.ending = "canceled" if canceled else "filled"
        self.listed = 0
        self.fills = [self._fill(n) for n in range(len(parts))]
        filled = [("fill" if self._so_far(n) == self.qty else "partial_fill", n) for n in range(len(parts))]
        self.messages = [self._message("new"), *(self._message(event, n) for event, n in filled)]
        if canceled:
            self.messages.append(self._message("canceled"))

    def _so_far(self, n: int) -> int:
        return sum(self.parts[: n + 1])

    def _fill(self, n: int) -> dict[str, Any]:
        numbers = {
            "qty": self.parts[n],
            "price": f"10.{n}",
            "cum_qty": self._so_far(n),
            "leaves_qty": self.qty - self._so_far(n),
        }
        at = f"2023-01-04T14:31:{n:02d}Z"
        return {"id": f"{n}::x", "order_id": self.id, "transaction_time": at, **{k: str(v) for k, v in numbers.items()}}

    def _message(self, event: str, n: int | None = None) -> dict[str, Any]:
        data: dict[str, Any] = {"event": event, "order": self._order(0), "timestamp": "2023-01-04T14:31:00Z"}
        if n is not None:
            execution = {"qty": self.fills[n]["qty"], "price": self.fills[n]["price"]}
            data |= {"order": self._order(self._so_far(n)), "timestamp": self.fills[n]["transaction_time"], **execution}
        return {"stream": "trade_updates", "data": data}

    def _order(self, filled: int, status: str = "new") -> dict[str, Any]:
        at = "2023-01-04T14:30:00.123456789Z"
        named = {"id": self.id, "client_order_id": "a", "symbol": "AAPL", "side": "buy", "status": status}
        times = {"submitted_at": at, "updated_at": at, "canceled_at": at if status == "canceled" else None}
        return {**named, **times, "qty": str(self.qty), "filled_qty": str(filled)}

    # what the broker asks of alpaca-py's client
    def get_order_by_client_id(self, _: str) -> dict[str, Any]:
        return self._order(sum(self.parts), self.ending)

    def get(self, path: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Two pages, the first full of another order's executions."""
        assert path == "/account/activities/FILL"
        if "page_token" in asked:
            return self.fills[: self.listed]
        return [{**self.fills[0], "id": f"other{n}", "order_id": "another"} for n in range(100)]

    def post(self, *_: object) -> dict[str, Any]:
        return {}


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans(), st.data())
def test_a_fill_is_counted_once_whatever_the_stream_drops_repeats_or_tells_late(
    parts: list[int], canceled: bool, data: st.DataObject
) -> None:
    books = Books(parts, canceled)
    broker = AlpacaBroker("http://127.0.0.1:1", "k", "s")
    broker._client = books
    broker.submit(Order("a", "AAPL", Side.BUY, Decimal(books.qty)))
    told: list[OrderUpdate] = []
    for message in data.draw(st.lists(st.none() | st.sampled_from(books.messages), max_size=8)):
        if message is None:
            books.listed = data.draw(st.integers(books.listed, len(parts)))
            told += broker.updates(OPEN)
        else:
            asyncio.run(broker._hear(message))
    books.listed = len(parts)
    told += broker.updates(OPEN)
    executions = {u.execution_id: (u.qty, u.price) for u in told if u.event.is_execution}
    assert sum(u.event.is_execution for u in told) == len(executions) == len(parts)
    assert sorted(executions.values()) == sorted((Decimal(f["qty"]), Decimal(f["price"])) for f in books.fills)
    assert [u.event for u in told if u.event.is_final] == ["canceled" if canceled else "fill"]
    assert broker.updates(OPEN) == []
    assert {u.execution_id for u in broker.find("a") or [] if u.qty} == executions.keys()


# ---------------------------------------------------------------- the feed


def message(symbol: str, n: int, **changes: object) -> dict[str, Any]:
    start = msgpack.Timestamp.from_datetime(OPEN + minutes(n))
    return {"T": "b", "S": symbol, "o": 1.5, "h": 2, "l": 1, "c": 2, "v": 10, "t": start, "n": 3, "vw": 1.7, **changes}


def hearing(*messages: dict[str, Any], patience: float = 0.0) -> AlpacaFeed:
    feed = AlpacaFeed("ws://127.0.0.1:1", SYMBOLS, "k", "s", patience=patience)
    for one in messages:
        asyncio.run(feed._hear(one))
    return feed


def test_bars_are_given_once_in_order_however_they_come() -> None:
    feed = hearing(
        message("MSFT", 1), message("AAPL", 1), message("AAPL", 0), message("AAPL", 0, c=1), message("AAPL", 2)
    )
    bars = feed.take(OPEN + minutes(2))
    assert [(bar.symbol, bar.start) for bar in bars] == [
        ("AAPL", OPEN),
        ("AAPL", OPEN + minutes(1)),
        ("MSFT", OPEN + minutes(1)),
    ]
    assert bars[0].close == 2.0
    asyncio.run(feed._hear(message("AAPL", 1)))
    assert feed.take(OPEN + minutes(2)) == []
    assert [bar.start for bar in feed.take(OPEN + minutes(3))] == [OPEN + minutes(2)]


@pytest.mark.parametrize("flaw", [{"h": 0.5}, {"o": float("nan")}, {"c": None}, {"v": -1}, {"l": "x"}, {"t": None}])
def test_a_malformed_bar_never_gets_through_and_stops_nothing(flaw: dict[str, object]) -> None:
    feed = hearing(message("AAPL", 0, **flaw), message("AAPL", 1))
    assert [bar.start for bar in feed.take(OPEN + minutes(9))] == [OPEN + minutes(1)]
    assert len(feed.malformed) == 1


def test_the_feed_waits_a_little_for_the_newest_bar_of_every_symbol() -> None:
    feed = hearing(message("AAPL", 0), patience=5.0)
    late = threading.Timer(0.1, lambda: asyncio.run(feed._hear(message("MSFT", 0))))
    late.start()
    assert len(feed.take(OPEN + minutes(1))) == 2
    late.join()


def test_a_lost_stream_comes_back_by_itself(recycler: Launched, bars: pd.DataFrame, tmp_path: Any) -> None:
    file = tmp_path / "bars.parquet"
    bars.to_parquet(file)
    options = Options(SYMBOLS, bars=file, port=0, lockstep=True)
    with launch(options) as first:
        feed = AlpacaFeed(first.ws, SYMBOLS, "k", "s").open()
    with launch(replace(options, port=first.port)) as second:
        for _ in range(200):
            if feed._stream.connections == 2:
                break
            threading.Event().wait(0.05)
        clock = LockstepClock(second.http, "test", SYMBOLS)
        clock.wait_until(OPEN + minutes(2))
        assert feed.wait_for(dict.fromkeys(SYMBOLS, OPEN + minutes(1)), 5) == []
        assert len(feed.taken(OPEN + minutes(2))) == 4
        feed.close()
        clock.close()
