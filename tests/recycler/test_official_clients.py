"""One scripted day of Alpaca's four Python clients, unchanged but for their URLs, on real bars from the store."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderClass, OrderSide, OrderStatus, TimeInForce
from alpaca.trading.requests import (
    LimitOrderRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)
from alpaca.trading.stream import TradingStream

from tandem.config import CostSettings
from tandem.execution.lockstep import LockstepClock
from tandem.market import Timeframe
from tandem.recycler import Launched, Options, launch
from tandem.sources import samples
from tandem.store import Store

DAY = date(2023, 1, 4)
OPEN, CLOSE = datetime(2023, 1, 4, 14, 30, tzinfo=UTC), datetime(2023, 1, 4, 21, tzinfo=UTC)
SYMBOLS = ("AAPL", "IBM", "MSFT", "NVDA")
COSTS = CostSettings(commission_per_share=Decimal("0.005"))
SECONDS = 20.0


class Day:
    """The scripted day: its clients, its clock, and what they heard."""

    def __init__(self, recycler: Launched) -> None:
        self.clock = LockstepClock(recycler.http, "script", SYMBOLS)
        self.stocks = StockDataStream("key", "secret", url_override=f"{recycler.ws}/v2/iex")
        self.trades = TradingStream("key", "secret", url_override=f"{recycler.ws}/stream")
        self.trader = TradingClient("key", "secret", paper=True, url_override=recycler.http)
        self.history = StockHistoricalDataClient("key", "secret", url_override=recycler.http)
        self.bars: list[Any] = []
        self.updates: list[Any] = []
        self._heard = threading.Condition()
        self.trades.subscribe_trade_updates(self._hear_update)
        self.stocks.subscribe_bars(self._hear_bar, "AAPL", "MSFT")
        self._threads = [threading.Thread(target=s.run, daemon=True) for s in (self.stocks, self.trades)]

    async def _hear_bar(self, bar: Any) -> None:
        with self._heard:
            self.bars.append(bar)
            self._heard.notify_all()

    async def _hear_update(self, update: Any) -> None:
        with self._heard:
            self.updates.append(update)
            self._heard.notify_all()

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()
        self._wait(lambda: self.stocks._running and self.trades._running)
        self.at(OPEN)

    def end(self) -> None:
        for stream in (self.stocks, self.trades):
            stream.stop()
        for thread in self._threads:
            thread.join(SECONDS)
        self.clock.close()

    def at(self, moment: datetime) -> None:
        self.clock.wait_until(moment)

    def minutes_on(self, count: int = 1) -> None:
        self.at(self.clock.now() + timedelta(minutes=count))

    def heard(self, symbol: str, start: datetime) -> Any:
        """The bar of one symbol and minute, when it has come."""
        self._wait(lambda: any((bar.symbol, bar.timestamp) == (symbol, start) for bar in self.bars))
        return next(bar for bar in self.bars if (bar.symbol, bar.timestamp) == (symbol, start))

    def events(self, client_order_id: str, count: int) -> list[str]:
        """What was told of one order, once so much has come."""
        self._wait(lambda: len(self._of(client_order_id)) >= count)
        return [str(update.event) for update in self._of(client_order_id)]

    def _of(self, client_order_id: str) -> list[Any]:
        return [update for update in self.updates if update.order.client_order_id == client_order_id]

    def _wait(self, done: Any) -> None:
        until = time.monotonic() + SECONDS
        while not done():
            assert time.monotonic() < until, (len(self.bars), [u.event for u in self.updates])
            time.sleep(0.005)

    def order(self, client_order_id: str) -> Any:
        return self.trader.get_order_by_client_id(client_order_id)


@pytest.fixture(scope="module")
def stored(module_store: Store) -> Store:
    samples.load(module_store)
    return module_store


@pytest.fixture(scope="module")
def recycler(stored: Store) -> Iterator[Launched]:
    options = Options(SYMBOLS, DAY, DAY, port=0, lockstep=True, costs=COSTS)
    keys = {"TANDEM_RECYCLER_KEY_ID": "key", "TANDEM_RECYCLER_SECRET_KEY": "secret"}
    with launch(options, {"TANDEM_DATABASE_URL": stored.url, **keys}) as launched:
        yield launched


@pytest.fixture(scope="module")
def stored_bars(stored: Store) -> Any:
    bars = stored.bars.read(SYMBOLS, Timeframe.MIN_1, first=OPEN, last=CLOSE)
    return bars.set_index(["symbol", "start"])


def asked(kind: Any, id: str, symbol: str = "AAPL", side: OrderSide = OrderSide.BUY, **more: Any) -> Any:
    more = {"time_in_force": TimeInForce.DAY, "qty": 10} | more
    return kind(symbol=symbol, side=side, client_order_id=id, **more)


def test_a_scripted_day_of_the_official_clients(recycler: Launched, stored_bars: Any) -> None:
    with pytest.raises(APIError, match="unauthorized"):
        TradingClient("key", "wrong", paper=True, url_override=recycler.http).get_account()
    with pytest.raises(APIError):
        StockHistoricalDataClient("wrong", "secret", url_override=recycler.http).get_stock_bars(
            StockBarsRequest(symbol_or_symbols="AAPL", timeframe=TimeFrame.Minute, start=OPEN)
        )
    day = Day(recycler)
    day.begin()
    try:
        orders_to_their_end(day, stored_bars)
        subscriptions_change_while_it_runs(day)
        day.at(CLOSE)
        everything_adds_up(day, stored_bars)
    finally:
        day.end()


def orders_to_their_end(day: Day, bars: Any) -> None:
    trader = day.trader
    assert trader.get_clock().is_open
    assert trader.get_asset("AAPL").tradable
    price = bars["open"]

    trader.submit_order(asked(MarketOrderRequest, "market"))
    trader.submit_order(asked(MarketOrderRequest, "short", "NVDA", OrderSide.SELL))
    far = round(price["AAPL", OPEN] * 0.5, 2)
    trader.submit_order(asked(LimitOrderRequest, "limit", limit_price=round(price["AAPL", OPEN] * 1.01, 2)))
    trader.submit_order(asked(LimitOrderRequest, "ioc", limit_price=far, time_in_force=TimeInForce.IOC))
    trader.submit_order(asked(LimitOrderRequest, "fok", limit_price=far, time_in_force=TimeInForce.FOK))
    with pytest.raises(APIError) as twice:
        trader.submit_order(asked(MarketOrderRequest, "market"))
    assert (twice.value.status_code, twice.value.message) == (422, "client_order_id must be unique")
    day.minutes_on()
    assert day.events("market", 2) == ["new", "fill"]
    assert day.events("limit", 2) == ["new", "fill"]
    assert day.events("ioc", 2) == ["new", "canceled"]
    assert day.events("fok", 2) == ["new", "canceled"]
    bought = day.order("market")
    dearer = Decimal(str(price["AAPL", OPEN])) * Decimal("1.0001")
    assert Decimal(bought.filled_avg_price) >= dearer.quantize(Decimal("0.0001"))
    assert trader.get_open_position("NVDA").qty == "-10"

    trader.submit_order(asked(MarketOrderRequest, "dollars", "IBM", qty=None, notional=500))
    stop = round(price["MSFT", OPEN] * 0.9, 2)
    trader.submit_order(asked(StopLimitOrderRequest, "dip", "MSFT", stop_price=9999.0, limit_price=9999.5))
    trader.submit_order(asked(LimitOrderRequest, "gtc", "MSFT", limit_price=stop, time_in_force=TimeInForce.GTC))
    day.minutes_on()
    assert day.events("dollars", 2)[-1] == "fill"
    assert Decimal(day.order("dollars").filled_qty) % 1 != 0

    replaced = trader.replace_order_by_id(day.order("gtc").id, ReplaceOrderRequest(qty=7, client_order_id="gtc-7"))
    assert (replaced.qty, str(replaced.replaces)) == ("7", str(day.order("gtc").id))
    assert day.order("gtc").status is OrderStatus.REPLACED
    trader.cancel_order_by_id(day.order("gtc-7").id)
    trader.cancel_order_by_id(day.order("dip").id)
    assert day.events("gtc-7", 2)[-1] == "canceled"

    protected = asked(
        MarketOrderRequest,
        "bracket",
        "MSFT",
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfitRequest(limit_price=round(price["MSFT", OPEN] * 2, 2)),
        stop_loss=StopLossRequest(stop_price=stop),
    )
    legs = trader.submit_order(protected).legs
    assert [leg.status for leg in legs] == [OrderStatus.HELD, OrderStatus.HELD]
    day.minutes_on()
    assert day.events("bracket", 2) == ["new", "fill"]
    assert [leg.status for leg in day.order("bracket").legs] == [OrderStatus.NEW, OrderStatus.NEW]
    trader.cancel_order_by_id(day.order("bracket").legs[0].id)
    assert {leg.status for leg in day.order("bracket").legs} == {OrderStatus.CANCELED}

    trader.submit_order(
        asked(StopOrderRequest, "stop", side=OrderSide.SELL, stop_price=1.0, time_in_force=TimeInForce.GTC)
    )
    trader.submit_order(asked(TrailingStopOrderRequest, "trail", "MSFT", OrderSide.SELL, trail_percent=0.1))
    trader.submit_order(
        asked(
            LimitOrderRequest, "auction", "IBM", OrderSide.BUY, qty=1, limit_price=9999.0, time_in_force=TimeInForce.CLS
        )
    )
    day.minutes_on(60)
    assert day.events("trail", 2)[-1] == "fill"
    assert day.order("stop").status is OrderStatus.NEW
    trader.close_position("NVDA")
    day.minutes_on()
    assert "NVDA" not in {position.symbol for position in trader.get_all_positions()}


def subscriptions_change_while_it_runs(day: Day) -> None:
    now = day.clock.now()
    first = {bar.symbol for bar in day.bars}
    assert first == {"AAPL", "MSFT"}
    day.stocks.unsubscribe_bars("MSFT")
    day.stocks.subscribe_bars(day._hear_bar, "IBM")
    day.minutes_on(3)
    day.heard("AAPL", now + timedelta(minutes=2))
    day.heard("IBM", now + timedelta(minutes=2))
    late = [bar for bar in day.bars if bar.symbol == "MSFT" and bar.timestamp > now + timedelta(minutes=1)]
    assert not late


def everything_adds_up(day: Day, bars: Any) -> None:
    day.heard("AAPL", CLOSE - timedelta(minutes=1))
    for bar in day.bars:
        stored = bars.loc[(bar.symbol, bar.timestamp)]
        assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == tuple(
            stored[["open", "high", "low", "close", "volume"]]
        )
    aapl = [bar.timestamp for bar in day.bars if bar.symbol == "AAPL"]
    assert aapl == list(bars.loc["AAPL"].index)

    asked_for = StockBarsRequest(symbol_or_symbols=list(SYMBOLS), timeframe=TimeFrame.Minute, start=OPEN, end=CLOSE)
    told = day.history.get_stock_bars(asked_for).data
    assert set(told) == set(SYMBOLS)
    for symbol in SYMBOLS:
        history = [(b.timestamp, b.open, b.high, b.low, b.close, b.volume) for b in told[symbol]]
        stored = bars.loc[symbol]
        assert history == list(
            zip(stored.index, *(stored[name] for name in ("open", "high", "low", "close", "volume")), strict=True)
        )

    assert day.events("auction", 2)[-1] == "fill"
    assert Decimal(day.order("auction").filled_avg_price) >= Decimal(
        str(bars["low"]["IBM", CLOSE - timedelta(minutes=1)])
    )
    fills = [update for update in day.updates if update.event in ("fill", "partial_fill")]
    assert len({update.execution_id for update in fills}) == len(fills)
    account = day.trader.get_account()
    cash = Decimal(100_000)
    held: dict[str, Decimal] = {}
    for update in fills:
        sign = 1 if update.order.side is OrderSide.BUY else -1
        qty, price = Decimal(str(update.qty)), Decimal(str(update.price))
        cash -= sign * qty * price + qty * COSTS.commission_per_share
        held[update.order.symbol] = held.get(update.order.symbol, Decimal(0)) + sign * qty
    assert abs(cash - Decimal(account.cash)) < Decimal("0.01")
    positions = {position.symbol: Decimal(position.qty) for position in day.trader.get_all_positions()}
    assert positions == {symbol: qty for symbol, qty in held.items() if qty}
    worth = sum(
        (qty * Decimal(str(bars["close"][symbol, CLOSE - timedelta(minutes=1)])) for symbol, qty in positions.items()),
        Decimal(0),
    )
    assert abs(Decimal(account.equity) - Decimal(account.cash) - worth) < Decimal("0.01")
    assert [order.client_order_id for order in day.trader.get_orders()] == ["stop"]
